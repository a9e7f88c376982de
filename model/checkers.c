#include "model/checkers.h"

#include "model/group_watch.h"
#include "model/kafka_types.h"
#include "model/ledger_internal.h"
#include "model/message.h"
#include "model/world.h"
#include "sim/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* How many of a partition's latest committed offsets a fetch under way may still show: one whose
 * answer waited in a frozen process shows an old one. */
#define COMMITS_REMEMBERED 64
#define STALE_REMEMBERED   8

/* What the checkers remember of one group's partition, beside the ledger's claim. */
struct watched_claim {
    name_id worker; /* last member that processed it as its owner … */
    sim_time worked_until;
    int64_t commits[COMMITS_REMEMBERED]; /* the latest committed offsets, newest last */
    uint32_t commit_count;
    int64_t next_at_quiet;
};

struct stale_commit {
    name_id member_id;
    int64_t generation;
};

struct watched_group {
    struct watched_claim **claims; /* as the ledger's */
    int32_t *claim_counts;
    int64_t generation;
    int64_t coordinator; /* broker whose word the generation is */
    /* The latest commits that came to it with a generation that was over, newest last. One that
     * came in time may become durable long after: its write may wait for replicas (D3). */
    struct stale_commit stale[STALE_REMEMBERED];
    uint32_t stale_count;
    bool at_rest;
    int64_t members;
};

struct checkers {
    struct sim *sim;
    struct memory *memory;
    const struct scenario *scenario;
    struct ledger *ledger;
    struct watched_group *groups;
    sim_time quiet_at; /* SIM_TIME_NEVER = no such entry */
    int64_t violation_count;
    struct violation violations[VIOLATIONS_KEPT];
};

static const char *const names_of_checkers[CHECKER_COUNT] = {
#define X(id) #id,
    CHECKER_LIST(X)
#undef X
};

const char *checker_name(enum checker checker)
{
    return names_of_checkers[checker];
}

__attribute__((format(printf, 5, 6))) static void violate(struct checkers *checkers,
                                                          enum checker checker,
                                                          const struct trace_record *record,
                                                          name_id group, const char *format, ...)
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

static const char *text_of(const struct checkers *checkers, int64_t name)
{
    return names_text(sim_names(checkers->sim), (name_id)name);
}

static const char *topic_of(const struct checkers *checkers, int64_t partition)
{
    int32_t topic = PARTITION_TOPIC((partition_id)partition);
    return topic < checkers->scenario->topic_count ? checkers->scenario->topics[topic].name
                                                   : "(internal)";
}

static struct watched_claim *watched_claim_of(struct checkers *checkers, int32_t group,
                                              int64_t partition)
{
    struct watched_group *watched = &checkers->groups[group];
    int32_t t = PARTITION_TOPIC((partition_id)partition);
    int32_t p = PARTITION_NUMBER((partition_id)partition);
    if (p >= watched->claim_counts[t]) {
        size_t size = sizeof(struct watched_claim);
        watched->claims[t] =
            memory_resize(checkers->memory, watched->claims[t],
                          (size_t)watched->claim_counts[t] * size, (size_t)(p + 1) * size);
        watched->claim_counts[t] = p + 1;
    }
    return &watched->claims[t][p];
}

/* I8. Whom the coordinator no longer counts, and who has been told so by its own clock, works on as
 * a zombie. A static member that missed the join phase stays a member and owns on, unasked.
 *
 * Classic groups only. In the consumer protocol what counts is what members have told the
 * coordinator (consumer_checks.h): while onPartitionsAssigned runs, heartbeats still list what was
 * owned before it (ConsumerHeartbeatRequestManager sends the reconciled assignment), so the
 * coordinator may give away again what the member begins to own when the listener returns. */
