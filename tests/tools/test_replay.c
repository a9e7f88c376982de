/* A run that happens again, held against its store: identical, or the first difference by name. */
#include "tests/tools/harness/synthetic.h"
#include "tools/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *name_of(const void *sim, int64_t name)
{
    struct sim *mutable_sim = (struct sim *)(uintptr_t)sim; /* sim_names gives names to write */
    return names_text(sim_names(mutable_sim), (name_id)name);
}

static void partition_of(const void *sim, int64_t partition, struct text *text)
{
    (void)sim;
    text_format(text, "orders-%d", PARTITION_NUMBER((uint32_t)partition));
}

/* What the small run does; `twist` changes one thing. */
enum twist { NO_TWIST, OTHER_OFFSET, OTHER_NAME, SHORTER, LONGER, OTHER_LINE, OTHER_BULK };

static void happen(struct sim *sim, enum twist twist)
{
    struct names *names = sim_names(sim);
    if (twist == OTHER_NAME) names_intern(names, "shifts all numbers of names");
    name_id group = names_intern(names, "billing");
    name_id member = names_intern(names, twist == OTHER_NAME ? "billing-9" : "billing-1");
    sim_run_until(sim, SECONDS(1));
    TRACE(sim, TRACE_FAULT, FAULT_BEGIN, group, member, NAME_NONE, twist == OTHER_LINE ? 7 : 18, 0,
          0);
    TRACE(sim, TRACE_POSITION, group, member, PARTITION_ID(0, 3), twist == OTHER_OFFSET ? 601 : 600,
          POSITION_COMMITTED, -1);
    int count = twist == SHORTER ? 10 : twist == LONGER ? 30 : 20;
    for (int i = 0; i < count; i++) {
        sim_run_until(sim, SECONDS(2 + i));
        bool is_twisted = twist == OTHER_BULK && i == 12;
        TRACE(sim, TRACE_HIGH_WATERMARK, PARTITION_ID(0, 3), is_twisted ? 1000 : i, i);
        TRACE(sim, TRACE_SAMPLE, i);
    }
}

static char run[256];

static void store_it(enum store_events events)
{
    struct synthetic *s = synthetic_new("replay", "orders", events);
    happen(s->sim, NO_TWIST);
    snprintf(run, sizeof run, "%s", s->directory);
    synthetic_finish(s);
}

static void alter(const char *sql)
{
    char path[300];
    snprintf(path, sizeof path, "%s/run.db", run);
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

/* "" when it is identical. */
static const char *replayed(enum twist twist)
{
    static char report[4096];
    char *error = NULL;
    struct store_reader *reader = store_open(run, &error);
    if (reader == NULL) fail_msg("%s", error);
    struct sim *sim = sim_new(&(struct sim_options){.seed = 42});
    trace_set_kinds(sim_trace(sim), trace_kinds, TRACE_KIND_COUNT);
    const struct record_names names = {sim, name_of, partition_of};
    struct replay *replay = replay_new(reader, sim, &names, &error);
    assert_non_null(replay);
    trace_observe(sim_trace(sim), replay_observe, replay, NULL);
    happen(sim, twist);
    struct text text = {0};
    bool same = replay_finish(replay, &text);
    snprintf(report, sizeof report, "%s", text_data(&text));
    assert_int_equal(same, *report == '\0');
    text_free(&text);
    replay_free(replay);
    sim_free(sim);
    store_close(reader);
    return report;
}

static void the_same_again_is_identical(void **state)
{
    (void)state;
    for (int events = 0; events < STORE_EVENTS_COUNT; events++) {
        store_it((enum store_events)events);
        assert_string_equal(replayed(NO_TWIST), "");
        assert_string_equal(replayed(OTHER_LINE), "");
    }
}

static void the_first_other_record_is_named(void **state)
{
    (void)state;
    store_it(STORE_EVENTS_BOUNDED);
    assert_string_equal(
        replayed(OTHER_OFFSET),
        "the first record that differs is number 1:\n"
        "           #0 1.000 s fault phase=BEGIN fault=billing target=billing-1 other= line=18 "
        "duration=0.000 s number=0\n"
        "stored     #1 1.000 s position group=billing member=billing-1 partition=orders-3 "
        "offset=600 cause=COMMITTED previous=-1\n"
        "now        #1 1.000 s position group=billing member=billing-1 partition=orders-3 "
        "offset=601 cause=COMMITTED previous=-1\n");
    assert_non_null(strstr(replayed(OTHER_NAME), "number 0:\nstored     #0 1.000 s fault "
                                                 "phase=BEGIN fault=billing target=billing-1"));
}

static void an_end_too_early_or_too_late_is_named(void **state)
{
    (void)state;
    store_it(STORE_EVENTS_BOUNDED);
    assert_non_null(
        strstr(replayed(SHORTER), "the run ends earlier than it did; the store goes on:"));
    assert_non_null(strstr(replayed(SHORTER), "stored     #22 12.000 s high_watermark"));
    assert_non_null(strstr(replayed(LONGER), "the first record that differs is number 42:"));
    assert_non_null(strstr(replayed(LONGER), "stored     (nothing)\nnow        #42 22.000 s"));
}

static void what_the_store_does_not_keep_shows_in_fingerprints(void **state)
{
    (void)state;
    store_it(STORE_EVENTS_GROUPS);
    const char *report = replayed(OTHER_BULK);
    assert_non_null(strstr(report, "the full fingerprint was "));
    assert_null(strstr(report, "the workload fingerprint"));
    assert_non_null(strstr(report, "the difference is in one it does not keep"));
}

static void an_altered_store_is_found_out(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        const char *said;
    } cases[] = {
        {"update events set f3=599 where number=1", "the first record that differs is number 1:"},
        {"update events set at_ns=at_ns+1 where number=9", "differs is number 9:"},
        {"delete from events where number=7", "stored     (nothing)\nnow        #7 "},
        {"insert into events(number, at_ns, kind, f0) values(1000, 0, 1, 1)", "the store goes on:"},
        {"update names set text='billing-2' where text='billing-1'", "differs is number 0:"},
        {"update run set fingerprint_workload='0'", "the workload fingerprint was 0, now it is "},
        {"update events set kind=999 where number=5", "stored     #5 of the unknown kind 999"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        store_it(STORE_EVENTS_BOUNDED);
        alter(cases[i].sql);
        const char *report = replayed(NO_TWIST);
        if (strstr(report, cases[i].said) == NULL) fail_msg("%s gave:\n%s", cases[i].sql, report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_again_is_identical),
        cmocka_unit_test(the_first_other_record_is_named),
        cmocka_unit_test(an_end_too_early_or_too_late_is_named),
        cmocka_unit_test(what_the_store_does_not_keep_shows_in_fingerprints),
        cmocka_unit_test(an_altered_store_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
