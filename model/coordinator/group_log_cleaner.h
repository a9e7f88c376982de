/* model/coordinator/group_log_cleaner.h: compaction of a partition of __consumer_offsets.
 *
 * A record goes when a later one has its key, a batch when it has no record left, and a marker when
 * nothing is left of its transaction. Records of a transaction that was aborted go with it; those
 * of one whose marker is not there yet stay, and supersede nothing: LogCleaner stops before the
 * first of them, which comes to the same for who reads the log. A tombstone stays for
 * delete.retention.ms after the first cleaning that finds it, and goes with the next one after that
 * (KIP-534). */
#ifndef MODEL_COORDINATOR_GROUP_LOG_CLEANER_H
#define MODEL_COORDINATOR_GROUP_LOG_CLEANER_H

#include "model/coordinator/group_log.h"

struct group_log_cleaning {
    sim_time now;
    sim_time delete_retention_ns;
};

/* `batches`, shape [count], is the log from its start, in order. Superseded records are erased, for
 * every holder of their batch; `keep`, shape [count], tells which batches stay. */
void group_log_clean(struct memory *memory, const struct group_log_cleaning *cleaning,
                     struct group_log_batch *const *batches, uint32_t count, bool *keep);

#endif
