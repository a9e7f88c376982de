/* sim/event_wheel.h: a hierarchical timing wheel in front of a small exact heap. Private to the
 * engine.
 *
 * Ticks are 1,024 ns. Seven levels of 256 slots cover all of sim_time; a slot of level n is 256^n
 * ticks wide. Slots are unordered lists, so putting an event there, taking it out and moving it to
 * a later instant cost O(1). Only what is about to happen is sorted: when the heap runs dry, the
 * next slot is emptied into it, or, if it is wide and full, spread over the level below.
 *
 *   invariant: every event whose tick is <= `tick` is in the heap, every other in the slot of the
 *   highest digit (base 256) in which its tick differs from `tick`, or, after it was moved to a
 * later instant, in the slot of an earlier one. So the lowest level in use holds the next events,
 * and its lowest slot the very next ones. */
#ifndef SIM_EVENT_WHEEL_H
#define SIM_EVENT_WHEEL_H

#include "sim/event_queue.h"

struct event_wheel *event_wheel_new(struct memory *memory);
void event_wheel_insert(struct event_wheel *wheel, struct event *events, uint32_t index);
/* A record in a slot is taken out and true returned. One in the heap is marked to be skipped. */
bool event_wheel_remove(struct event_wheel *wheel, struct event_queue *queue, uint32_t index);
uint32_t event_wheel_pop(struct event_wheel *wheel, struct event_queue *queue, sim_time until);

#endif
