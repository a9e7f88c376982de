#include "model/broker_internal.h"

#include "sim/check.h"

/* The leader's side of one partition, and how a replica changes its role. Sources: Partition and
 * ReplicaManager of Kafka's core, KIP-101, KIP-497, KIP-966 for the frozen high watermark. */

/* What a follower has learned of the high watermark when the leader has been silent this long: an
 * idle fetch expires (replica.fetch.wait.max.ms) and its answer carries it. */
static bool follower_knows(const struct replica *leader, sim_time until)
{
    const struct broker_config *config = leader->broker->cluster->config;
    return leader->high_watermark_at + MILLISECONDS(config->replica_fetch_wait_max_ms) <= until;
}

int32_t replica_min_isr(const struct replica *replica)
{
    int32_t least = replica->broker->cluster->topics[replica->partition->topic].min_insync_replicas;
    if (least > replica->replica_count) return replica->replica_count;
    return least < 1 ? 1 : least;
}

int64_t replica_last_stable(const struct replica *replica)
{
    struct producer_states *producers = &replica->partition->producers;
    if (producer_states_all_stable(producers)) return replica->high_watermark;
    return producer_states_last_stable(producers, replica->high_watermark);
}

/* Not in the ISR, but as good as: it will ask to join at its next fetch (Partition.
 * shouldWaitForReplicaToJoinIsr), so records must not become visible without it. */
static bool is_about_to_join(const struct replica *replica, const struct follower_progress *f,
                             sim_time now)
{
    const struct broker *broker = replica->broker;
    uint64_t bit = BROKER_BIT(f->broker);
    if (!f->active || (broker->alive & bit) == 0) return false;
    return f->end_offset == replica->log.end_offset ||
           now - f->caught_up_at <= MILLISECONDS(broker->cluster->config->replica_lag_time_max_ms);
}

static void high_watermark_moved(struct replica *replica)
{
    struct broker *broker = replica->broker;
    const struct topic *topic = &broker->cluster->topics[replica->partition->topic];
    if (!topic->internal && replica->partition->log.owner == &replica->log) {
        TRACE(broker->sim, TRACE_HIGH_WATERMARK, partition_traced(replica->partition),
              replica->high_watermark, replica_last_stable(replica));
    }
    if (replica->waits != NULL) produce_on_high_watermark(replica);
    if (replica->watchers != NULL) fetch_on_visible(replica);
    if (!topic->internal) return;
    if (replica->group_shard != NULL) groups_on_high_watermark(replica);
    if (replica->transaction_shard != NULL) transactions_on_high_watermark(replica);
}

void replica_advance(struct replica *replica)
{
    if (!replica->is_leader) return;
    uint64_t counted = replica->isr | replica->joining;
    sim_time now = sim_now(replica->broker->sim);
    int64_t offset = replica->log.end_offset;
    int64_t position = replica->log.end_position;
    for (int32_t i = 0; i < replica->replica_count; i++) {
        if (i == replica->number) continue;
        const struct follower_progress *f = &replica->followers[i];
        if (f->end_offset >= offset) continue;
        if ((counted & BROKER_BIT(f->broker)) == 0 && !is_about_to_join(replica, f, now)) continue;
        offset = f->end_offset;
        position = f->end_position;
    }
    if (offset <= replica->high_watermark) return;
    if (bit_count(replica->isr) < replica_min_isr(replica)) return;
    replica->high_watermark = offset;
    replica->high_watermark_position = position;
    replica->high_watermark_at = now;
    high_watermark_moved(replica);
}

/* ---- appending --------------------------------------------------------------------------- */

/* Puts the partition among the news of the next response to this broker. */
static void add_news(struct replica *replica, int32_t follower)
{
    struct broker *broker = replica->broker;
    struct replica_session *session = &broker->replica_sessions[follower];
    if ((replica->queued & BROKER_BIT(follower)) == 0) {
        replica->queued |= BROKER_BIT(follower);
        pointer_list_push(broker->memory, &session->news, replica);
    }
    if (session->parked != NULL && !session->is_ready) {
        session->is_ready = true;
        pointer_list_push(broker->memory, &broker->ready_sessions, session);
    }
}

int64_t replica_append(struct replica *replica, const struct log_append *append)
{
    CHECK(replica->is_leader);
    sim_time now = sim_now(replica->broker->sim);
    int64_t old_end = replica->log.end_offset;
    int64_t base = replica_log_append(&replica->log, append, now);
    for (int32_t i = 0; i < replica->replica_count; i++) {
        struct follower_progress *f = &replica->followers[i];
        if (i == replica->number || !f->active) continue;
        if (f->end_offset == old_end) f->caught_up_at = now;
        add_news(replica, f->broker);
    }
    if ((replica->isr | replica->joining) == BROKER_BIT(replica->broker->id)) {
        replica_advance(replica);
    }
    return base;
}

