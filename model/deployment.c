#include "model/deployment.h"

#include "model/consumer/consumer.h"
#include "model/world_internal.h"
#include "sim/check.h"

/* Readiness probes come once a second (Kubernetes' periodSeconds is 10 by default; the usual advice
 * for consumers is 1 to 5). */
#define PROBE_NS         SECONDS(1)
/* A container that ran for ten minutes starts its crash-loop back-off afresh (kubelet). */
#define BACKOFF_RESET_NS MINUTES(10)

enum pod_state { POD_DOWN, POD_RUNNING, POD_TERMINATING };

/* What comes next for a pod that is down. */
enum pod_plan { PLAN_STAY_DOWN, PLAN_START_AT_ONCE, PLAN_START_AFTER_BACKOFF };

struct pod {
    struct deployment *deployment;
    struct consumer *consumer;
    process_id process;
    name_id name;
    int32_t number;
    enum pod_state state;
    enum pod_plan plan;
    bool rolling;     /* part of the rolling restart under way */
    uint32_t crashes; /* in a row */
    uint64_t starts;
    sim_time started_at;
    struct rng_key startup_key;
    struct rng_key phase_key; /* 0: the first start; n: termination of the n-th life */
    struct sim_timer start;
    struct sim_timer close;
    struct sim_timer grace;
    struct sim_timer probe;
};

struct deployment {
    struct world *world;
    const struct scenario_group *group;
    struct sink *sink;
    entity_id entity;
    struct pod **pods; /* shape [size]; a pod never moves */
    int32_t size;
    int32_t roll_next; /* number of the next pod to restart, 0 = none */
    int32_t roll_step;
    int32_t roll_open; /* restarts under way */
    int32_t rolls_waiting;
};

enum deployment_event { POD_START, POD_CLOSE, POD_GRACE_OVER, POD_PROBE, ROLL_NEXT };

static struct sim *sim_of(const struct deployment *deployment)
{
    return deployment->world->sim;
}

static sim_time now_of(const struct deployment *deployment)
{
    return sim_now(sim_of(deployment));
}

static void start_pod(struct pod *pod)
{
    struct deployment *deployment = pod->deployment;
    if (pod->state != POD_DOWN) return;
    sim_timer_cancel(sim_of(deployment), &pod->start);
    pod->state = POD_RUNNING;
    pod->started_at = now_of(deployment);
    process_start(sim_of(deployment), pod->process);
    world_emit_process(sim_of(deployment), pod->process);
    sim_time startup_ns = distribution_draw(&deployment->group->deployment.startup_ns,
                                            &pod->startup_key, pod->starts++);
    consumer_start(pod->consumer, startup_ns);
    if (pod->rolling)
        sim_timer_set(sim_of(deployment), &pod->probe, now_of(deployment) + startup_ns);
}

/* SIGTERM: the process goes on until it gets round to closing. */
static void terminate_pod(struct pod *pod, enum pod_plan plan)
{
    struct deployment *deployment = pod->deployment;
    pod->plan = plan;
    if (pod->state == POD_DOWN) {
        sim_timer_cancel(sim_of(deployment), &pod->start);
        if (plan == PLAN_START_AT_ONCE) start_pod(pod);
        return;
    }
    if (pod->state == POD_TERMINATING) return;
    pod->state = POD_TERMINATING;
    const struct scenario_deployment *settings = &deployment->group->deployment;
    sim_time termination_ns =
        distribution_draw(&settings->termination_ns, &pod->phase_key, pod->starts);
    sim_timer_set(sim_of(deployment), &pod->close, now_of(deployment) + termination_ns);
    if (settings->grace_ns > 0)
        sim_timer_set(sim_of(deployment), &pod->grace, now_of(deployment) + settings->grace_ns);
}

/* CrashLoopBackOff: at once the first time, then 10 s, 20 s, 40 s … up to the maximum. */
static sim_time crash_backoff_ns(struct pod *pod)
{
    const struct scenario_deployment *settings = &pod->deployment->group->deployment;
    if (now_of(pod->deployment) - pod->started_at >= BACKOFF_RESET_NS) pod->crashes = 0;
    uint32_t crashes = pod->crashes++;
    if (crashes == 0) return 0;
    sim_time backoff_ns = settings->restart_backoff_ns;
    for (uint32_t i = 1; i < crashes && backoff_ns < settings->restart_backoff_max_ns; i++)
        backoff_ns *= 2;
    return backoff_ns < settings->restart_backoff_max_ns ? backoff_ns
                                                         : settings->restart_backoff_max_ns;
}

