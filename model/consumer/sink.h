/* model/consumer/sink.h: where a group's application writes to, and what it trips over.
 *
 * One per group, outside the members' processes: it outlives them. It has outages; it keeps the
 * offsets that are written in its own transactions (commit mode external); and, because a record
 * that cannot be processed fails for whoever gets it, the group's poison records are kept here. */
#ifndef MODEL_CONSUMER_SINK_H
#define MODEL_CONSUMER_SINK_H

#include "model/trace_kinds.h"
#include "sim/memory.h"

#include <stdbool.h>
#include <stdint.h>

struct sink;

struct sink *sink_new(struct memory *memory);

/* Outages nest. While one lasts, calls get no answer; those that wait are done when it ends. */
void sink_begin_outage(struct sink *sink);
void sink_end_outage(struct sink *sink);
bool sink_is_down(const struct sink *sink);
/* Called for each listener, in the order added, when the last outage ends. */
void sink_on_recovery(struct sink *sink, void (*recovered)(void *context), void *context);

/* `count` records from `offset` fail when they are processed. */
void sink_add_poison(struct sink *sink, partition_id partition, int64_t offset, int32_t count);
/* The first poison record in [begin, end), or -1. */
int64_t sink_find_poison(const struct sink *sink, partition_id partition, int64_t begin,
                         int64_t end);

/* Offsets stored in the sink's transactions: the next one to process; -1 = none. */
void sink_store_offset(struct sink *sink, partition_id partition, int64_t offset);
int64_t sink_stored_offset(const struct sink *sink, partition_id partition);

#endif
