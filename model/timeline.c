#include "model/timeline.h"

#include "model/timeline_internal.h"
#include "model/trace_kinds.h"
#include "sim/check.h"

#include <string.h>

enum timeline_event { TIMELINE_STRIKE, TIMELINE_FAULT_OVER };

/* What the timeline keeps about one entry of the scenario. */
struct entry {
    struct rng_key time_key;
    struct rng_key target_key;
    struct rng_key length_key;
    uint64_t strikes; /* how often it struck */
    uint64_t draws;   /* how often its own time was drawn */
    int32_t matches;  /* TRIGGER_WHEN: how often the state was reached */
};

struct timeline {
    struct world *world;
    entity_id entity;
    struct entry *entries; /* shape [scenario.event_count] */
    struct fault *active;
    struct fault *free;
    uint64_t fault_count;
    sim_time last_chaos_ended_at;
    bool quiet;
};

static const char *const kind_names[TIMELINE_KIND_COUNT] = {
#define X(name, key, help) [TIMELINE_##name] = key,
    TIMELINE_KINDS(X)
#undef X
};

/* What an entry is about, as text: the key of its draws. Its place in the file is not part of it,
 * and neither are the places of what it names. */
static name_id identity_of(struct world *world, const struct scenario_event *event, int32_t nth)
{
    const struct scenario *scenario = world->scenario;
    const struct selector *target = &event->target;
    const char *group = scenario->group_count > 0 ? scenario->groups[target->group].name : "";
    const char *topic = scenario->topic_count > 0 ? scenario->topics[target->topic].name : "";
    const char *producer =
        scenario->producer_count > 0 ? scenario->producers[target->producer].name : "";
    return names_format(sim_names(world->sim),
                        "timeline %s trigger %d at %lld target %d %s-%d broker %d %s-%d %s #%d",
                        kind_names[event->kind], (int)event->trigger, (long long)event->at,
                        (int)target->kind, group, target->member, target->broker, topic,
                        target->partition, producer, nth);
}

static struct fault *take_fault(struct timeline *timeline)
{
    struct fault *fault = timeline->free;
    if (fault == NULL) return memory_keep(timeline->world->memory, sizeof(*fault));
    timeline->free = fault->next;
    memset(fault, 0, sizeof(*fault));
    return fault;
}

static void emit(struct timeline *timeline, const struct fault *fault, enum fault_phase phase)
{
    struct world *world = timeline->world;
    name_id kind = names_intern(sim_names(world->sim), kind_names[fault->event->kind]);
    name_id other = fault->others.count == 0
                        ? NAME_NONE
                        : timeline_target_name(world, &fault->others.targets[0]);
    int32_t records = fault->targets.count == 0 ? 1 : fault->targets.count;
    for (int32_t i = 0; i < records; i++) {
        name_id target = fault->targets.count == 0
                             ? NAME_NONE
                             : timeline_target_name(world, &fault->targets.targets[i]);
        TRACE(world->sim, TRACE_FAULT, phase, kind, target, other, fault->event->position.line,
              fault->for_ns, (int64_t)fault->number);
    }
}

static void give_targets(struct world *world, struct target_list *list)
{
    memory_give(world->memory, list->targets, (size_t)list->count * sizeof(*list->targets));
}

static void end_fault(struct timeline *timeline, struct fault *fault)
{
    struct fault **link = &timeline->active;
    while (*link != fault)
        link = &(*link)->next;
    *link = fault->next;
    if (fault->for_ns > 0) emit(timeline, fault, FAULT_END);
    timeline_end(timeline->world, fault);
    if (fault->event->trigger == TRIGGER_CHAOS)
        timeline->last_chaos_ended_at = sim_now(timeline->world->sim);
    give_targets(timeline->world, &fault->targets);
    give_targets(timeline->world, &fault->others);
    memory_give(timeline->world->memory, fault->network,
                (size_t)fault->network_count * sizeof(*fault->network));
    fault->next = timeline->free;
    timeline->free = fault;
}

static void be_quiet(struct timeline *timeline)
{
    timeline->quiet = true;
    while (timeline->active != NULL)
        end_fault(timeline, timeline->active);
}

