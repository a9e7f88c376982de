/* What each consumer reads of a partition, and from where: I2, I9, I11, V1, V2.
 *
 * Work is repeated for many reasons (crash, expulsion, a zombie, a hand-over without a commit, an
 * aborted transaction, a reset), but by one way only: a consumer's position is set back, and what
 * poll() returns from there on is processed. So V1 is watched in two places. A position that is set
 * must be what was committed when the consumer asked for it, or have a cause that explains why that
 * is of no use: then nothing before the last accepted commit is repeated. And whoever reads on goes
 * on where it was: then nothing is repeated beyond the position that the earlier owner reached.
 * V2 is the same in the other direction. */
#include "model/checkers_internal.h"

#include "sim/check.h"

/* ---- readings ---- */

static void swap_in_front(struct watched_claim *watched, uint32_t i)
{
    struct reading latest = watched->reading;
    watched->reading = watched->others[i];
    watched->others[i] = latest;
}

/* The member's, now the latest; NULL when it has none. */
static struct reading *find_reading(struct watched_claim *watched, name_id member)
{
    if (watched->reading.member == member) return &watched->reading;
    for (uint32_t i = 0; i < watched->other_count; i++) {
        if (watched->others[i].member != member) continue;
        swap_in_front(watched, i);
        return &watched->reading;
    }
    return NULL;
}

static struct reading *add_reading(struct checkers *checkers, struct watched_claim *watched,
                                   name_id member)
{
    struct reading *found = find_reading(watched, member);
    if (found != NULL) return found;
    if (watched->reading.member != NAME_NONE) {
        if (watched->other_count == watched->other_capacity) {
            uint32_t capacity = watched->other_capacity == 0 ? 2 : watched->other_capacity * 2;
            size_t size = sizeof(*watched->others);
            watched->others = memory_resize(checkers->memory, watched->others,
                                            watched->other_capacity * size, capacity * size);
            watched->other_capacity = capacity;
        }
        watched->others[watched->other_count++] = watched->reading;
    }
    watched->reading = (struct reading){.member = member, .next = -1};
    return &watched->reading;
}

static void drop_reading(struct watched_claim *watched, name_id member)
{
    struct reading *reading = find_reading(watched, member);
    if (reading == NULL) return;
    *reading = (struct reading){.next = -1};
    if (watched->other_count > 0) *reading = watched->others[--watched->other_count];
}

void checkers_on_ownership(struct checkers *checkers, int32_t group,
                           const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    name_id member = (name_id)record->field[1];
    if (ledger_claim_of(checkers->ledger, state, record->field[2]) == NULL) return;
    struct watched_claim *watched = checkers_claim_of(checkers, group, record->field[2]);
    if (record->kind == TRACE_DISOWNED) {
        drop_reading(watched, member);
        return;
    }
    struct reading *reading = add_reading(checkers, watched, member);
    reading->is_owner = true;
    reading->commits_known = watched->commit_count;
}

/* ---- positions ---- */

/* Whether this was the committed offset at some time since so many commits were known; -1 = that
 * there was none. */
static bool was_committed(const struct watched_claim *watched, uint32_t known, int64_t offset)
{
    uint32_t count = watched->commit_count;
    uint32_t first = known > 0 ? known - 1 : 0;
    if (known == 0 && offset < 0) return true;
    if (count - first > COMMITS_REMEMBERED) first = count - COMMITS_REMEMBERED;
    for (uint32_t i = first; i < count; i++) {
        if (watched->commits[i % COMMITS_REMEMBERED] == offset) return true;
    }
    return false;
}

static void violate_position(struct checkers *checkers, const struct watched_claim *watched,
                             const struct trace_record *record, const char *why)
{
    int64_t committed = -1;
    if (watched->commit_count > 0)
        committed = watched->commits[(watched->commit_count - 1) % COMMITS_REMEMBERED];
    checkers_violate(checkers, record->field[3] < committed ? CHECKER_V1 : CHECKER_V2, record,
                     (name_id)record->field[0], "%s starts %s-%d at %lld %s; %lld is committed",
                     checkers_text(checkers, record->field[1]),
                     checkers_topic(checkers, record->field[2]),
                     PARTITION_NUMBER((partition_id)record->field[2]), (long long)record->field[3],
                     why, (long long)committed);
}

