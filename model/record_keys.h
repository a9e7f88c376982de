/* model/record_keys.h: which key each record has that a producer writes to a compacted topic.
 *
 * Elsewhere keys are no more than weights over partitions (key_weights.h). For compaction each
 * record needs a key of its own: the records that a producer makes for one partition are numbered
 * from 0 in the order of their arrival, and the key of each is a draw by (producer, partition,
 * number) among the keys of that partition, by their weights. A batch carries the number of its
 * first record (batch_keys.h), and whoever wants the keys of the others draws them again.
 *
 * The weights change when the topic grows and when a fault makes a key hot; a table is kept for
 * each such change, with the numbers from which on it applies, so old records keep their keys. A
 * custom partitioner (partition_weights) says nothing of keys: its records have any key anywhere.
 */
#ifndef MODEL_RECORD_KEYS_H
#define MODEL_RECORD_KEYS_H

#include "model/scenario.h"
#include "sim/sim.h"

/* log.cleaner.dedupe.buffer.size 128 MiB / 24 bytes a key * 0.9: more different keys than this do
 * not go into the map of one cleaning (LogCleaner, SkimpyOffsetMap); a scenario may not have more.
 */
#define RECORD_KEYS_MAX 5000000

struct record_keys;

/* `producer`: its name, which keys the draws. The settings are kept. */
struct record_keys *record_keys_new(struct sim *sim, name_id producer,
                                    const struct scenario_producer *settings);
/* From now on the topic has so many partitions (fewer, if it was created anew), and there is this
 * hot key beside the scenario's. */
void record_keys_change(struct record_keys *keys, int32_t partitions, const struct hot_key *extra);
/* The partition's next records: the number of the first. */
int64_t record_keys_take(struct record_keys *keys, int32_t partition, int64_t count);

/* The identity of a record's key: equal for equal keys, whoever wrote the record. */
uint64_t record_keys_key(const struct record_keys *keys, int32_t partition, int64_t number);
/* Whether the record has no value. */
bool record_keys_is_tombstone(const struct record_keys *keys, int32_t partition, int64_t number);

#endif