static void check_freed(struct checkers *checkers, const struct ledger_group_state *group,
                        const struct ledger_claim *claim, const struct trace_record *record)
{
    const struct ledger *ledger = checkers->ledger;
    if (group->scenario->config.group_protocol == GROUP_PROTOCOL_CONSUMER) return;
    for (uint32_t i = 0; i < claim->owner_count; i++) {
        name_id owner = claim->owners[i].member;
        uint32_t index = name_table_get(&ledger->member_by_name, owner);
        if (owner == (name_id)record->field[1] || index == 0) continue;
        const struct ledger_member *member = &ledger->members[index - 1];
        if (!member->in_group || member->poll_expired || member->fenced) continue;
        if (member->restoring) continue;
        if (member->is_static && member->joined_generation != record->field[4]) continue;
        violate(checkers, CHECKER_I8, record, (name_id)record->field[0],
                "%s-%d was assigned to %s before %s had let it go",
                topic_of(checkers, record->field[3]),
                PARTITION_NUMBER((partition_id)record->field[3]),
                text_of(checkers, record->field[2]), text_of(checkers, owner));
        return;
    }
}

static void check_assigned(struct checkers *checkers, int32_t group,
                           const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    int64_t partition = record->field[3];
    if (record->field[5] == 0) return;
    const struct ledger_claim *claim = ledger_claim_of(checkers->ledger, state, partition);
    if (claim == NULL) {
        violate(checkers, CHECKER_I4, record, (name_id)record->field[0],
                "%s was assigned %s-%d, which its group does not subscribe to",
                text_of(checkers, record->field[1]), topic_of(checkers, partition),
                PARTITION_NUMBER((partition_id)partition));
        return;
    }
    if (claim->assigned_id != NAME_NONE && claim->assigned_id != (name_id)record->field[2]) {
        violate(checkers, CHECKER_I1, record, (name_id)record->field[0],
                "%s-%d was assigned to %s while %s still held it", topic_of(checkers, partition),
                PARTITION_NUMBER((partition_id)partition), text_of(checkers, record->field[2]),
                text_of(checkers, claim->assigned_id));
        return;
    }
    check_freed(checkers, state, claim, record);
}

/* A transaction was aborted: nobody who reads committed may have seen its records. */
static void check_aborted(struct checkers *checkers, const struct trace_record *record)
{
    if (record->field[3] != UNREADABLE_ABORTED) return;
    int64_t from = record->field[1];
    int64_t to = from + record->field[2];
    for (int32_t g = 0; g < checkers->scenario->group_count; g++) {
        const struct scenario_group *group = &checkers->scenario->groups[g];
        if (group->config.isolation_level != READ_COMMITTED) continue;
        const struct ledger_claim *claim =
            ledger_traced_claim(checkers->ledger, &checkers->ledger->groups[g], record->field[0]);
        if (claim == NULL) continue;
        int64_t seen = interval_set_covered(&claim->processed, from, to);
        if (seen == 0) continue;
        violate(checkers, CHECKER_I16, record, names_intern(sim_names(checkers->sim), group->name),
                "%s processed %lld records from %lld on of %s-%d before their transaction was "
                "aborted",
                group->name, (long long)seen, (long long)from, topic_of(checkers, record->field[0]),
                PARTITION_NUMBER((partition_id)record->field[0]));
    }
}

static bool owns(const struct ledger_claim *claim, name_id member)
{
    for (uint32_t i = 0; i < claim->owner_count; i++) {
        if (claim->owners[i].member == member) return true;
    }
    return false;
}

