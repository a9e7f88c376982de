/* model/trace_kinds.h: every kind of record a world can emit.
 *
 * One table: name, class (which fingerprint), help, fields. The store, the log, the exports and the
 * fingerprints read the table (trace_kinds.c), so a new kind needs no change there. Append only:
 * numbers are part of stored runs. Fields are given to TRACE() in the order listed.
 *
 * Field types: N name, P partition (PARTITION_ID), C count, O offset, T instant, D duration in ns,
 * B bytes, F flag, E Kafka error, L line of the scenario, and the enums declared below. */
#ifndef MODEL_TRACE_KINDS_H
#define MODEL_TRACE_KINDS_H

#include "sim/trace.h"

/* A partition in a record: topic index in the world's cluster, and partition number. */
typedef uint32_t partition_id;
#define PARTITION_ID(topic, partition) (((partition_id)(topic) << 20) | (partition_id)(partition))
#define PARTITION_TOPIC(id)            ((int32_t)((id) >> 20))
#define PARTITION_NUMBER(id)           ((int32_t)((id)&0xfffff))
/* A topic that was deleted and created again has its name and its partition ids again, but other
 * logs. What tells them apart is the topic id (KIP-516): here, how often a topic of that name had
 * been created before. Fields of records about logs and their records have it above the partition
 * id (0, but for recreated topics); those about groups know names only, as groups do. */
#define PARTITION_IN(topic_id, id)     ((int64_t)(topic_id) << 32 | (int64_t)(id))
#define PARTITION_TOPIC_ID(field)      ((int32_t)((field) >> 32))

/* The number in PARTITION_ID(topic, …) of records whose partition is not chosen yet: ARRIVAL
 * records of producers without keys (KIP-794 chooses by load, and the workload must not depend on
 * it), and records that were given up before. */
#define PARTITION_NUMBER_UNKNOWN 0xfffff

/* The members of each enum: the order is part of stored runs. */
/* Tables, laid out by hand: */
/* clang-format off */
#define TRACE_ENUM_PROCESS_STATE(X) X(RUNNING) X(FROZEN) X(DEAD)
#define TRACE_ENUM_GROUP_STATE(X)                                                                  \
    X(Empty)                                                                                       \
    X(PreparingRebalance) X(CompletingRebalance) X(Stable) X(Dead) X(Assigning) X(Reconciling)
#define TRACE_ENUM_REBALANCE_CAUSE(X)                                                              \
    X(MEMBER_JOINED)                                                                               \
    X(MEMBER_REJOINED)                                                                             \
    X(MEMBER_LEFT)                                                                                 \
    X(SESSION_EXPIRED) X(POLL_EXPIRED) X(SYNC_EXPIRED) X(REBALANCE_EXPIRED) X(METADATA_CHANGED)    \
        X(LEADER_REJOINED) X(SUBSCRIPTION_CHANGED) X(STATIC_MEMBER_CHANGED) X(ASSIGNMENT_FAILED)   \
            X(GROUP_OVER_CAPACITY) X(COORDINATOR_LOADED) X(DOWNGRADED) X(OTHER)
#define TRACE_ENUM_OWNERSHIP_END(X) X(REVOKED) X(LOST) X(CLOSED) X(DIED)
#define TRACE_ENUM_POSITION_CAUSE(X)                                                               \
    X(COMMITTED)                                                                                   \
    X(RESET_EARLIEST)                                                                              \
    X(RESET_LATEST) X(RESET_BY_DURATION) X(OUT_OF_RANGE) X(TRUNCATED) X(EXTERNAL) X(SEEK)
#define TRACE_ENUM_COMMIT_CALL(X)                                                                  \
    X(AUTO) X(SYNC) X(ASYNC) X(ON_REVOKE) X(ON_CLOSE) X(BEFORE_REBALANCE) X(TRANSACTION)
/* MARKER: the control record that ends a transaction. ABORTED: its records, if it was aborted; only
 * read_committed consumers are spared them. */
#define TRACE_ENUM_UNREADABLE_WHY(X) X(MARKER) X(ABORTED)
/* FAILED: send() threw. DROPPED: acks=0, and nobody will ever tell the producer. The rest is about
 * processes that are killed: UNSENT was in their memory, UNHEARD had been sent and not yet been
 * answered, DOWN came while there was none. */
