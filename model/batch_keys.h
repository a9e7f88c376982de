/* model/batch_keys.h: the keys of a batch in the log of a compacted topic: what it carries as its
 * payload (log_batches.h), shared by counting among the runs that compaction leaves of it. */
#ifndef MODEL_BATCH_KEYS_H
#define MODEL_BATCH_KEYS_H

#include "model/log_batches.h"
#include "model/record_keys.h"

struct batch_keys {
    uint32_t holders;
    int32_t partition;
    const struct record_keys *keys;
    int64_t shift;           /* the record at an offset has the number offset + shift */
    sim_time delete_horizon; /* its tombstones go from then on; SIM_TIME_NEVER = not yet set */
};

/* Of a batch whose first record has this number. */
struct batch_keys *batch_keys_new(struct memory *memory, const struct record_keys *keys,
                                  int32_t partition, int64_t number, int64_t base_offset);
/* Payloads of a compacted topic. */
struct log_payloads batch_keys_payloads(struct memory *memory);

#endif