static void check_processed(struct checkers *checkers, int32_t group,
                            const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    int64_t partition = record->field[2];
    name_id member = (name_id)record->field[1];
    const struct ledger_claim *claim = ledger_claim_of(checkers->ledger, state, partition);
    if (claim == NULL) return;
    /* Threads of a pool work on through revocations, and through a loss and a return. */
    if (state->has_workers) return;
    if (!owns(claim, member)) {
        violate(checkers, CHECKER_I9, record, (name_id)record->field[0],
                "%s processed %s-%d without owning it", text_of(checkers, member),
                topic_of(checkers, partition), PARTITION_NUMBER((partition_id)partition));
    }
    if (!state->managed || claim->assigned != member) return; /* zombie work is counted, not I2 */
    struct watched_claim *watched = watched_claim_of(checkers, group, partition);
    sim_time begin_at = record->field[5];
    if (watched->worker != NAME_NONE && watched->worker != member &&
        begin_at < watched->worked_until) {
        violate(checkers, CHECKER_I2, record, (name_id)record->field[0],
                "%s and %s processed %s-%d at the same time, both as its owner",
                text_of(checkers, watched->worker), text_of(checkers, member),
                topic_of(checkers, partition), PARTITION_NUMBER((partition_id)partition));
    }
    watched->worker = member;
    watched->worked_until = record->at;
}

/* Applications that commit only what they have processed, by their construction. Not so those that
 * give a record up after some tries, and not the consumer protocol with auto-commit: before it
 * reconciles, the background thread commits the positions, whatever the application thread is still
 * busy with (MembershipManagerImpl). */
static bool is_at_least_once(const struct ledger_group_state *state)
{
    const struct scenario_group *group = state->scenario;
    if (group->config.group_protocol == GROUP_PROTOCOL_CONSUMER &&
        group->commit.mode == COMMIT_AUTO)
        return false;
    if (state->has_workers || group->commit.order != COMMIT_AFTER_SINK) return false;
    if (group->process.retry == RETRY_BOUNDED) return false;
    return group->commit.mode != COMMIT_NONE && group->commit.mode != COMMIT_EXTERNAL;
}

static void forget_stale(struct watched_group *watched, const struct trace_record *record)
{
    for (uint32_t i = 0; i < watched->stale_count; i++) {
        if (watched->stale[i].member_id != (name_id)record->field[3] ||
            watched->stale[i].generation != record->field[4])
            continue;
        watched->stale_count--;
        memmove(watched->stale + i, watched->stale + i + 1,
                (watched->stale_count - i) * sizeof(watched->stale[0]));
        return;
    }
}

/* A commit comes to its coordinator, or is answered: one that is refused is of no concern. */
static void note_commit_request(struct checkers *checkers, const struct trace_record *record)
{
    if (record->field[0] != API_OFFSET_COMMIT) return;
    uint32_t index = name_table_get(&checkers->ledger->group_by_name, record->field[1]);
    if (index == 0) return;
    struct watched_group *watched = &checkers->groups[index - 1];
    if (record->kind == TRACE_GROUP_RESPONSE) {
        if (record->field[6] != KAFKA_NONE) forget_stale(watched, record);
        return;
    }
    if (record->field[5] != watched->coordinator || record->field[4] >= watched->generation) return;
    if (watched->stale_count == STALE_REMEMBERED) {
        memmove(watched->stale, watched->stale + 1,
                (STALE_REMEMBERED - 1) * sizeof(watched->stale[0]));
        watched->stale_count--;
    }
    watched->stale[watched->stale_count++] =
        (struct stale_commit){(name_id)record->field[3], record->field[4]};
}

static bool was_stale(const struct watched_group *watched, int64_t member_id, int64_t generation)
{
    for (uint32_t i = 0; i < watched->stale_count; i++) {
        if (watched->stale[i].member_id == (name_id)member_id &&
            watched->stale[i].generation == generation)
            return true;
    }
    return false;
}

