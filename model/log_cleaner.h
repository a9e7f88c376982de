/* model/log_cleaner.h: compaction of the log of an ordinary topic (LogCleaner, Cleaner and
 * LogCleanerManager of Kafka's core).
 *
 *     0 ─────── clean ─────── first dirty ══════ dirty ══════ end ── not yet ── active segment ──
 *
 * The keys of the dirty part are mapped to their latest offsets; then every batch below the end is
 * gone through, and what has a later record of its key in the map goes, and so do tombstones whose
 * time has come. Offsets never change. A batch becomes the runs of records that are left of it
 * (which share its keys), and LOG_EMPTY for the offsets behind the last of them: a reader's
 * position moves on to the end of a batch whether or not there are records left in it. A batch
 * without records goes as a whole, but for two: the last one of the round, and the last one of a
 * producer that the partition remembers, whose sequence number must stay.
 *
 * The keys of records are drawn (record_keys.h), so nothing is kept of a record but its offset.
 * Compacted topics have no transactional records here (tools/scenario_check.c). */
#ifndef MODEL_LOG_CLEANER_H
#define MODEL_LOG_CLEANER_H

#include "model/partition_log.h"
#include "model/producer_state.h"

/* Settings of a topic. */
struct log_compaction {
    int32_t min_dirty_milli; /* min.cleanable.dirty.ratio */
    sim_time min_lag_ns;
    int64_t max_lag_ms; /* INT64_MAX = no limit */
    sim_time delete_retention_ns;
    int64_t segment_bytes; /* cleaned segments are put together up to this */
};

/* What can be cleaned: offsets [first_dirty, end). */
struct log_dirt {
    int64_t first_dirty;
    int64_t end;
    int64_t clean_bytes;
    int64_t dirty_bytes;
    bool is_overdue; /* max.compaction.lag.ms */
};
/* `limit`: nothing is cleaned from there on (the last stable offset). */
struct log_dirt log_cleaner_look(const struct partition_log *log,
                                 const struct log_compaction *settings, int64_t first_dirty,
                                 int64_t limit, sim_time now);
/* Whether it is time to. */
bool log_cleaner_is_due(const struct log_dirt *dirt, const struct log_compaction *settings);

struct log_cleaning {
    const struct log_compaction *settings;
    struct log_dirt dirt;
    const struct producer_states *producers; /* of the log */
    /* Told of the records removed, in ascending runs. */
    void (*removed)(void *self, int64_t offset, int64_t count);
    void *self;
    /* filled: records there were below the end, and what went */
    int64_t records;
    int64_t records_removed;
    int64_t bytes_removed;
};
/* Positions (partition_log.h) at and above the end stay; those below move up, so that differences
 * are still bytes of the log. */
void log_clean(struct partition_log *log, struct log_cleaning *cleaning, sim_time now);

#endif