static void on_exit(void *context, struct consumer *consumer, enum consumer_exit exit)
{
    (void)consumer;
    struct pod *pod = context;
    struct deployment *deployment = pod->deployment;
    struct sim *sim = sim_of(deployment);
    bool asked = pod->state == POD_TERMINATING;
    pod->state = POD_DOWN;
    sim_timer_cancel(sim, &pod->close);
    sim_timer_cancel(sim, &pod->grace);
    sim_timer_cancel(sim, &pod->probe);
    world_emit_process(sim, pod->process);
    if (!asked && exit != CONSUMER_EXIT_CLOSED) {
        pod->plan = deployment->group->deployment.restart_after_crash ? PLAN_START_AFTER_BACKOFF
                                                                      : PLAN_STAY_DOWN;
    }
    if (pod->plan == PLAN_STAY_DOWN) return;
    sim_time wait_ns = pod->plan == PLAN_START_AFTER_BACKOFF ? crash_backoff_ns(pod) : 0;
    /* A timer even for no wait: the consumer is still in the middle of its exit. */
    sim_timer_set(sim, &pod->start, now_of(deployment) + wait_ns);
}

/* Restarts the next pods in line, as many at a time as the budget allows. */
static void roll_on(struct deployment *deployment)
{
    int32_t budget = deployment->group->deployment.max_unavailable;
    if (budget < 1) budget = 1;
    while (deployment->roll_next > 0 && deployment->roll_open < budget) {
        struct pod *pod = deployment->pods[deployment->roll_next - 1];
        deployment->roll_next += deployment->roll_step;
        if (deployment->roll_next > deployment->size) deployment->roll_next = 0;
        if (pod->state == POD_DOWN && pod->plan == PLAN_STAY_DOWN) continue;
        deployment->roll_open++;
        pod->rolling = true;
        terminate_pod(pod, PLAN_START_AT_ONCE);
    }
    if (deployment->roll_next == 0 && deployment->roll_open == 0 && deployment->rolls_waiting > 0) {
        deployment->rolls_waiting--;
        deployment_rolling_restart(deployment);
    }
}

static void on_probe(struct pod *pod)
{
    struct deployment *deployment = pod->deployment;
    struct sim *sim = sim_of(deployment);
    if (!consumer_is_ready(pod->consumer)) {
        sim_timer_set(sim, &pod->probe, sim_now(sim) + PROBE_NS);
        return;
    }
    pod->rolling = false;
    sim_post(sim, sim_now(sim) + deployment->group->deployment.ready_wait_ns, PHASE_TIMER,
             deployment->entity, deployment->entity, ROLL_NEXT, 0, NULL);
}

static void on_event(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim;
    struct deployment *deployment = self;
    struct pod *pod = event->number == 0 ? NULL : deployment->pods[event->number - 1];
    switch ((enum deployment_event)event->kind) {
    case POD_START: start_pod(pod); return;
    case POD_CLOSE: consumer_close(pod->consumer); return;
    case POD_GRACE_OVER: consumer_kill(pod->consumer, false); return;
    case POD_PROBE: on_probe(pod); return;
    case ROLL_NEXT:
        deployment->roll_open--;
        roll_on(deployment);
        return;
    }
}

/* The group as this member is configured. */
static const struct scenario_group *settings_of(const struct deployment *deployment, int32_t member)
{
    const struct scenario_group *group = deployment->group;
    for (int32_t i = 0; i < group->override_count; i++) {
        const struct scenario_override *override = &group->overrides[i];
        if (override->member != member) continue;
        struct scenario_group *own = memory_keep(deployment->world->memory, sizeof(*own));
        *own = *group;
        own->config = override->config;
        own->process = override->process;
        return own;
    }
    return group;
}

static struct pod *add_pod(struct deployment *deployment)
{
    struct world *world = deployment->world;
    struct sim *sim = world->sim;
    struct pod *pod = memory_keep(world->memory, sizeof(*pod));
    size_t size = (size_t)deployment->size;
    deployment->pods = memory_resize(world->memory, deployment->pods, size * sizeof(struct pod *),
                                     (size + 1) * sizeof(struct pod *));
    deployment->pods[deployment->size++] = pod;
    pod->deployment = deployment;
    pod->number = deployment->size;
    pod->name = names_format(sim_names(sim), "%s-%d", deployment->group->name, pod->number);
    /* Each member has a host of its own. */
    pod->process = process_add(sim, pod->name, pod->name);
    pod->startup_key = sim_rng_key(sim, pod->name, RNG_STARTUP);
    pod->phase_key = sim_rng_key(sim, pod->name, RNG_PHASE);
    uint64_t number = (uint64_t)pod->number;
    sim_timer_init(&pod->start, deployment->entity, POD_START, number);
    sim_timer_init(&pod->close, deployment->entity, POD_CLOSE, number);
    sim_timer_init(&pod->grace, deployment->entity, POD_GRACE_OVER, number);
    sim_timer_init(&pod->probe, deployment->entity, POD_PROBE, number);
    pod->consumer = consumer_new(&(struct consumer_options){
        .sim = sim,
        .network = world->network,
        .cluster = world->cluster,
        .process = pod->process,
        .group = settings_of(deployment, pod->number),
        .member = pod->name,
        .number = pod->number,
        .sink = deployment->sink,
        .on_exit = on_exit,
        .context = pod,
    });
    return pod;
}