static void check_committed(struct checkers *checkers, int32_t group,
                            const struct trace_record *record)
{
    struct ledger *ledger = checkers->ledger;
    struct ledger_group_state *state = &ledger->groups[group];
    int64_t partition = record->field[1];
    int64_t offset = record->field[2];
    int64_t generation = record->field[5];
    const struct ledger_claim *claim = ledger_claim_of(ledger, state, partition);
    const struct ledger_log *log = ledger_log_of(ledger, partition);
    if (claim == NULL || log == NULL) return;
    struct watched_claim *watched = watched_claim_of(checkers, group, partition);
    if (watched->commit_count == COMMITS_REMEMBERED) {
        memmove(watched->commits, watched->commits + 1,
                (COMMITS_REMEMBERED - 1) * sizeof(watched->commits[0]));
        watched->commit_count--;
    }
    watched->commits[watched->commit_count++] = offset;
    int64_t current = checkers->groups[group].generation;
    /* Members of a consumer group may be at older epochs than the group while it reconciles; that a
     * commit has its own member's epoch is checked in the coordinator. */
    bool classic = state->scenario->config.group_protocol == GROUP_PROTOCOL_CLASSIC;
    if (classic && generation >= 0 && record->field[6] == 0 && generation < current &&
        was_stale(&checkers->groups[group], record->field[4], generation)) {
        violate(checkers, CHECKER_I6, record, (name_id)record->field[0],
                "a commit of generation %lld was accepted in generation %lld",
                (long long)generation, (long long)current);
    }
    if (offset > log->end && ledger->truncated == 0) {
        violate(checkers, CHECKER_I17, record, (name_id)record->field[0],
                "offset %lld of %s-%d was committed, but the log ends at %lld", (long long)offset,
                topic_of(checkers, partition), PARTITION_NUMBER((partition_id)partition),
                (long long)log->end);
    }
    if (generation < 0 || !is_at_least_once(state) || ledger->truncated > 0) return;
    struct interval gap;
    int64_t from = log->start;
    while (interval_set_first_gap(&claim->processed, from, offset, &gap)) {
        int64_t unexplained = gap.to - gap.from -
                              interval_set_covered(&claim->skipped, gap.from, gap.to) -
                              interval_set_covered(&claim->given_up, gap.from, gap.to) -
                              interval_set_covered(&log->compacted, gap.from, gap.to);
        if (unexplained > 0) {
            violate(checkers, CHECKER_I18, record, (name_id)record->field[0],
                    "%s committed %lld on %s-%d, but %lld records from %lld on were not processed",
                    text_of(checkers, record->field[3]), (long long)offset,
                    topic_of(checkers, partition), PARTITION_NUMBER((partition_id)partition),
                    (long long)unexplained, (long long)gap.from);
            return;
        }
        from = gap.to;
    }
}

static void check_position(struct checkers *checkers, int32_t group,
                           const struct trace_record *record)
{
    if (record->field[4] != POSITION_COMMITTED) return;
    struct watched_claim *watched = watched_claim_of(checkers, group, record->field[2]);
    for (uint32_t i = 0; i < watched->commit_count; i++) {
        if (watched->commits[i] == record->field[3]) return;
    }
    violate(checkers, CHECKER_I11, record, (name_id)record->field[0],
            "%s starts %s-%d at %lld as committed, which nobody committed",
            text_of(checkers, record->field[1]), topic_of(checkers, record->field[2]),
            PARTITION_NUMBER((partition_id)record->field[2]), (long long)record->field[3]);
}

static void check_group_state(struct checkers *checkers, int32_t group,
                              const struct trace_record *record)
{
    struct watched_group *watched = &checkers->groups[group];
    int64_t to = record->field[2];
    watched->at_rest = to == GROUP_TRACE_Stable || to == GROUP_TRACE_Empty;
    watched->members = record->field[4];
    /* A coordinator that took over may count from an earlier generation (classic-coordinator.md
     * section 10); an empty group without offsets is deleted, and its next life starts at 0. */
    bool handed_over = to == GROUP_TRACE_Dead || record->field[1] == GROUP_TRACE_Dead ||
                       record->field[5] != watched->coordinator ||
                       (record->field[1] == GROUP_TRACE_Empty && record->field[3] == 0);
    if (!handed_over && record->field[3] < watched->generation) {
        violate(checkers, CHECKER_I5, record, (name_id)record->field[0],
                "the generation went from %lld to %lld", (long long)watched->generation,
                (long long)record->field[3]);
    }
    watched->generation = record->field[3];
    watched->coordinator = record->field[5];
}

