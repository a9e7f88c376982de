/* sim/event_heap.h: the reference queue, a 4-ary heap of record indexes with true removal.
 *
 * As simple as an exact queue can be: tests run every workload on it and on the wheel and compare
 * the fingerprints. Private to the engine. */
#ifndef SIM_EVENT_HEAP_H
#define SIM_EVENT_HEAP_H

#include "sim/event_queue.h"

struct event_heap *event_heap_new(struct memory *memory);
void event_heap_push(struct event_heap *heap, struct event *events, uint32_t index);
void event_heap_remove(struct event_heap *heap, struct event *events, uint32_t index);
/* 0 when there is none with at <= until. */
uint32_t event_heap_pop(struct event_heap *heap, struct event *events, sim_time until);

#endif
