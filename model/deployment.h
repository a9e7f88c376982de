/* model/deployment.h: the processes of a group, as an orchestrator runs them.
 *
 *   DOWN ──start──▶ STARTING ──startup──▶ UP ──SIGTERM──▶ TERMINATING ──closed, or grace over──▶
 * DOWN │                   │ └───────crash───────┴──▶ DOWN ──restart back-off──▶ STARTING
 *
 * Members are named GROUP-1 … GROUP-n and keep their name over restarts (StatefulSet), which is
 * also their client.id and, for static members, their group.instance.id. */
#ifndef MODEL_DEPLOYMENT_H
#define MODEL_DEPLOYMENT_H

#include "model/scenario.h"
#include "sim/process.h"

struct deployment;
struct consumer;
struct sink;
struct world;

/* Makes the members and schedules their first start. `group` is an index in the scenario. */
struct deployment *deployment_new(struct world *world, int32_t group);

/* Members are counted from 1 to deployment_size, whether they run or not. */
int32_t deployment_size(const struct deployment *deployment);
name_id deployment_member_name(const struct deployment *deployment, int32_t member);
process_id deployment_process(const struct deployment *deployment, int32_t member);
struct consumer *deployment_consumer(const struct deployment *deployment, int32_t member);
/* The group's own, shared by its members. */
struct sink *deployment_sink(const struct deployment *deployment);
/* The process runs (it may be starting, terminating or frozen). */
bool deployment_is_alive(const struct deployment *deployment, int32_t member);

/* Operations; each does nothing where it makes no sense (starting what runs). */
void deployment_start(struct deployment *deployment, int32_t member);
/* SIGTERM; the member stays down. */
void deployment_stop(struct deployment *deployment, int32_t member);
/* SIGTERM, then a start as soon as it is down. */
void deployment_restart(struct deployment *deployment, int32_t member);
/* SIGKILL. The orchestrator starts it again after the crash-loop back-off if the scenario says so;
 * with `host` the whole machine is gone and comes back when the member is started again. */
void deployment_crash(struct deployment *deployment, int32_t member, bool host);
/* A member that is down stays down, whatever the orchestrator planned, until it is started. */
void deployment_hold_down(struct deployment *deployment, int32_t member);
/* One member after another, the highest number first, as a StatefulSet does. A second call while
 * one is under way starts over after it. */
void deployment_rolling_restart(struct deployment *deployment);
/* New number of members that should run: the highest ones go first. */
void deployment_scale(struct deployment *deployment, int32_t members);

#endif
