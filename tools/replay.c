#include "tools/replay.h"

#include "tools/moment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records told before the first one that differs. */
#define CONTEXT 5

struct checkpoint {
    uint64_t number;
    sim_time at;
    char fingerprints[3][17];
};

struct replay {
    const struct store_reader *reader;
    const struct sim *sim;
    const struct record_names *names;
    struct record_names stored_names;
    struct store_filter filter;
    sqlite3_stmt *events;       /* on the next stored record */
    struct trace_record stored; /* that record */
    bool has_stored;
    sqlite3_stmt *checkpoints; /* likewise */
    struct checkpoint checkpoint;
    bool has_checkpoint;
    struct checkpoint agreed; /* the last checkpoint that was the same */
    struct trace_record recent[CONTEXT];
    uint64_t seen;
    struct text difference; /* empty = none so far */
    char *damage;           /* the store cannot be read further */
};

static void read_event(struct replay *replay)
{
    int result = sqlite3_step(replay->events);
    replay->has_stored = result == SQLITE_ROW;
    if (result == SQLITE_DONE) return;
    if (result != SQLITE_ROW) {
        if (replay->damage == NULL) {
            replay->damage = tool_copy(sqlite3_errmsg(store_database(replay->reader)));
        }
        return;
    }
    replay->stored = (struct trace_record){
        .number = (uint64_t)sqlite3_column_int64(replay->events, 0),
        .at = sqlite3_column_int64(replay->events, 1),
        .kind = (uint16_t)sqlite3_column_int(replay->events, 2),
    };
    for (int i = 0; i < TRACE_FIELDS; i++) {
        replay->stored.field[i] = sqlite3_column_int64(replay->events, i + 3);
    }
}

static void read_checkpoint(struct replay *replay)
{
    replay->has_checkpoint = sqlite3_step(replay->checkpoints) == SQLITE_ROW;
    if (!replay->has_checkpoint) return;
    replay->checkpoint.number = (uint64_t)sqlite3_column_int64(replay->checkpoints, 0);
    replay->checkpoint.at = sqlite3_column_int64(replay->checkpoints, 1);
    for (int i = 0; i < 3; i++) {
        const char *text = (const char *)sqlite3_column_text(replay->checkpoints, i + 2);
        snprintf(replay->checkpoint.fingerprints[i], 17, "%s", text != NULL ? text : "");
    }
}

static const char *stored_name(const void *reader, int64_t name)
{
    return store_name(reader, name);
}

static void stored_partition(const void *reader, int64_t partition, struct text *text)
{
    const struct store_partition *found = store_find_partition(reader, partition);
    if (found == NULL) {
        text_format(text, "%" PRId64, partition);
    } else {
        text_format(text, "%s-%d", found->topic, found->number);
    }
}