static void check_log(struct checkers *checkers, const struct trace_record *record)
{
    const struct ledger_log *log = ledger_traced_log(checkers->ledger, record->field[0]);
    if (log == NULL) return;
    int32_t number = PARTITION_NUMBER((partition_id)record->field[0]);
    if (record->kind == TRACE_BATCH_APPENDED) {
        if (record->field[9] != 0 || record->field[3] >= log->end) return;
        violate(checkers, CHECKER_I13, record, NAME_NONE,
                "%s-%d: offset %lld was used again, the log ended at %lld",
                topic_of(checkers, record->field[0]), number, (long long)record->field[3],
                (long long)log->end);
        return;
    }
    bool unclean = record->field[4] != 0;
    int64_t new_end = record->field[3];
    if (record->field[1] < 0 || unclean || new_end < 0) return;
    int64_t taken_back = interval_set_covered(&log->safe, new_end, log->end);
    if (taken_back > 0) {
        violate(checkers, CHECKER_I15, record, NAME_NONE,
                "%s-%d: a clean election took back %lld records that acks=all had acknowledged",
                topic_of(checkers, record->field[0]), number, (long long)taken_back);
    }
}

/* From here on things must come to rest: remember where they stand. */
static void note_quiet(struct checkers *checkers, const struct trace_record *record)
{
    if (strcmp(text_of(checkers, record->field[1]), "quiet") != 0) return;
    checkers->quiet_at = record->at;
    for (int32_t g = 0; g < checkers->scenario->group_count; g++) {
        for (int32_t t = 0; t < checkers->scenario->topic_count; t++) {
            const struct ledger_claim *claims = checkers->ledger->groups[g].claims[t];
            if (claims == NULL) continue;
            for (int32_t p = 0; p < checkers->ledger->topics[t].partition_count; p++)
                watched_claim_of(checkers, g, PARTITION_ID(t, p))->next_at_quiet = claims[p].next;
        }
    }
}

static void observe(void *self, const struct trace_record *record)
{
    struct checkers *checkers = self;
    if (record->kind == TRACE_BATCH_APPENDED || record->kind == TRACE_LEADER_ELECTED) {
        check_log(checkers, record);
        return;
    }
    if (record->kind == TRACE_UNREADABLE) {
        check_aborted(checkers, record);
        return;
    }
    if (record->kind == TRACE_FAULT) {
        note_quiet(checkers, record);
        return;
    }
    if (record->kind == TRACE_GROUP_REQUEST || record->kind == TRACE_GROUP_RESPONSE) {
        note_commit_request(checkers, record);
        return;
    }
    uint32_t index = name_table_get(&checkers->ledger->group_by_name, record->field[0]);
    if (index == 0) return;
    int32_t group = (int32_t)index - 1;
    switch (record->kind) {
    case TRACE_ASSIGNED: check_assigned(checkers, group, record); break;
    case TRACE_DELIVERED: prefetch_line(watched_claim_of(checkers, group, record->field[2])); break;
    case TRACE_PROCESSED: check_processed(checkers, group, record); break;
    case TRACE_COMMITTED: check_committed(checkers, group, record); break;
    case TRACE_POSITION: check_position(checkers, group, record); break;
    case TRACE_GROUP_STATE: check_group_state(checkers, group, record); break;
    }
}