static void check_committed_position(struct checkers *checkers, const struct watched_claim *watched,
                                     uint32_t known, const struct trace_record *record)
{
    int64_t offset = record->field[3];
    /* A frozen process gets its answer when it wakes; meanwhile more may have been committed than
     * is remembered. */
    if (watched->commit_count - known >= COMMITS_REMEMBERED) return;
    if (was_committed(watched, known, offset)) return;
    if (was_committed(watched, 0, offset)) {
        violate_position(checkers, watched, record, "by a commit that was not the last");
        return;
    }
    checkers_violate(checkers, CHECKER_I11, record, (name_id)record->field[0],
                     "%s starts %s-%d at %lld as committed, which nobody committed",
                     checkers_text(checkers, record->field[1]),
                     checkers_topic(checkers, record->field[2]),
                     PARTITION_NUMBER((partition_id)record->field[2]), (long long)offset);
}

void checkers_on_position(struct checkers *checkers, int32_t group,
                          const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    int64_t partition = record->field[2];
    if (ledger_claim_of(checkers->ledger, state, partition) == NULL) return;
    const struct ledger_log *log = ledger_log_of(checkers->ledger, partition);
    struct watched_claim *watched = checkers_claim_of(checkers, group, partition);
    struct reading *reading = add_reading(checkers, watched, (name_id)record->field[1]);
    int64_t previous = record->field[5];
    switch ((enum position_cause)record->field[4]) {
    case POSITION_COMMITTED:
        check_committed_position(checkers, watched, reading->commits_known, record);
        break;
    case POSITION_RESET_EARLIEST:
    case POSITION_RESET_LATEST:
    case POSITION_RESET_BY_DURATION:
        if (!was_committed(watched, reading->commits_known, -1))
            violate_position(checkers, watched, record, "as if nothing had been committed");
        break;
    case POSITION_OUT_OF_RANGE:
        if (previous >= log->start && previous <= log->end &&
            !checkers_is_rewritten(checkers, partition))
            violate_position(checkers, watched, record, "as if its position were not in the log");
        break;
    case POSITION_TRUNCATED:
        if (!checkers_is_rewritten(checkers, partition))
            violate_position(checkers, watched, record, "as if the log had been truncated");
        break;
    case POSITION_EXTERNAL:
        if (record->field[3] != watched->stored)
            violate_position(checkers, watched, record, "which is not what the sink has stored");
        break;
    case POSITION_SEEK: break; /* the application knows why */
    }
    reading->next = record->field[3];
    reading->commits_known = watched->commit_count;
}

void checkers_on_sink(struct checkers *checkers, int32_t group, const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    if (state->scenario->commit.mode != COMMIT_EXTERNAL) return;
    if (ledger_claim_of(checkers->ledger, state, record->field[2]) == NULL) return;
    checkers_claim_of(checkers, group, record->field[2])->stored =
        record->field[3] + record->field[4];
}

/* ---- polls ---- */

/* Of the offsets [from, to), those that a consumer should have been given; less than none where
 * one is missing for two reasons. */
static int64_t left_out(const struct ledger_group_state *state, const struct ledger_claim *claim,
                        const struct ledger_log *log, int64_t from, int64_t to)
{
    int64_t count = to - from - interval_set_covered(&log->markers, from, to) -
                    interval_set_covered(&log->compacted, from, to) -
                    interval_set_covered(&claim->given_up, from, to);
    if (state->scenario->config.isolation_level == READ_COMMITTED)
        count -= interval_set_covered(&log->aborted, from, to);
    return count;
}

