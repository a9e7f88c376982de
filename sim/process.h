/* sim/process.h: processes and hosts.
 *
 *            freeze                       kill
 *   RUNNING ───────▶ FROZEN     RUNNING, FROZEN ───▶ DEAD ──start──▶ RUNNING (next incarnation)
 *           ◀───────
 *             thaw
 *
 * Running: events are delivered. Frozen (GC pause, VM steal, laptop lid): every thread stops;
 * messages and due timers wait and are delivered at the thaw, messages first, in their original
 * order. Dead: timers and connections vanish, events for it are dropped; a start is a new
 * incarnation with none of the old one's events.
 * An event posted to a process while it is dead belongs to the next incarnation, and is dropped if
 * that has not started by then. A timer of an old incarnation is set or initialised anew.
 * Freezes nest: the process runs again when the last one ends. A freeze of a dead process does
 * nothing, a kill ends all freezes, and a thaw of a process that is not frozen does nothing. */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include "sim/sim.h"

enum process_state { PROCESS_RUNNING, PROCESS_FROZEN, PROCESS_DEAD };

/* Processes start out DEAD with incarnation 0; process_start makes it 1 and RUNNING. */
process_id process_add(struct sim *sim, name_id name, name_id host);
name_id process_name(const struct sim *sim, process_id process);
enum process_state process_state(const struct sim *sim, process_id process);
uint32_t process_incarnation(const struct sim *sim, process_id process);

void process_start(struct sim *sim, process_id process);
/* Also closes its connections as a dying kernel does (see network.h). */
void process_kill(struct sim *sim, process_id process);
void process_freeze(struct sim *sim, process_id process);
void process_thaw(struct sim *sim, process_id process);
/* How long it has been frozen so far, the freeze under way included; it never falls. */
sim_time process_frozen_ns(const struct sim *sim, process_id process);

/* Host death: power loss, a node that is gone. Every process on the host dies and nobody is told:
 * no connection is closed. Starting a process starts its host; host_start boots the host alone,
 * which from then on refuses connections and resets the ones it no longer knows. */
void host_kill(struct sim *sim, name_id host);
void host_start(struct sim *sim, name_id host);
bool host_is_up(const struct sim *sim, name_id host);

/* CPU work stretched by the slow-down factor in thousandths (1,000 = full speed). */
void process_set_slowdown_milli(struct sim *sim, process_id process, uint32_t slowdown_milli);
sim_time process_cpu_ns(const struct sim *sim, process_id process, sim_time work_ns);

/* The host's wall clock: true time plus offset plus drift (parts per million, gathered from the
 * instant it was set). Stamps records. */
void process_set_clock(struct sim *sim, process_id process, sim_time offset_ns, int32_t drift_ppm);
sim_time process_clock(const struct sim *sim, process_id process, sim_time at);

#endif
