#include "model/broker_internal.h"

#include "model/log_cleaner.h"

/* The log cleaner's thread: every log.cleaner.backoff.ms it cleans the logs that are dirty enough,
 * and applies retention to those of `compact,delete` (LogCleaner.cleanFilthiestLog).
 *
 * In Kafka each broker cleans its own copy, the followers' too, at moments of their own. Here the
 * replicas share one list (partition_log.h), and the leader's broker cleans it for all: consumers
 * read from leaders only, so what differs is that a new leader has its log as clean as the old one
 * left it. What is cleaned lies below the last stable offset, which whoever can be elected has;
 * an unclean election could bring back a log that ends before, and where one may happen cleaning
 * waits for the replica that has least (Kafka's does not: there its records are still in its copy).
 * Cleaning takes no time here; Kafka's reads and writes the whole log. */

static bool may_be_unclean(const struct cluster *cluster, const struct topic *topic)
{
    if (topic->unclean_leader_election) return true;
    for (int32_t i = 0; i < cluster->scenario->event_count; i++) {
        const struct scenario_event *event = &cluster->scenario->timeline[i];
        if (event->kind == TIMELINE_ELECT && event->unclean) return true;
    }
    return false;
}

static int64_t shared_end(const struct replica_log *log)
{
    return log->branch != NULL ? log->branch->from_offset : log->end_offset;
}

static int64_t clean_limit(const struct replica *replica, const struct topic *topic)
{
    const struct partition *partition = replica->partition;
    int64_t limit = replica_last_stable(replica);
    if (!may_be_unclean(replica->broker->cluster, topic)) return limit;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        int64_t end = shared_end(&partition->replicas[i]->log);
        if (end < limit) limit = end;
    }
    return limit;
}

static void tell_removed(void *self, int64_t offset, int64_t count)
{
    const struct replica *replica = self;
    TRACE(replica->broker->sim, TRACE_COMPACTED, partition_traced(replica->partition), offset,
          count, replica->broker->id);
}

/* Places in the part that was cleaned have moved: a follower's that is far behind, and readers'. */
static void forget_positions(struct replica *replica, int64_t end_offset)
{
    const struct partition *partition = replica->partition;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        struct replica *other = partition->replicas[i];
        int64_t end = shared_end(&other->log);
        if (other->log.branch == NULL && end < end_offset)
            other->log.end_position = replica_log_position(&replica->log, end);
        other->first_dirty_offset = end < end_offset ? end : end_offset;
    }
    fetch_forget_positions(replica);
}

static void clean(struct replica *replica, const struct topic *topic)
{
    struct partition_log *log = &replica->partition->log;
    struct broker *broker = replica->broker;
    sim_time now = sim_now(broker->sim);
    struct log_cleaning cleaning = {
        .settings = &topic->compaction,
        .dirt = log_cleaner_look(log, &topic->compaction, replica->first_dirty_offset,
                                 clean_limit(replica, topic), now),
        .producers = &replica->partition->producers,
        .removed = tell_removed,
        .self = replica,
    };
    if (!log_cleaner_is_due(&cleaning.dirt, &topic->compaction)) return;
    log_clean(log, &cleaning, now);
    forget_positions(replica, cleaning.dirt.end);
    TRACE(broker->sim, TRACE_CLEANED, partition_traced(replica->partition),
          cleaning.dirt.first_dirty, cleaning.dirt.end, cleaning.records, cleaning.records_removed,
          cleaning.bytes_removed, broker->id);
}

void cleaner_run(struct broker *broker)
{
    const struct cluster *cluster = broker->cluster;
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        const struct topic *topic = &cluster->topics[replica->partition->topic];
        if (!topic->compact || topic->internal || !replica->is_leader) continue;
        if (replica->partition->log.owner != &replica->log) continue;
        clean(replica, topic);
        if (topic->compact_and_delete) broker_retain(replica, topic);
    }
    cleaner_start(broker);
}

void cleaner_start(struct broker *broker)
{
    const struct broker_config *config = broker->cluster->config;
    const struct scenario *scenario = broker->cluster->scenario;
    bool has_work = false;
    for (int32_t t = 0; t < scenario->topic_count; t++)
        has_work |= scenario->topics[t].compact;
    if (!has_work || !config->log_cleaner_enable) return;
    sim_timer_set(broker->sim, &broker->cleaner,
                  sim_now(broker->sim) + MILLISECONDS(config->log_cleaner_backoff_ms));
}