/* What the consumer read lies before what it should go on with, or behind it. */
static void check_jump(struct checkers *checkers, int32_t group, const struct reading *reading,
                       const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    int64_t partition = record->field[2];
    int64_t from = record->field[3];
    const struct ledger_claim *claim = ledger_claim_of(checkers->ledger, state, partition);
    const struct ledger_log *log = ledger_log_of(checkers->ledger, partition);
    /* A position may be set back to where the log diverges while a batch is being processed. */
    if (checkers_is_rewritten(checkers, partition)) return;
    if (from >= reading->next && reading->next >= 0 &&
        left_out(state, claim, log, reading->next, from) <= 0)
        return;
    const char *text = reading->next < 0      ? "without a position"
                       : from < reading->next ? "again, though its position was not set back"
                                              : "and left records out";
    checkers_violate(checkers, from < reading->next ? CHECKER_V1 : CHECKER_V2, record,
                     (name_id)record->field[0], "%s went on with %lld of %s-%d after %lld %s",
                     checkers_text(checkers, reading->member), (long long)from,
                     checkers_topic(checkers, partition), PARTITION_NUMBER((partition_id)partition),
                     (long long)reading->next, text);
}

static void check_owner(struct checkers *checkers, const struct reading *reading,
                        const struct trace_record *record, const char *verb)
{
    if (reading != NULL && reading->is_owner) return;
    checkers_violate(checkers, CHECKER_I9, record, (name_id)record->field[0],
                     "%s %s %s-%d without owning it", checkers_text(checkers, record->field[1]),
                     verb, checkers_topic(checkers, record->field[2]),
                     PARTITION_NUMBER((partition_id)record->field[2]));
}

/* Records go [from, to) to the reader. */
static inline void read_on(struct checkers *checkers, int32_t group, struct watched_claim *watched,
                           struct reading *reading, const struct trace_record *record)
{
    int64_t from = record->field[3];
    if (from != reading->next) check_jump(checkers, group, reading, record);
    reading->next = from + record->field[4];
    reading->commits_known = watched->commit_count;
}

/* ---- applications with workers ---- */

static void add_handed(struct checkers *checkers, struct watched_claim *watched,
                       const struct handed_over *handed)
{
    if (watched->handed_count == watched->handed_capacity) {
        uint32_t capacity = watched->handed_capacity == 0 ? 8 : watched->handed_capacity * 2;
        size_t size = sizeof(*watched->handed_over);
        watched->handed_over = memory_resize(checkers->memory, watched->handed_over,
                                             watched->handed_capacity * size, capacity * size);
        watched->handed_capacity = capacity;
    }
    watched->handed_over[watched->handed_count++] = *handed;
}

static void hand_over(struct checkers *checkers, struct watched_claim *watched,
                      const struct trace_record *record)
{
    const struct handed_over given = {
        .member = (name_id)record->field[1],
        .incarnation = record->field[6],
        .from = record->field[3],
        .to = record->field[3] + record->field[4],
    };
    uint32_t kept = 0;
    for (uint32_t i = 0; i < watched->handed_count; i++) {
        const struct handed_over *old = &watched->handed_over[i];
        if (old->member == given.member && old->incarnation != given.incarnation)
            continue; /* died */
        watched->handed_over[kept++] = *old;
    }
    watched->handed_count = kept;
    add_handed(checkers, watched, &given);
}

void checkers_on_delivered(struct checkers *checkers, int32_t group,
                           const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    if (ledger_claim_of(checkers->ledger, state, record->field[2]) == NULL) return;
    struct watched_claim *watched = checkers_claim_of(checkers, group, record->field[2]);
    if (!checkers->groups[group].has_pools) {
        prefetch_line(watched); /* they will be processed */
        return;
    }
    struct reading *reading = find_reading(watched, (name_id)record->field[1]);
    check_owner(checkers, reading, record, "was given");
    if (reading != NULL) read_on(checkers, group, watched, reading, record);
    hand_over(checkers, watched, record);
}