/* A follower outside the ISR that has everything consumers can see, and the whole of the epochs
 * before this one, may come back (Partition.maybeExpandIsr). What stands in its way for the moment
 * is looked at again when its next fetch would come at the latest. */
static void maybe_join(struct replica *replica, int32_t number)
{
    struct broker *broker = replica->broker;
    const struct follower_progress *f = &replica->followers[number];
    uint64_t bit = BROKER_BIT(f->broker);
    if (!f->active || ((replica->isr | replica->joining) & bit) != 0) return;
    if (f->end_offset < replica->high_watermark || f->end_offset < replica->epoch_start) return;
    if (replica->altering || (broker->alive & bit) == 0) {
        replica_retry_joins(broker);
        return;
    }
    replication_alter_isr(replica, replica->isr | bit);
}

void replica_retry_joins(struct broker *broker)
{
    if (sim_timer_is_set(&broker->join_retry)) return;
    sim_timer_set(broker->sim, &broker->join_retry,
                  sim_now(broker->sim) +
                      MILLISECONDS(broker->cluster->config->replica_fetch_wait_max_ms));
}

void replica_check_joins(struct broker *broker)
{
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        if (!replica->is_leader) continue;
        for (int32_t n = 0; n < replica->replica_count; n++) {
            if (n != replica->number) maybe_join(replica, n);
        }
        if (replica->high_watermark < replica->log.end_offset) replica_advance(replica);
    }
}

void replica_progress(struct replica *replica, int32_t number, int64_t end_offset,
                      int64_t end_position, sim_time caught_up_at)
{
    struct follower_progress *f = &replica->followers[number];
    f->active = true;
    f->end_offset = end_offset;
    f->end_position = end_position;
    if (end_offset == replica->log.end_offset) {
        f->caught_up_at = sim_now(replica->broker->sim);
    } else {
        if (caught_up_at > f->caught_up_at) f->caught_up_at = caught_up_at;
        add_news(replica, f->broker);
    }
    maybe_join(replica, number);
    replica_advance(replica);
}

/* ---- roles ------------------------------------------------------------------------------- */

static void learn_high_watermark(struct replica *replica)
{
    const struct partition *partition = replica->partition;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        const struct replica *old = partition->replicas[i];
        if (&old->log != partition->log.owner || old == replica) continue;
        sim_time until = old->broker->running ? sim_now(old->broker->sim) : old->broker->died_at;
        if (!follower_knows(old, until) || old->high_watermark <= replica->high_watermark) continue;
        replica->high_watermark = old->high_watermark < replica->log.end_offset
                                      ? old->high_watermark
                                      : replica->log.end_offset;
    }
    replica->high_watermark_position = replica_log_position(&replica->log, replica->high_watermark);
}

struct producer_states *replica_producers(struct replica *replica)
{
    struct partition *partition = replica->partition;
    if (partition->log.owner == &replica->log) return &partition->producers;
    if (replica->producers == NULL) {
        /* A leader that is none any more begins its branch here. */
        replica->producers = producer_states_copy(&partition->producers);
        producer_states_truncate(replica->producers, replica->log.end_offset);
    }
    return replica->producers;
}

void replica_copy_producers(struct replica *replica, struct replica *leader)
{
    if (replica->log.branch == NULL) return;
    producer_states_free(replica->producers);
    replica->producers = producer_states_copy(replica_producers(leader));
    producer_states_truncate(replica->producers, replica->log.end_offset);
}

void replica_truncate(struct replica *replica, int64_t offset)
{
    replica_log_truncate(&replica->log, offset);
    if (replica->first_dirty_offset > offset) replica->first_dirty_offset = offset;
    if (replica->producers != NULL) producer_states_truncate(replica->producers, offset);
    replica_rejoin(replica);
}

void replica_rejoin(struct replica *replica)
{
    replica_log_rejoin(&replica->log);
    if (replica->producers == NULL || replica->log.branch != NULL) return;
    producer_states_free(replica->producers);
    replica->producers = NULL;
}