static void strike(struct timeline *timeline, int32_t index)
{
    struct world *world = timeline->world;
    const struct scenario_event *event = &world->scenario->timeline[index];
    struct entry *entry = &timeline->entries[index];
    if (timeline->quiet) return;
    struct fault *fault = take_fault(timeline);
    fault->event = event;
    fault->number = entry->strikes++;
    fault->for_ns = distribution_draw(&event->for_ns, &entry->length_key, fault->number);
    fault->targets =
        timeline_resolve(world, &event->target, &entry->target_key, fault->number, event->kind);
    fault->others = timeline_resolve(world, &event->other, &entry->target_key,
                                     rng_index(fault->number, 1), event->kind);
    fault->next = timeline->active;
    timeline->active = fault;
    emit(timeline, fault, FAULT_BEGIN);
    if (event->kind == TIMELINE_QUIET) {
        be_quiet(timeline);
        return;
    }
    timeline_begin(world, fault);
    if (fault->for_ns > 0) {
        fault->id = ++timeline->fault_count;
        sim_post(world->sim, sim_now(world->sim) + fault->for_ns, PHASE_FAULT, timeline->entity,
                 timeline->entity, TIMELINE_FAULT_OVER, fault->id, NULL);
    } else {
        end_fault(timeline, fault);
    }
}

static bool same_block(const struct scenario *scenario, int32_t a, int32_t b)
{
    return b < scenario->event_count && scenario->timeline[a].trigger == TRIGGER_CHAOS &&
           scenario->timeline[b].trigger == TRIGGER_CHAOS &&
           scenario->timeline[a].chaos == scenario->timeline[b].chaos;
}

/* One of a chaos block, by weight. */
static int32_t draw_sibling(struct timeline *timeline, int32_t first, uint64_t number)
{
    const struct scenario *scenario = timeline->world->scenario;
    uint64_t total = 0;
    for (int32_t i = first; same_block(scenario, first, i); i++)
        total += (uint64_t)scenario->timeline[i].weight;
    uint64_t drawn = rng_below(&timeline->entries[first].target_key, rng_index(number, 2), total);
    int32_t i = first;
    while (drawn >= (uint64_t)scenario->timeline[i].weight)
        drawn -= (uint64_t)scenario->timeline[i++].weight;
    return i;
}

static bool too_soon_after_chaos(const struct timeline *timeline,
                                 const struct scenario_event *event)
{
    if (event->stable_for_ns == 0) return false;
    for (const struct fault *fault = timeline->active; fault != NULL; fault = fault->next) {
        if (fault->event->trigger == TRIGGER_CHAOS) return true;
    }
    return sim_now(timeline->world->sim) < timeline->last_chaos_ended_at + event->stable_for_ns;
}

/* Draws the next time of an entry that comes again. */
static void schedule_next(struct timeline *timeline, int32_t index)
{
    struct sim *sim = timeline->world->sim;
    const struct scenario_event *event = &timeline->world->scenario->timeline[index];
    struct entry *entry = &timeline->entries[index];
    if (event->trigger != TRIGGER_EVERY && event->trigger != TRIGGER_CHAOS) return;
    if (event->times > 0 && entry->strikes >= (uint64_t)event->times) return;
    int64_t wait_ns = distribution_draw(&event->every_ns, &entry->time_key, entry->draws++);
    if (wait_ns < 1) wait_ns = 1;
    sim_time at = sim_now(sim) + wait_ns;
    if (at > event->until) return;
    sim_post(sim, at, PHASE_FAULT, timeline->entity, timeline->entity, TIMELINE_STRIKE,
             (uint64_t)index, NULL);
}

static void on_strike(struct timeline *timeline, int32_t index)
{
    const struct scenario_event *event = &timeline->world->scenario->timeline[index];
    if (event->trigger == TRIGGER_CHAOS) {
        struct entry *entry = &timeline->entries[index];
        if (!too_soon_after_chaos(timeline, event))
            strike(timeline, draw_sibling(timeline, index, entry->draws));
    } else {
        strike(timeline, index);
    }
    schedule_next(timeline, index);
}