#define TRACE_ENUM_SEND_FAILURE(X) X(FAILED) X(DROPPED) X(UNSENT) X(UNHEARD) X(DOWN)
#define TRACE_ENUM_FAULT_PHASE(X) X(BEGIN) X(END)
#define TRACE_ENUM_CLIENT_EVENT(X)                                                                 \
    X(STARTED)                                                                                     \
    X(FIRST_POLL)                                                                                  \
    X(JOINING)                                                                                     \
    X(JOINED) X(SYNCED) X(REVOKE_CALLBACK) X(LOST_CALLBACK) X(ASSIGN_CALLBACK) X(RESTORE_BEGIN)    \
        X(RESTORE_END) X(POLL_TIMEOUT) X(LEAVING) X(CLOSING) X(CLOSED) X(FENCED)                   \
            X(COORDINATOR_UNKNOWN) X(COORDINATOR_FOUND) X(FATAL) X(HEARTBEAT_FAILED)               \
                X(GENERATION_RESET) X(REJOIN_REQUESTED) X(RESET_NONE) X(OUT_OF_MEMORY)             \
                    X(DEAD_LETTER) X(RETRY) X(EXCEPTION) X(OUTPUT_FAILED)

#define X(member) PROCESS_TRACE_##member,
enum process_trace_state { TRACE_ENUM_PROCESS_STATE(X) };
#undef X
#define X(member) GROUP_TRACE_##member,
enum group_trace_state { TRACE_ENUM_GROUP_STATE(X) };
#undef X
#define X(member) CAUSE_##member,
enum rebalance_cause { TRACE_ENUM_REBALANCE_CAUSE(X) };
#undef X
#define X(member) OWNERSHIP_##member,
enum ownership_end { TRACE_ENUM_OWNERSHIP_END(X) };
#undef X
#define X(member) POSITION_##member,
enum position_cause { TRACE_ENUM_POSITION_CAUSE(X) };
#undef X
#define X(member) COMMIT_CALL_##member,
enum commit_call { TRACE_ENUM_COMMIT_CALL(X) };
#undef X
#define X(member) SEND_##member,
enum send_failure { TRACE_ENUM_SEND_FAILURE(X) };
#undef X
#define X(member) FAULT_##member,
enum fault_phase { TRACE_ENUM_FAULT_PHASE(X) };
#undef X
#define X(member) UNREADABLE_##member,
enum unreadable_why { TRACE_ENUM_UNREADABLE_WHY(X) };
#undef X
#define X(member) CLIENT_##member,
enum client_event { TRACE_ENUM_CLIENT_EVENT(X) };
#undef X

/* X(KIND, name, class, help, FIELDS), FIELDS being a list of F(name, TYPE) or E(name, ENUM).
 * "member" is the scenario's name of a member (payments-3), "member_id" Kafka's id of it. */