/* Returns the offset up to which the log before and this one agree. */
static int64_t take_over_log(struct replica *replica)
{
    struct partition *partition = replica->partition;
    if (partition->log.owner == &replica->log) return replica->log.end_offset;
    replica_rejoin(replica);
    int64_t common =
        replica->log.branch != NULL ? replica->log.branch->from_offset : replica->log.end_offset;
    struct replica_log *all[BROKERS_MAX];
    for (int32_t i = 0; i < partition->replica_count; i++)
        all[i] = &partition->replicas[i]->log;
    learn_high_watermark(replica);
    replica_log_take_over(&replica->log, all, partition->replica_count);
    /* Whoever has more than the new leader may lead again before it has truncated, and must then
     * know the producers of what it has. */
    for (int32_t i = 0; i < partition->replica_count; i++) {
        struct replica *other = partition->replicas[i];
        if (other == replica || other->log.branch == NULL || other->producers != NULL) continue;
        other->producers = producer_states_copy(&partition->producers);
    }
    if (replica->producers != NULL) {
        producer_states_replace(&partition->producers, replica->producers);
        replica->producers = NULL;
    }
    producer_states_truncate(&partition->producers, replica->log.end_offset);
    return common;
}

/* Records that an election had taken back are in the log again with a leader that still had them.
 */
static void tell_revived(const struct replica *replica, int64_t from)
{
    const struct broker *broker = replica->broker;
    if (broker->cluster->topics[replica->partition->topic].internal) return;
    for (const struct log_batch *batch = replica_log_find(&replica->log, from); batch != NULL;
         batch = replica_log_next(&replica->log, batch)) {
        if ((batch->flags & LOG_CONTROL) != 0) continue;
        TRACE(broker->sim, TRACE_BATCH_APPENDED, partition_traced(replica->partition), broker->id,
              batch->leader_epoch, batch->base_offset, batch->count, batch->bytes, batch->first_at,
              batch->last_at, NAME_NONE, false);
    }
}

static void become_leader(struct replica *replica, bool unclean)
{
    struct partition *partition = replica->partition;
    struct broker *broker = replica->broker;
    sim_time now = sim_now(broker->sim);
    /* News of an old election can come late, when a newer leader has begun: then this one only
     * believes that it leads, and what it writes stays in a branch. */
    const struct partition_log *log = &partition->log;
    bool late =
        log->epoch_count > 0 && log->epochs[log->epoch_count - 1].epoch > replica->leader_epoch;
    int64_t common = late ? replica->log.end_offset : take_over_log(replica);
    if (!late) partition_log_begin_epoch(&partition->log, replica->leader_epoch);
    replica->epoch_start = replica->log.end_offset;
    replica->is_leader = true;
    replica->joining = 0;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        bool in_sync = (replica->isr & BROKER_BIT(partition->brokers[i])) != 0;
        replica->followers[i] =
            (struct follower_progress){.end_offset = -1,
                                       .caught_up_at = in_sync ? now : -SECONDS(3600),
                                       .broker = partition->brokers[i]};
    }
    if (late) return;
    TRACE(broker->sim, TRACE_LEADER_ELECTED, partition_traced(partition), broker->id,
          replica->leader_epoch, common, unclean);
    tell_revived(replica, common);
    replica_advance(replica);
}

static void stop_leading(struct replica *replica, enum kafka_error error)
{
    replica->is_leader = false;
    replica->joining = 0;
    produce_fail_waits(replica, error);
}

/* ReplicaManager.stopPartitions. The metadata cache has forgotten the topic already, so that is
 * what those who wait are told (DelayedProduce, DelayedFetch: getPartitionOrError). */
void replica_delete(struct replica *replica)
{
    int32_t leader = replica->leader;
    bool was_leader = replica->is_leader;
    if (was_leader) stop_leading(replica, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    if (leader >= 0 && leader != replica->broker->id) replication_unfollow(replica, leader);
    replication_forget(replica);
    replica->leader = -1;
    replica->altering = false;
    if (was_leader) fetch_on_role_change(replica);
}

void replica_become(struct replica *replica, const struct metadata_entry *entry)
{
    int32_t me = replica->broker->id;
    int32_t old_leader = replica->leader;
    bool was_leader = replica->is_leader;
    bool new_epoch = entry->leader_epoch > replica->leader_epoch;
    replica->isr = entry->isr;
    replica->partition_epoch = entry->partition_epoch;
    replica->altering = false;
    replica->joining = 0;
    replica->leader = entry->leader;
    replica->leader_epoch = entry->leader_epoch;
    if (!new_epoch) {
        replica_advance(replica);
        return;
    }
    if (was_leader) stop_leading(replica, KAFKA_NOT_LEADER_OR_FOLLOWER);
    if (old_leader >= 0 && old_leader != me) replication_unfollow(replica, old_leader);
    if (entry->leader == me) {
        become_leader(replica, entry->unclean);
    } else if (entry->leader >= 0) {
        replication_follow(replica, entry->leader);
    }
    if (was_leader || replica->is_leader) {
        fetch_on_role_change(replica);
        groups_on_role_change(replica);
        transactions_on_role_change(replica);
    }
}
