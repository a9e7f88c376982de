/* model/timeline.h: the scenario's faults and operations, carried out.
 *
 * An entity of no process that acts in PHASE_FAULT (entries triggered by a group's state act right
 * after the record that told of it). Each time an entry strikes it becomes a *fault*: its targets
 * are chosen, a FAULT record is emitted with the line of the scenario, the effect begins, and ends
 * after the drawn length. Draws are keyed by what the entry says, not by where it stands: taking
 * one entry out of a scenario changes no other. `quiet` ends every fault in effect and lets no
 * other begin. */
#ifndef MODEL_TIMELINE_H
#define MODEL_TIMELINE_H

struct timeline;
struct world;

/* Schedules everything; the rest of the world stands already. */
struct timeline *timeline_new(struct world *world);

#endif