struct deployment *deployment_new(struct world *world, int32_t group)
{
    struct deployment *deployment = memory_keep(world->memory, sizeof(*deployment));
    deployment->world = world;
    deployment->group = &world->scenario->groups[group];
    deployment->sink = sink_new(world->memory);
    name_id name = names_format(sim_names(world->sim), "deployment of %s", deployment->group->name);
    deployment->entity = sim_add_entity(world->sim, name, PROCESS_NONE, on_event, deployment);
    for (int32_t i = 0; i < deployment->group->members; i++) {
        struct pod *pod = add_pod(deployment);
        sim_time at = distribution_draw(&deployment->group->start_spread_ns, &pod->phase_key, 0);
        pod->plan = PLAN_START_AT_ONCE;
        sim_timer_set(world->sim, &pod->start, at);
    }
    return deployment;
}

int32_t deployment_size(const struct deployment *deployment)
{
    return deployment->size;
}

static struct pod *pod_of(const struct deployment *deployment, int32_t member)
{
    CHECK(member >= 1 && member <= deployment->size);
    return deployment->pods[member - 1];
}

name_id deployment_member_name(const struct deployment *deployment, int32_t member)
{
    return pod_of(deployment, member)->name;
}

process_id deployment_process(const struct deployment *deployment, int32_t member)
{
    return pod_of(deployment, member)->process;
}

struct consumer *deployment_consumer(const struct deployment *deployment, int32_t member)
{
    return pod_of(deployment, member)->consumer;
}

struct sink *deployment_sink(const struct deployment *deployment)
{
    return deployment->sink;
}

bool deployment_is_alive(const struct deployment *deployment, int32_t member)
{
    return pod_of(deployment, member)->state != POD_DOWN;
}

void deployment_start(struct deployment *deployment, int32_t member)
{
    struct pod *pod = pod_of(deployment, member);
    pod->plan = PLAN_START_AT_ONCE;
    start_pod(pod);
}

void deployment_stop(struct deployment *deployment, int32_t member)
{
    terminate_pod(pod_of(deployment, member), PLAN_STAY_DOWN);
}

void deployment_restart(struct deployment *deployment, int32_t member)
{
    terminate_pod(pod_of(deployment, member), PLAN_START_AT_ONCE);
}

void deployment_crash(struct deployment *deployment, int32_t member, bool host)
{
    struct pod *pod = pod_of(deployment, member);
    if (pod->state != POD_DOWN) consumer_kill(pod->consumer, host);
}

void deployment_hold_down(struct deployment *deployment, int32_t member)
{
    struct pod *pod = pod_of(deployment, member);
    CHECK(pod->state == POD_DOWN);
    pod->plan = PLAN_STAY_DOWN;
    sim_timer_cancel(sim_of(deployment), &pod->start);
}

void deployment_rolling_restart(struct deployment *deployment)
{
    if (deployment->roll_next > 0 || deployment->roll_open > 0) {
        deployment->rolls_waiting++;
        return;
    }
    bool descending = deployment->group->deployment.kind == DEPLOYMENT_STATEFUL_SET;
    deployment->roll_step = descending ? -1 : 1;
    deployment->roll_next = descending ? deployment->size : 1;
    roll_on(deployment);
}

void deployment_scale(struct deployment *deployment, int32_t members)
{
    while (deployment->size < members)
        add_pod(deployment);
    for (int32_t member = deployment->size; member > members; member--)
        deployment_stop(deployment, member);
    for (int32_t member = 1; member <= members; member++) {
        struct pod *pod = pod_of(deployment, member);
        /* One that is on its way down comes back as soon as it is down. */
        if (pod->plan == PLAN_STAY_DOWN) pod->plan = PLAN_START_AT_ONCE;
        if (pod->state == POD_DOWN && !sim_timer_is_set(&pod->start)) start_pod(pod);
    }
}
