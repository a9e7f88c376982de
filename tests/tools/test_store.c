/* The run store: what goes in comes out, is named, is bounded, and says so. */
#include "tests/tools/harness/synthetic.h"
#include "tools/store_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The single value of a query, as text. */
static const char *query(const char *run, const char *sql)
{
    static char answer[512];
    char *error = NULL;
    struct store_reader *reader = store_open(run, &error);
    if (reader == NULL) fail_msg("%s", error);
    sqlite3_stmt *statement = NULL;
    sqlite3 *database = store_database(reader);
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    }
    const char *text = sqlite3_step(statement) == SQLITE_ROW
                           ? (const char *)sqlite3_column_text(statement, 0)
                           : "(no row)";
    snprintf(answer, sizeof answer, "%s", text != NULL ? text : "(null)");
    sqlite3_finalize(statement);
    store_close(reader);
    return answer;
}

#define assert_query(run, sql, expected) assert_string_equal(query(run, sql), expected)

/* One partition changes hands; returns the run directory. */
static const char *small_run(enum store_events events)
{
    static char directory[256];
    struct synthetic *s = synthetic_new("store", "orders", events);
    name_id group = synthetic_name(s, "billing");
    name_id one = synthetic_name(s, "billing-1");
    name_id two = synthetic_name(s, "billing-2");
    uint32_t partition = PARTITION_ID(0, 7);
    synthetic_at(s, SECONDS(1));
    TRACE(s->sim, TRACE_GROUP_STATE, group, GROUP_TRACE_Empty, GROUP_TRACE_PreparingRebalance, 0, 1,
          2);
    synthetic_at(s, SECONDS(4));
    TRACE(s->sim, TRACE_GROUP_STATE, group, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 1,
          1, 2);
    TRACE(s->sim, TRACE_OWNED, group, one, partition, 1, 1);
    synthetic_at(s, SECONDS(10));
    TRACE(s->sim, TRACE_GROUP_STATE, group, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 1,
          2, 2);
    TRACE(s->sim, TRACE_REBALANCE, group, CAUSE_MEMBER_JOINED, two, NAME_NONE, 1, NAME_NONE);
    TRACE(s->sim, TRACE_COMMIT_REJECTED, group, partition, 500, one, NAME_NONE, 1, 22);
    synthetic_at(s, SECONDS(12));
    TRACE(s->sim, TRACE_DISOWNED, group, one, partition, 1, OWNERSHIP_LOST, 1);
    synthetic_at(s, SECONDS(13));
    TRACE(s->sim, TRACE_GROUP_STATE, group, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 2,
          2, 2);
    TRACE(s->sim, TRACE_OWNED, group, two, partition, 2, 1);
    TRACE(s->sim, TRACE_HIGH_WATERMARK, partition, 900, 900);
    synthetic_at(s, SECONDS(20));
    snprintf(directory, sizeof directory, "%s", s->directory);
    synthetic_finish(s);
    return directory;
}

static void views_name_their_columns(void **state)
{
    (void)state;
    const char *run = small_run(STORE_EVENTS_ALL);
    assert_query(run,
                 "select \"group\" || ' ' || \"from\" || ' ' || \"to\" from event_group_state"
                 " where at_s = 10",
                 "billing Stable PreparingRebalance");
    assert_query(run,
                 "select partition || ' ' || error || ' ' || member from event_commit_rejected",
                 "orders-7 ILLEGAL_GENERATION billing-1");
    assert_query(run, "select cause from event_disowned", "LOST");
    assert_query(run, "select count(*) from schema_notes where note like '% %'", "17");
    assert_query(run, "select topic || ' ' || partition from partitions", "orders 7");
}

static void intervals_are_derived(void **state)
{
    (void)state;
    const char *run = small_run(STORE_EVENTS_NONE);
    assert_query(run, "select count(*) from events", "0");
    assert_query(run,
                 "select (begin_ns/1000000000) || '-' || (end_ns/1000000000) from intervals_named"
                 " where what='forming'",
                 "1-4");
    assert_query(run,
                 "select (begin_ns/1000000000) || '-' || (end_ns/1000000000) || ' ' || detail"
                 " from intervals_named where what='rebalance'",
                 "10-13 MEMBER_JOINED");
    assert_query(run,
                 "select group_concat(member || ' ' || topic || '-' || partition || ' ' ||"
                 " (begin_ns/1000000000) || '-' || (end_ns/1000000000) || ' ' || detail, ', ')"
                 " from (select * from intervals_named where what='ownership' order by"
                 " begin_ns)",
                 "billing-1 orders-7 4-12 LOST, billing-2 orders-7 13-20 OPEN");
}

/* Many partitions held and let go: the table of open intervals must find each again. */
static void every_ownership_is_found_again(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("store_many", "orders", STORE_EVENTS_NONE);
    name_id group = synthetic_name(s, "g");
    name_id members[10];
    for (int i = 0; i < 10; i++) {
        char text[16];
        snprintf(text, sizeof text, "g-%d", i);
        members[i] = synthetic_name(s, text);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        TRACE(s->sim, TRACE_OWNED, group, members[i % 10], PARTITION_ID(i % 3, i), 1, 1);
    }
    synthetic_at(s, SECONDS(5));
    for (uint32_t i = 0; i < 2000; i += 2) {
        TRACE(s->sim, TRACE_DISOWNED, group, members[i % 10], PARTITION_ID(i % 3, i), 1,
              OWNERSHIP_REVOKED, 1);
    }
    synthetic_at(s, SECONDS(9));
    char run[256];
    snprintf(run, sizeof run, "%s", s->directory);
    synthetic_finish(s);
    assert_query(run, "select count(*) from intervals where detail='REVOKED' and end_ns=5000000000",
                 "1000");
    assert_query(run, "select count(*) from intervals where detail='OPEN' and end_ns=9000000000",
                 "1000");
    assert_query(run, "select count(distinct partition_id) from intervals", "2000");
}