/* One of those that hold the offset for this member, the one that begins there if there is one. */
static struct handed_over *find_handed(struct watched_claim *watched, name_id member,
                                       int64_t offset)
{
    struct handed_over *found = NULL;
    for (uint32_t i = 0; i < watched->handed_count; i++) {
        struct handed_over *handed = &watched->handed_over[i];
        if (handed->member != member || handed->from > offset || handed->to <= offset) continue;
        if (handed->from == offset) return handed;
        found = handed;
    }
    return found;
}

/* Takes [from, …) out of the range, `to` at most; returns the end of what was taken. */
static int64_t take_back(struct checkers *checkers, struct watched_claim *watched,
                         struct handed_over *handed, int64_t from, int64_t to)
{
    struct handed_over after = *handed;
    after.from = to < handed->to ? to : handed->to;
    handed->to = from;
    if (handed->from == handed->to) *handed = watched->handed_over[--watched->handed_count];
    if (after.from < after.to) add_handed(checkers, watched, &after);
    return after.from;
}

/* The threads of a pool work on through revocations, and through a loss and a return: what they do
 * must have been given to them, once for each time that they do it. */
static void check_worker(struct checkers *checkers, struct watched_claim *watched,
                         const struct trace_record *record)
{
    int64_t to = record->field[3] + record->field[4];
    for (int64_t at = record->field[3]; at < to;) {
        struct handed_over *handed = find_handed(watched, (name_id)record->field[1], at);
        if (handed == NULL) {
            checkers_violate(checkers, CHECKER_V1, record, (name_id)record->field[0],
                             "%s was done with %lld of %s-%d, which it had not been given (again)",
                             checkers_text(checkers, record->field[1]), (long long)at,
                             checkers_topic(checkers, record->field[2]),
                             PARTITION_NUMBER((partition_id)record->field[2]));
            return;
        }
        at = take_back(checkers, watched, handed, at, to);
    }
}

void checkers_on_given_up(struct checkers *checkers, int32_t group,
                          const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    if (!checkers->groups[group].has_pools) return; /* read_on finds them left out */
    if (ledger_claim_of(checkers->ledger, state, record->field[2]) == NULL) return;
    check_worker(checkers, checkers_claim_of(checkers, group, record->field[2]), record);
}

/* ---- the others ---- */

/* Zombie work is counted, and no I2. */
static void check_alone(struct checkers *checkers, struct watched_claim *watched,
                        const struct trace_record *record)
{
    name_id member = (name_id)record->field[1];
    sim_time begin_at = record->field[5];
    if (watched->worker != NAME_NONE && watched->worker != member &&
        begin_at < watched->worked_until) {
        checkers_violate(checkers, CHECKER_I2, record, (name_id)record->field[0],
                         "%s and %s processed %s-%d at the same time, both as its owner",
                         checkers_text(checkers, watched->worker), checkers_text(checkers, member),
                         checkers_topic(checkers, record->field[2]),
                         PARTITION_NUMBER((partition_id)record->field[2]));
    }
    watched->worker = member;
    watched->worked_until = record->at;
}

void checkers_on_processed(struct checkers *checkers, int32_t group,
                           const struct trace_record *record)
{
    struct ledger_group_state *state = &checkers->ledger->groups[group];
    int64_t partition = record->field[2];
    name_id member = (name_id)record->field[1];
    const struct ledger_claim *claim = ledger_claim_of(checkers->ledger, state, partition);
    if (claim == NULL) return;
    struct watched_claim *watched = checkers_claim_of(checkers, group, partition);
    if (checkers->groups[group].has_pools) {
        check_worker(checkers, watched, record);
        return;
    }
    struct reading *reading = find_reading(watched, member);
    check_owner(checkers, reading, record, "processed");
    if (reading != NULL) read_on(checkers, group, watched, reading, record);
    if (state->managed && claim->assigned == member) check_alone(checkers, watched, record);
}