/* A fault that `quiet` ended is not found any more. */
static void on_fault_over(struct timeline *timeline, uint64_t id)
{
    for (struct fault *fault = timeline->active; fault != NULL; fault = fault->next) {
        if (fault->id != id) continue;
        end_fault(timeline, fault);
        return;
    }
}

static void on_event(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim;
    struct timeline *timeline = self;
    switch ((enum timeline_event)event->kind) {
    case TIMELINE_STRIKE: on_strike(timeline, (int32_t)event->number); return;
    case TIMELINE_FAULT_OVER: on_fault_over(timeline, event->number); return;
    }
}

static int32_t group_of(const struct world *world, name_id name)
{
    for (int32_t g = 0; g < world->scenario->group_count; g++) {
        if (names_find(sim_names(world->sim), world->scenario->groups[g].name) == name) return g;
    }
    return -1;
}

/* Entries that wait for a group's state. */
static void on_record(void *self, const struct trace_record *record)
{
    struct timeline *timeline = self;
    struct world *world = timeline->world;
    int32_t group = group_of(world, (name_id)record->field[0]);
    if (group < 0) return;
    const char *state = trace_kinds[TRACE_GROUP_STATE].fields[2].enum_names[record->field[2]];
    for (int32_t i = 0; i < world->scenario->event_count; i++) {
        const struct scenario_event *event = &world->scenario->timeline[i];
        if (event->trigger != TRIGGER_WHEN || event->when_group != group) continue;
        if (record->at < event->at || strcmp(event->when_state, state) != 0) continue;
        struct entry *entry = &timeline->entries[i];
        int32_t match = entry->matches++;
        if (match < event->skip) continue;
        if (event->times > 0 && match >= event->skip + event->times) continue;
        /* The record is told in the middle of the coordinator's work: act right after it. That
         * work may have been a deadline's, so no earlier phase will do. */
        sim_post(world->sim, record->at, PHASE_TIMER, timeline->entity, timeline->entity,
                 TIMELINE_STRIKE, (uint64_t)i, NULL);
    }
}

static void init_entry(struct timeline *timeline, int32_t index)
{
    struct world *world = timeline->world;
    const struct scenario *scenario = world->scenario;
    const struct scenario_event *event = &scenario->timeline[index];
    struct entry *entry = &timeline->entries[index];
    /* Entries that say the same are told apart by their order among themselves. */
    int32_t nth = 0;
    name_id identity = identity_of(world, event, 0);
    for (int32_t i = 0; i < index; i++)
        nth += identity_of(world, &scenario->timeline[i], 0) == identity;
    if (nth > 0) identity = identity_of(world, event, nth);
    entry->time_key = sim_rng_key(world->sim, identity, RNG_FAULT_TIME);
    entry->target_key = sim_rng_key(world->sim, identity, RNG_FAULT_TARGET);
    entry->length_key = sim_rng_key(world->sim, identity, RNG_FAULT_LENGTH);
    bool follows_sibling = index > 0 && same_block(scenario, index - 1, index);
    if (event->trigger == TRIGGER_WHEN || follows_sibling) return;
    sim_time at = event->at;
    if (event->trigger == TRIGGER_CHAOS)
        at += distribution_draw(&event->every_ns, &entry->time_key, entry->draws++);
    if (at > event->until && event->trigger != TRIGGER_AT) return;
    sim_post(world->sim, at, PHASE_FAULT, timeline->entity, timeline->entity, TIMELINE_STRIKE,
             (uint64_t)index, NULL);
}

struct timeline *timeline_new(struct world *world)
{
    static const bool interest[TRACE_KIND_COUNT] = {[TRACE_GROUP_STATE] = true};
    struct timeline *timeline = memory_keep(world->memory, sizeof(*timeline));
    timeline->world = world;
    name_id name = names_intern(sim_names(world->sim), "timeline");
    timeline->entity = sim_add_entity(world->sim, name, PROCESS_NONE, on_event, timeline);
    size_t count = (size_t)world->scenario->event_count;
    timeline->entries = memory_keep(world->memory, (count + 1) * sizeof(*timeline->entries));
    for (int32_t i = 0; i < world->scenario->event_count; i++)
        init_entry(timeline, i);
    trace_observe(sim_trace(world->sim), on_record, timeline, interest);
    return timeline;
}