struct checkers *checkers_new(struct sim *sim, const struct scenario *scenario)
{
    static const bool interest[TRACE_KIND_COUNT] = {
        [TRACE_BATCH_APPENDED] = true, [TRACE_LEADER_ELECTED] = true, [TRACE_FAULT] = true,
        [TRACE_ASSIGNED] = true,       [TRACE_PROCESSED] = true,      [TRACE_COMMITTED] = true,
        [TRACE_POSITION] = true,       [TRACE_GROUP_STATE] = true,    [TRACE_UNREADABLE] = true,
        [TRACE_GROUP_REQUEST] = true,  [TRACE_GROUP_RESPONSE] = true, [TRACE_DELIVERED] = true,
    };
    struct memory *memory = sim_memory(sim);
    struct checkers *checkers = memory_keep(memory, sizeof(*checkers));
    checkers->sim = sim;
    checkers->memory = memory;
    checkers->scenario = scenario;
    checkers->quiet_at = SIM_TIME_NEVER;
    checkers->groups =
        memory_keep(memory, sizeof(*checkers->groups) * ((size_t)scenario->group_count + 1));
    for (int32_t g = 0; g < scenario->group_count; g++) {
        size_t topics = (size_t)scenario->topic_count + 1;
        checkers->groups[g].claims = memory_keep(memory, topics * sizeof(struct watched_claim *));
        checkers->groups[g].claim_counts = memory_keep(memory, topics * sizeof(int32_t));
        checkers->groups[g].at_rest = true;
    }
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
    violate(checkers, (enum checker)checker, NULL, group, "group %s: %s", text_of(checkers, group),
            what);
}

void checkers_watch_groups(struct checkers *checkers, struct world *world)
{
    world_watch_groups(world, &(struct group_watcher){on_group_violation, checkers});
}

struct ledger *checkers_ledger(struct checkers *checkers)
{
    return checkers->ledger;
}

/* The longest that a group may need to come to rest once nothing disturbs it: everybody's poll
 * interval (a slow member holds up the rest), then two sessions. */
static sim_time settling_ns(const struct scenario_group *group)
{
    return MILLISECONDS(group->config.max_poll_interval_ms) +
           2 * MILLISECONDS(group->config.session_timeout_ms);
}

static void check_liveness(struct checkers *checkers, int32_t g)
{
    const struct scenario_group *group = &checkers->scenario->groups[g];
    struct watched_group *watched = &checkers->groups[g];
    name_id name = names_intern(sim_names(checkers->sim), group->name);
    sim_time waited = sim_now(checkers->sim) - checkers->quiet_at;
    if (waited < settling_ns(group)) return;
    if (!watched->at_rest) {
        violate(checkers, CHECKER_L1, NULL, name,
                "group %s is still rebalancing %lld s after the faults ended", group->name,
                (long long)(waited / SECONDS(1)));
    }
    if (!watched->at_rest || watched->members == 0) return;
    for (int32_t t = 0; t < checkers->scenario->topic_count; t++) {
        const struct ledger_claim *claims = checkers->ledger->groups[g].claims[t];
        if (claims == NULL) continue;
        for (int32_t p = 0; p < checkers->ledger->topics[t].partition_count; p++) {
            int64_t before = watched_claim_of(checkers, g, PARTITION_ID(t, p))->next_at_quiet;
            if (claims[p].lag == 0 || claims[p].next > before) continue;
            /* A static member that comes back is given what it had, and nobody rebalances: not
             * for partitions that were added while a static leader was away
             * (ConsumerCoordinator.onLeaderElected, skipAssignment), and not for those that it was
             * to let go between the two rounds of a cooperative rebalance. */
            bool is_forgotten = group->config.static_membership &&
                                group->config.group_protocol == GROUP_PROTOCOL_CLASSIC &&
                                claims[p].assigned_id == NAME_NONE;
            if (is_forgotten) continue;
            violate(checkers, CHECKER_L3, NULL, name,
                    "%s-%d has %lld records waiting and did not move after the faults ended",
                    checkers->scenario->topics[t].name, p, (long long)claims[p].lag);
        }
    }
}

void checkers_finish(struct checkers *checkers)
{
    ledger_finish(checkers->ledger);
    if (!ledger_is_balanced(checkers->ledger))
        violate(checkers, CHECKER_B, NULL, NAME_NONE, "the ledger does not balance");
    if (checkers->quiet_at == SIM_TIME_NEVER) return;
    for (int32_t g = 0; g < checkers->scenario->group_count; g++)
        check_liveness(checkers, g);
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
