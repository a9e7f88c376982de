/* model/consumer/consumer.h: one member of a group, a process that runs a KafkaConsumer.
 *
 * The real client's threads are entities of one process: the application thread, which calls poll()
 * in a loop, processes what it returns and commits; and the heartbeat thread of the classic
 * protocol, or the background thread of KIP-848. A frozen process stops all of them; long
 * processing keeps only the application thread from poll(). What follows from that, heartbeats that
 * go on, a poll timeout, a zombie that works on, follows here as it does in Java.
 *
 * The application polls with poll(Duration.ofMillis(100)), the call of Kafka's own examples.
 *
 * Life: a new consumer is down. Start its process (process_start), then consumer_start. It ends by
 * consumer_close (SIGTERM: finish the records in hand, close(), exit), by consumer_kill (SIGKILL,
 * power loss), or by itself (an exception nobody catches, out of memory). However it ends, its
 * process is dead afterwards and `on_exit` is called; it may be started again. */
#ifndef MODEL_CONSUMER_CONSUMER_H
#define MODEL_CONSUMER_CONSUMER_H

#include "model/cluster.h"
#include "model/consumer/sink.h"
#include "model/scenario.h"
#include "sim/process.h"

struct consumer;

enum consumer_exit {
    CONSUMER_EXIT_CLOSED,        /* close() was asked for and has returned */
    CONSUMER_EXIT_KILLED,        /* consumer_kill */
    CONSUMER_EXIT_FATAL,         /* an exception from poll() or a commit ended the application */
    CONSUMER_EXIT_POISON,        /* processing failed for good (RETRY_CRASH, or retries used up) */
    CONSUMER_EXIT_OUT_OF_MEMORY, /* prefetched records passed process.memory_limit_bytes */
};

struct consumer_options {
    struct sim *sim;
    struct network *network;
    struct cluster *cluster; /* addresses only */
    process_id process;
    name_id host;                       /* of the process; NAME_NONE = a nameless one of its own */
    const struct scenario_group *group; /* its settings; outlives the consumer */
    name_id member;                     /* scenario name: payments-3 */
    int32_t number;                     /* of the member, from 1 */
    struct sink *sink;                  /* the group's own, shared by its members */
    void (*on_exit)(void *context, struct consumer *consumer, enum consumer_exit exit);
    void *context;
};

struct consumer *consumer_new(const struct consumer_options *options);

/* The process has just started; its first poll() comes after `startup_ns`. */
void consumer_start(struct consumer *consumer, sim_time startup_ns);
/* SIGTERM. Ignored when it is down or closing already. */
void consumer_close(struct consumer *consumer);
/* Accounts for the records half done, then kills the process; `host` kills the whole host, so that
 * nobody is told. */
void consumer_kill(struct consumer *consumer, bool host);

/* ---- faults, for the timeline ---- */

/* The application thread gets stuck in processing while heartbeats go on, from the next record it
 * would process (or at once in the middle of one) until it is released. Stalls nest. */
void consumer_stall(struct consumer *consumer);
void consumer_unstall(struct consumer *consumer);

/* Each call of that code throws, until it is told otherwise. Such faults nest. */
void consumer_begin_throwing(struct consumer *consumer, enum throw_place place);
void consumer_end_throwing(struct consumer *consumer, enum throw_place place);

/* ---- questions, for the timeline, deployment and tests ---- */

name_id consumer_name(const struct consumer *consumer);
process_id consumer_process(const struct consumer *consumer);
bool consumer_is_up(const struct consumer *consumer); /* started and not ended */
/* What a readiness probe would say: it polls, and its group membership, if it has one, stands. */
bool consumer_is_ready(const struct consumer *consumer);
bool consumer_is_group_leader(const struct consumer *consumer); /* classic protocol */
name_id consumer_member_id(const struct consumer *consumer);
int32_t consumer_generation(const struct consumer *consumer); /* or member epoch; -1 = none */
int32_t consumer_owned_count(const struct consumer *consumer);
/* Position of a partition it owns; -1 = not owned, or none yet. */
int64_t consumer_position(const struct consumer *consumer, partition_id partition);

#endif