static void bulk_kinds_are_bounded_and_say_so(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("store_bulk", "orders", STORE_EVENTS_BOUNDED);
    for (uint64_t i = 0; i < STORE_BULK_LIMIT + 5; i++) {
        synthetic_at(s, MICROSECONDS((int64_t)i));
        TRACE(s->sim, TRACE_HIGH_WATERMARK, PARTITION_ID(0, 0), (int64_t)i, (int64_t)i);
        TRACE(s->sim, TRACE_SAMPLE, (int64_t)i);
    }
    char run[256];
    snprintf(run, sizeof run, "%s", s->directory);
    synthetic_finish(s);
    assert_query(run,
                 "select emitted || ' ' || kept || ' ' || kept_until_ns from kinds"
                 " where name='high_watermark'",
                 "20005 20000 20000000");
    assert_query(run,
                 "select emitted || ' ' || kept || ' ' || coalesce(kept_until_ns, 'all')"
                 " from kinds where name='sample'",
                 "20005 20005 all");
    char *error = NULL;
    struct store_reader *reader = store_open(run, &error);
    assert_non_null(reader);
    assert_int_equal(store_kept_until(reader, TRACE_HIGH_WATERMARK), MILLISECONDS(20));
    assert_int_equal(store_kept_until(reader, TRACE_SAMPLE), SIM_TIME_NEVER);
    store_close(reader);
}

static void checkpoints_follow_the_records(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("store_checkpoints", "orders", STORE_EVENTS_NONE);
    for (uint64_t i = 0; i < 2 * STORE_CHECKPOINT_EVERY + 10; i++) {
        TRACE(s->sim, TRACE_SAMPLE, (int64_t)i);
    }
    char run[256];
    snprintf(run, sizeof run, "%s", s->directory);
    synthetic_finish(s);
    assert_query(run, "select group_concat(number) from checkpoints", "65535,131071");
    assert_query(run, "select count(distinct \"full\") from checkpoints where length(\"full\")=16",
                 "2");
}

struct collected {
    struct trace_record records[32];
    size_t count;
};

static bool collect(void *self, const struct trace_record *record)
{
    struct collected *collected = self;
    collected->records[collected->count++] = *record;
    return collected->count < 32;
}

static void records_come_back_as_emitted(void **state)
{
    (void)state;
    const char *run = small_run(STORE_EVENTS_ALL);
    char *error = NULL;
    struct store_reader *reader = store_open(run, &error);
    assert_non_null(reader);
    struct collected all = {.count = 0};
    assert_true(store_visit(reader, NULL, 0, 0, SECONDS(12), collect, &all, &error));
    assert_int_equal(all.count, 7);
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(all.records[i].number, i);
    const struct trace_record *rejected = &all.records[5];
    assert_int_equal(rejected->kind, TRACE_COMMIT_REJECTED);
    assert_int_equal(rejected->at, SECONDS(10));
    assert_int_equal(rejected->field[2], 500);
    assert_string_equal(store_name(reader, rejected->field[3]), "billing-1");
    assert_int_equal(store_find_name(reader, "billing-2"), rejected->field[3] + 1);
    assert_int_equal(store_find_name(reader, "nobody"), NAME_NONE);
    size_t groups = 0;
    const name_id *group = store_groups(reader, &groups);
    assert_int_equal(groups, 1);
    assert_string_equal(store_name(reader, group[0]), "billing");

    struct collected some = {.count = 0};
    const uint16_t kinds[] = {TRACE_OWNED, TRACE_DISOWNED};
    assert_true(store_visit(reader, kinds, 2, 0, SIM_TIME_NEVER, collect, &some, &error));
    assert_int_equal(some.count, 3);
    store_close(reader);
}

static void assert_cannot_open(const char *run, const char *expected)
{
    char *error = NULL;
    assert_null(store_open(run, &error));
    if (strstr(error, expected) == NULL) fail_msg("\"%s\" does not say \"%s\"", error, expected);
    free(error);
}

static void what_is_no_run_is_refused(void **state)
{
    (void)state;
    char directory[256];
    synthetic_directory("store_none", directory);
    assert_cannot_open("no/such/run", "No such file or directory");
    assert_cannot_open(directory, "is not a run directory: it holds no run.db");
    char path[300];
    snprintf(path, sizeof path, "%s/run.db", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("this is not a database, however long it may be; it is only text", file);
    fclose(file);
    assert_cannot_open(directory, "file is not a database");
    assert_cannot_open(path, "file is not a database");
    assert_int_equal(truncate(path, 0), 0);
    assert_cannot_open(directory, "no such table: run");
}

static void a_place_without_access_is_an_error(void **state)
{
    (void)state;
    const struct store_options options = {.path = "no/such/directory/run.db"};
    char *error = NULL;
    assert_null(store_create(&options, &error));
    assert_string_equal(error, "cannot write run.db: unable to open database file");
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_name_their_columns),
        cmocka_unit_test(intervals_are_derived),
        cmocka_unit_test(every_ownership_is_found_again),
        cmocka_unit_test(bulk_kinds_are_bounded_and_say_so),
        cmocka_unit_test(checkpoints_follow_the_records),
        cmocka_unit_test(records_come_back_as_emitted),
        cmocka_unit_test(what_is_no_run_is_refused),
        cmocka_unit_test(a_place_without_access_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