#define TRACE_KINDS(X, F, E)                                                                       \
    /* workload: nothing here may depend on groups, brokers or faults */                           \
    X(ARRIVAL, "arrival", WORKLOAD, "records came into being at a producer",                       \
      F(producer, NAME) F(partition, PARTITION) F(count, COUNT) F(bytes, BYTES) F(first_at, TIME)  \
          F(last_at, TIME) F(digest, COUNT))                                                       \
    /* run */                                                                                      \
    X(SAMPLE, "sample", FULL, "a step of the time series", F(step, COUNT))                         \
    X(FAULT, "fault", FULL, "an entry of the timeline takes effect or ends",                       \
      E(phase, FAULT_PHASE) F(fault, NAME) F(target, NAME) F(other, NAME) F(line, LINE)           \
          F(duration, DURATION) F(number, COUNT))                                                  \
    X(PROCESS, "process", FULL, "a process changed state",                                         \
      F(process, NAME) E(state, PROCESS_STATE) F(incarnation, COUNT))                              \
    /* logs */                                                                                     \
    X(BATCH_APPENDED, "batch_appended", FULL, "a leader appended records",                         \
      F(partition, PARTITION) F(broker, COUNT) F(leader_epoch, COUNT) F(base_offset, OFFSET)       \
          F(count, COUNT) F(bytes, BYTES) F(first_at, TIME) F(last_at, TIME) F(producer, NAME)     \
              F(duplicate, FLAG))                                                                  \
    X(HIGH_WATERMARK, "high_watermark", FULL, "records became visible to consumers",               \
      F(partition, PARTITION) F(offset, OFFSET) F(last_stable_offset, OFFSET))                     \
    X(LOG_START, "log_start", FULL, "records were deleted by retention",                           \
      F(partition, PARTITION) F(offset, OFFSET) F(broker, COUNT))                                  \
    X(LEADER_ELECTED, "leader_elected", FULL, "a partition has a new leader, or none (-1)",        \
      F(partition, PARTITION) F(broker, COUNT) F(leader_epoch, COUNT) F(log_end_offset, OFFSET)    \
          F(unclean, FLAG))                                                                        \
    X(ISR, "isr", FULL, "the in-sync replicas of a partition changed",                             \
      F(partition, PARTITION) F(size, COUNT) F(broker, COUNT) F(joined, FLAG))                     \
    X(PRODUCE_DONE, "produce_done", FULL, "a producer learned the fate of a batch",                \
      F(producer, NAME) F(partition, PARTITION) F(base_offset, OFFSET) F(count, COUNT)             \
          F(error, ERROR) F(attempts, COUNT) F(first_at, TIME) F(last_at, TIME))                   \
    X(TRANSACTION, "transaction", FULL, "a transaction ended on a partition",                      \
      F(transactional_id, NAME) F(partition, PARTITION) F(committed, FLAG) F(first_offset, OFFSET) \
          F(end_offset, OFFSET))                                                                   \
    /* coordinator */                                                                              \
    X(GROUP_REQUEST, "group_request", PROTOCOL, "a coordinator took up a request",                 \
      F(api, COUNT) F(group, NAME) F(member, NAME) F(member_id, NAME) F(generation, COUNT)         \
          F(broker, COUNT))                                                                        \
    X(GROUP_RESPONSE, "group_response", PROTOCOL, "a coordinator answered",                        \
      F(api, COUNT) F(group, NAME) F(member, NAME) F(member_id, NAME) F(generation, COUNT)         \
          F(broker, COUNT) F(error, ERROR))                                                        \
    X(GROUP_STATE, "group_state", PROTOCOL, "a group changed state",                               \
      F(group, NAME) E(from, GROUP_STATE) E(to, GROUP_STATE) F(generation, COUNT)                  \
          F(members, COUNT) F(broker, COUNT))                                                      \
    X(REBALANCE, "rebalance", PROTOCOL, "a rebalance began (KIP-848: the group epoch rose)",       \
      F(group, NAME) E(cause, REBALANCE_CAUSE) F(member, NAME) F(member_id, NAME)                  \
          F(generation, COUNT) F(reason, NAME))                                                    \
    X(REBALANCED, "rebalanced", PROTOCOL, "a join phase ended; KIP-848: a target was computed",       \
      F(group, NAME) F(generation, COUNT) F(members, COUNT) F(leader, NAME) F(protocol, NAME))     \
    X(MEMBER_ADDED, "member_added", PROTOCOL, "a group has a new member",                          \
      F(group, NAME) F(member, NAME) F(member_id, NAME) F(instance, NAME) F(replaced, NAME)        \
          F(client_id, NAME) F(client_host, NAME))                                                 \
    X(MEMBER_REMOVED, "member_removed", PROTOCOL, "a group lost a member",                         \
      F(group, NAME) F(member, NAME) F(member_id, NAME) E(cause, REBALANCE_CAUSE))                 \
    X(ASSIGNED, "assigned", PROTOCOL, "the coordinator's assignment of one partition changed",     \
      F(group, NAME) F(member, NAME) F(member_id, NAME) F(partition, PARTITION)                    \
          F(generation, COUNT) F(owned, FLAG))                                                     \
    X(COMMITTED, "committed", PROTOCOL, "a committed offset became durable",                       \
      F(group, NAME) F(partition, PARTITION) F(offset, OFFSET) F(member, NAME) F(member_id, NAME)  \
          F(generation, COUNT) F(transactional, FLAG))                                             \
    X(COMMIT_REJECTED, "commit_rejected", PROTOCOL, "a commit of one partition was refused",       \
      F(group, NAME) F(partition, PARTITION) F(offset, OFFSET) F(member, NAME) F(member_id, NAME)  \
          F(generation, COUNT) F(error, ERROR))                                                    \
    X(OFFSET_REMOVED, "offset_removed", PROTOCOL, "a committed offset expired or was deleted",     \
      F(group, NAME) F(partition, PARTITION) F(offset, OFFSET))                                    \
    X(COORDINATOR, "coordinator", PROTOCOL, "a broker took over or gave up an offsets partition",  \
      F(offsets_partition, COUNT) F(broker, COUNT) F(loaded, FLAG) F(groups, COUNT)                \
          F(duration, DURATION))                                                                   \
    /* clients */                                                                                  \
    X(CLIENT, "client", FULL, "something happened in a consumer",                                  \
      F(group, NAME) F(member, NAME) E(event, CLIENT_EVENT) F(generation, COUNT)                   \
          F(member_id, NAME) F(number, COUNT) F(error, ERROR) F(text, NAME))                       \
    X(OWNED, "owned", FULL, "a consumer began to own a partition (its own view)",                  \
      F(group, NAME) F(member, NAME) F(partition, PARTITION) F(generation, COUNT)                  \
          F(incarnation, COUNT))                                                                   \
    X(DISOWNED, "disowned", FULL, "a consumer's ownership of a partition ended (its own view)",    \
      F(group, NAME) F(member, NAME) F(partition, PARTITION) F(generation, COUNT)                  \
          E(cause, OWNERSHIP_END) F(incarnation, COUNT))                                           \
    X(POSITION, "position", FULL, "a consumer's position was set, not advanced by polling",        \
      F(group, NAME) F(member, NAME) F(partition, PARTITION) F(offset, OFFSET)                     \
          E(cause, POSITION_CAUSE) F(previous, OFFSET))                                            \
    X(DELIVERED, "delivered", FULL, "poll() returned records of a partition",                      \
      F(group, NAME) F(member, NAME) F(partition, PARTITION) F(base_offset, OFFSET)                \
          F(count, COUNT) F(generation, COUNT) F(incarnation, COUNT))                              \
    X(PROCESSED, "processed", FULL, "the application finished records of a partition",             \
      F(group, NAME) F(member, NAME) F(partition, PARTITION) F(base_offset, OFFSET)                \
          F(count, COUNT) F(begin_at, TIME) F(generation, COUNT) F(incarnation, COUNT))            \
    X(COMMIT_SENT, "commit_sent", FULL, "a consumer sent (or refused to send) a commit",           \
      F(group, NAME) F(member, NAME) E(call, COMMIT_CALL) F(partitions, COUNT) F(number, COUNT)    \
          F(generation, COUNT))                                                                    \
    X(COMMIT_DONE, "commit_done", FULL, "a consumer's commit ended",                               \
      F(group, NAME) F(member, NAME) E(call, COMMIT_CALL) F(partitions, COUNT) F(number, COUNT)    \
          F(error, ERROR) F(latency, DURATION))                                                    \
    X(SINK, "sink", FULL, "a sink took effect of records (idempotent sinks absorb repeats)",       \
      F(group, NAME) F(member, NAME) F(partition, PARTITION) F(base_offset, OFFSET)                \
          F(count, COUNT) F(incarnation, COUNT))                                                   \
    X(GIVEN_UP, "given_up", FULL, "the application passed over records it could not process",       \
      F(group, NAME) F(member, NAME) F(partition, PARTITION) F(base_offset, OFFSET)                \
          F(count, COUNT) F(incarnation, COUNT))                                                   \
    X(UNREADABLE, "unreadable", FULL, "offsets of a log that no consumer is given",                \
      F(partition, PARTITION) F(offset, OFFSET) F(count, COUNT) E(why, UNREADABLE_WHY))          \
    X(BATCH_DIVERGED, "batch_diverged", FULL, "a deposed leader appended what will be taken back",  \
      F(partition, PARTITION) F(broker, COUNT) F(leader_epoch, COUNT) F(base_offset, OFFSET)       \
          F(count, COUNT) F(bytes, BYTES) F(first_at, TIME) F(last_at, TIME) F(producer, NAME))    \
    X(TARGET, "target", PROTOCOL, "KIP-848: whom the target gives one partition changed",          \
      F(group, NAME) F(member, NAME) F(member_id, NAME) F(partition, PARTITION)                    \
          F(generation, COUNT) F(owned, FLAG))                                                     \
    X(SEND_FAILED, "send_failed", FULL, "records a producer was given that it cannot vouch for",   \
      F(producer, NAME) F(partition, PARTITION) F(count, COUNT) E(why, SEND_FAILURE)               \
          F(error, ERROR) F(attempts, COUNT) F(waited, DURATION) F(first_at, TIME)                 \
              F(last_at, TIME))                                                                    \
    X(TOPIC, "topic", FULL, "the controller created or deleted a topic while the cluster ran",     \
      F(topic, NAME) F(partition, PARTITION) F(partitions, COUNT) F(exists, FLAG))                 \
    X(COMPACTED, "compacted", FULL, "the cleaner removed records",                                 \
      F(partition, PARTITION) F(offset, OFFSET) F(count, COUNT) F(broker, COUNT))                  \
    X(CLEANED, "cleaned", FULL, "the cleaner has been through a log",                              \
      F(partition, PARTITION) F(first_dirty_offset, OFFSET) F(end_offset, OFFSET)                  \
          F(records, COUNT) F(removed, COUNT) F(removed_bytes, BYTES) F(broker, COUNT))

/* How many causes of rebalances there are. */
#define REBALANCE_CAUSE_COUNT ((int)CAUSE_OTHER + 1)

enum trace_kind_number {
#define X(kind, name, class, help, fields) TRACE_##kind,
    TRACE_KINDS(X, , )
#undef X
        TRACE_KIND_COUNT
};

/* clang-format on */

/* Shape [TRACE_KIND_COUNT]. */
extern const struct trace_kind trace_kinds[];

#endif
