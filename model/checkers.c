#include "model/checkers_internal.h"

#include "model/group_watch.h"
#include "model/world.h"
#include "sim/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names_of_checkers[CHECKER_COUNT] = {
#define X(id) #id,
    CHECKER_LIST(X)
#undef X
};

const char *checker_name(enum checker checker)
{
    return names_of_checkers[checker];
}

void checkers_violate(struct checkers *checkers, enum checker checker,
                      const struct trace_record *record, name_id group, const char *format, ...)
{
    if (checkers->violation_count++ >= VIOLATIONS_KEPT) return;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    checkers->violations[checkers->violation_count - 1] = (struct violation){
        .checker = checker,
        .at = sim_now(checkers->sim),
        .record = record == NULL ? 0 : record->number,
        .group = group,
        .text = names_intern(sim_names(checkers->sim), text),
    };
}

const char *checkers_text(const struct checkers *checkers, int64_t name)
{
    return names_text(sim_names(checkers->sim), (name_id)name);
}

const char *checkers_topic(const struct checkers *checkers, int64_t partition)
{
    int32_t topic = PARTITION_TOPIC((partition_id)partition);
    return topic < checkers->scenario->topic_count ? checkers->scenario->topics[topic].name
                                                   : "(internal)";
}

struct watched_claim *checkers_claim_of(struct checkers *checkers, int32_t group, int64_t partition)
{
    struct watched_group *watched = &checkers->groups[group];
    int32_t t = PARTITION_TOPIC((partition_id)partition);
    int32_t p = PARTITION_NUMBER((partition_id)partition);
    if (p >= watched->claim_counts[t]) {
        size_t size = sizeof(struct watched_claim);
        int32_t count = checkers->ledger->topics[t].partition_count;
        if (count <= p) count = p + 1;
        watched->claims[t] =
            memory_resize(checkers->memory, watched->claims[t],
                          (size_t)watched->claim_counts[t] * size, (size_t)count * size);
        watched->claim_counts[t] = count;
    }
    return &watched->claims[t][p];
}

static void observe(void *self, const struct trace_record *record)
{
    struct checkers *checkers = self;
    switch (record->kind) {
    case TRACE_BATCH_APPENDED:
    case TRACE_LEADER_ELECTED: checkers_on_log(checkers, record); return;
    case TRACE_UNREADABLE: checkers_on_unreadable(checkers, record); return;
    case TRACE_FAULT: checkers_note_quiet(checkers, record); return;
    case TRACE_GROUP_REQUEST:
    case TRACE_GROUP_RESPONSE: checkers_on_group_message(checkers, record); return;
    }
    uint32_t index = name_table_get(&checkers->ledger->group_by_name, record->field[0]);
    if (index == 0) return;
    int32_t group = (int32_t)index - 1;
    switch (record->kind) {
    case TRACE_ASSIGNED: checkers_on_assigned(checkers, group, record); break;
    case TRACE_GROUP_STATE: checkers_on_group_state(checkers, group, record); break;
    case TRACE_OWNED:
    case TRACE_DISOWNED: checkers_on_ownership(checkers, group, record); break;
    case TRACE_POSITION: checkers_on_position(checkers, group, record); break;
    case TRACE_DELIVERED: checkers_on_delivered(checkers, group, record); break;
    case TRACE_PROCESSED: checkers_on_processed(checkers, group, record); break;
    case TRACE_GIVEN_UP: checkers_on_given_up(checkers, group, record); break;
    case TRACE_SINK: checkers_on_sink(checkers, group, record); break;
    case TRACE_COMMITTED: checkers_on_committed(checkers, group, record); break;
    case TRACE_OFFSET_REMOVED: checkers_on_offset_removed(checkers, group, record); break;
    case TRACE_CLIENT: checkers_on_client(checkers, group, record); break;
    }
}