struct replay *replay_new(const struct store_reader *reader, const struct sim *sim,
                          const struct record_names *names, char **error)
{
    struct replay *replay = tool_allocate(sizeof *replay);
    replay->reader = reader;
    replay->sim = sim;
    replay->names = names;
    replay->stored_names = (struct record_names){reader, stored_name, stored_partition};
    replay->filter.events = store_run_row(reader)->events;
    sqlite3 *database = store_database(reader);
    if (sqlite3_prepare_v2(database, "select * from events order by number", -1, &replay->events,
                           NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(database, "select * from checkpoints order by number", -1,
                           &replay->checkpoints, NULL) != SQLITE_OK) {
        *error = tool_copy(sqlite3_errmsg(database));
        replay_free(replay);
        return NULL;
    }
    read_event(replay);
    read_checkpoint(replay);
    return replay;
}

void replay_free(struct replay *replay)
{
    sqlite3_finalize(replay->events);
    sqlite3_finalize(replay->checkpoints);
    text_free(&replay->difference);
    free(replay->damage);
    free(replay);
}

bool replay_differs(const struct replay *replay)
{
    return replay->difference.length > 0 || replay->damage != NULL;
}

static void append_context(struct replay *replay)
{
    struct text *text = &replay->difference;
    uint64_t first = replay->seen > CONTEXT ? replay->seen - CONTEXT : 0;
    for (uint64_t i = first; i < replay->seen; i++) {
        text_append(text, "           ");
        record_text(text, &replay->recent[i % CONTEXT], replay->names);
        text_append(text, "\n");
    }
}

static void append_record(struct replay *replay, const char *label,
                          const struct trace_record *record, const struct record_names *names)
{
    text_format(&replay->difference, "%-10s ", label);
    if (record == NULL) {
        text_append(&replay->difference, "(nothing)");
    } else if (record->kind >= TRACE_KIND_COUNT) {
        text_format(&replay->difference, "#%" PRIu64 " of the unknown kind %d", record->number,
                    record->kind);
    } else {
        record_text(&replay->difference, record, names);
    }
    text_append(&replay->difference, "\n");
}

/* Names may be numbered otherwise in another version: their texts count. The resolved scenario has
 * other lines than the one that ran first. */
static bool is_same(const struct replay *replay, const struct trace_record *now)
{
    const struct trace_record *stored = &replay->stored;
    if (stored->number != now->number || stored->at != now->at || stored->kind != now->kind) {
        return false;
    }
    const struct trace_kind *kind = &trace_kinds[now->kind];
    for (uint32_t i = 0; i < kind->field_count; i++) {
        if (kind->fields[i].type == FIELD_NAME) {
            const char *text = replay->names->name(replay->names->self, now->field[i]);
            if (strcmp(text, store_name(replay->reader, stored->field[i])) != 0) return false;
        } else if (kind->fields[i].type != FIELD_LINE && stored->field[i] != now->field[i]) {
            return false;
        }
    }
    return true;
}

static void compare_record(struct replay *replay, const struct trace_record *record, bool is_kept)
{
    bool is_due = replay->has_stored && replay->stored.number <= record->number;
    if (is_kept && replay->has_stored && is_same(replay, record)) {
        read_event(replay);
        return;
    }
    if (!is_kept && !is_due) return;
    text_format(&replay->difference, "the first record that differs is number %" PRIu64 ":\n",
                is_due ? replay->stored.number : record->number);
    append_context(replay);
    append_record(replay, "stored", is_due ? &replay->stored : NULL, &replay->stored_names);
    append_record(replay, "now", is_kept || !is_due ? record : NULL, replay->names);
}

static void format_fingerprints(const struct replay *replay, char texts[3][17])
{
    struct fingerprints now = trace_fingerprints(replay->sim);
    const uint64_t values[] = {now.workload, now.protocol, now.full};
    for (int i = 0; i < 3; i++)
        snprintf(texts[i], 17, "%016" PRIx64, values[i]);
}

static void compare_checkpoint(struct replay *replay)
{
    char now[3][17];
    format_fingerprints(replay, now);
    static const char *const names[] = {"workload", "protocol", "full"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(now[i], replay->checkpoint.fingerprints[i]) == 0) continue;
        struct text *text = &replay->difference;
        uint64_t from = replay->agreed.number == 0 ? 0 : replay->agreed.number + 1;
        text_format(text, "the first difference lies in records %" PRIu64 " to %" PRIu64 ", from ",
                    from, replay->checkpoint.number);
        moment_format(text, replay->agreed.at);
        text_append(text, " to ");
        moment_format(text, replay->checkpoint.at);
        text_format(text,
                    ": the %s fingerprint at its end was %s, now %s\n(of these records the store "
                    "keeps none that differs; run with --events all to find the very one)\n",
                    names[i], replay->checkpoint.fingerprints[i], now[i]);
        return;
    }
    replay->agreed = replay->checkpoint;
    read_checkpoint(replay);
}

void replay_observe(void *self, const struct trace_record *record)
{
    struct replay *replay = self;
    if (replay_differs(replay)) return;
    compare_record(replay, record, store_filter_keeps(&replay->filter, record));
    if (replay_differs(replay)) return;
    if (replay->has_checkpoint && record->number >= replay->checkpoint.number) {
        compare_checkpoint(replay);
    }
    replay->recent[replay->seen++ % CONTEXT] = *record;
}

static void compare_end(struct replay *replay)
{
    if (replay->has_stored) {
        text_format(&replay->difference, "the run ends earlier than it did; the store goes on:\n");
        append_context(replay);
        append_record(replay, "stored", &replay->stored, &replay->stored_names);
        return;
    }
    const struct store_run_row *run = store_run_row(replay->reader);
    char now[3][17];
    format_fingerprints(replay, now);
    static const char *const names[] = {"workload", "protocol", "full"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(now[i], run->fingerprints[i]) == 0) continue;
        text_format(&replay->difference, "the %s fingerprint was %s, now it is %s\n", names[i],
                    run->fingerprints[i], now[i]);
    }
    if (replay_differs(replay)) {
        text_format(&replay->difference,
                    "and yet every record that the store keeps is the same; the difference is in "
                    "one it does not keep, after record %" PRIu64 "\n",
                    replay->agreed.number);
    }
}

bool replay_finish(struct replay *replay, struct text *report)
{
    if (!replay_differs(replay)) compare_end(replay);
    if (replay->damage != NULL) {
        text_format(report, "run.db cannot be read further: %s\n", replay->damage);
    }
    text_append(report, text_data(&replay->difference));
    return !replay_differs(replay);
}