/* A kind that tells of every batch is looked at only where a group needs it. */
static void init_group(struct checkers *checkers, int32_t g, bool *interest)
{
    const struct scenario_group *group = &checkers->scenario->groups[g];
    struct watched_group *watched = &checkers->groups[g];
    size_t topics = (size_t)checkers->scenario->topic_count + 1;
    watched->claims = memory_keep(checkers->memory, topics * sizeof(struct watched_claim *));
    watched->claim_counts = memory_keep(checkers->memory, topics * sizeof(int32_t));
    watched->at_rest = true;
    watched->has_pools = group->process.workers > 0;
    for (int32_t i = 0; i < group->override_count; i++)
        watched->has_pools |= group->overrides[i].process.workers > 0;
    if (group->commit.mode == COMMIT_TRANSACTIONAL) watched->has_pools = false; /* one at a time */
    if (group->commit.mode == COMMIT_EXTERNAL) interest[TRACE_SINK] = true;
}

struct checkers *checkers_new(struct sim *sim, const struct scenario *scenario)
{
    static const uint16_t followed[] = {
        TRACE_BATCH_APPENDED, TRACE_LEADER_ELECTED, TRACE_UNREADABLE, TRACE_FAULT,
        TRACE_GROUP_REQUEST,  TRACE_GROUP_RESPONSE, TRACE_ASSIGNED,   TRACE_GROUP_STATE,
        TRACE_OWNED,          TRACE_DISOWNED,       TRACE_POSITION,   TRACE_PROCESSED,
        TRACE_COMMITTED,      TRACE_OFFSET_REMOVED, TRACE_GIVEN_UP,   TRACE_DELIVERED,
        TRACE_CLIENT,
    };
    struct memory *memory = sim_memory(sim);
    struct checkers *checkers = memory_keep(memory, sizeof(*checkers));
    checkers->sim = sim;
    checkers->memory = memory;
    checkers->scenario = scenario;
    checkers->quiet_at = SIM_TIME_NEVER;
    checkers->groups =
        memory_keep(memory, sizeof(*checkers->groups) * ((size_t)scenario->group_count + 1));
    bool *interest = memory_keep(memory, TRACE_KIND_COUNT * sizeof(*interest));
    for (size_t i = 0; i < ARRAY_LEN(followed); i++)
        interest[followed[i]] = true;
    for (int32_t g = 0; g < scenario->group_count; g++)
        init_group(checkers, g, interest);
    trace_observe(sim_trace(sim), observe, checkers, interest);
    checkers->ledger = ledger_new(sim, scenario);
    return checkers;
}

static void on_group_violation(void *self, const char *invariant, name_id group, const char *what)
{
    struct checkers *checkers = self;
    int checker = 0;
    while (checker < CHECKER_COUNT && strcmp(names_of_checkers[checker], invariant) != 0)
        checker++;
    CHECK(checker < CHECKER_COUNT);
    checkers_violate(checkers, (enum checker)checker, NULL, group, "group %s: %s",
                     checkers_text(checkers, group), what);
}

void checkers_watch_groups(struct checkers *checkers, struct world *world)
{
    world_watch_groups(world, &(struct group_watcher){on_group_violation, checkers});
}

struct ledger *checkers_ledger(struct checkers *checkers)
{
    return checkers->ledger;
}

void checkers_finish(struct checkers *checkers)
{
    ledger_finish(checkers->ledger);
    if (!ledger_is_balanced(checkers->ledger))
        checkers_violate(checkers, CHECKER_B, NULL, NAME_NONE, "the ledger does not balance");
    if (checkers->quiet_at == SIM_TIME_NEVER) return;
    for (int32_t g = 0; g < checkers->scenario->group_count; g++)
        checkers_judge_rest(checkers, g);
}

int64_t checkers_violation_count(const struct checkers *checkers)
{
    return checkers->violation_count;
}

const struct violation *checkers_violation(const struct checkers *checkers, int64_t index)
{
    CHECK(index >= 0 && index < checkers->violation_count && index < VIOLATIONS_KEPT);
    return &checkers->violations[index];
}
