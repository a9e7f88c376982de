#include "tools/store_schema.h"

#include "model/kafka_types.h"
#include "model/trace_kinds.h"
#include "sim/check.h"
#include "tools/text.h"

static const char schema[] =
    "create table schema_notes(object text primary key, note text) without rowid;"
    "create table run(format integer, version text, scenario text, scenario_text text,"
    " seed integer, seed_text text, tie_order text, events_kept text, duration_ns integer,"
    " sample_ns integer, engine_events integer, records integer, fingerprint_workload text,"
    " fingerprint_protocol text, fingerprint_full text);"
    "create table kinds(kind integer primary key, name text, class text, help text, bulk integer,"
    " emitted integer default 0, kept integer default 0, kept_until_ns integer);"
    "create table kind_fields(kind integer, field integer, name text, type text,"
    " primary key(kind, field)) without rowid;"
    "create table enum_values(kind integer, field integer, value integer, name text,"
    " primary key(kind, field, value)) without rowid;"
    "create table errors(error integer primary key, name text);"
    "create table names(id integer primary key, text text);"
    "create table partitions(id integer primary key, topic text, partition integer, name text);"
    "create table events(number integer primary key, at_ns integer, kind integer,"
    " f0 integer, f1 integer, f2 integer, f3 integer, f4 integer, f5 integer, f6 integer,"
    " f7 integer, f8 integer, f9 integer);"
    "create table series(step integer, at_ns integer, group_id integer, partition_id integer,"
    " log_start_offset integer, log_end_offset integer, next_offset integer,"
    " committed_offset integer, lag_records integer, lag_ns integer, owner_id integer);"
    "create table intervals(what text, group_id integer, partition_id integer, member_id integer,"
    " begin_ns integer, end_ns integer, generation integer, detail text);"
    "create table anomalies(what text, group_id integer, partition_id integer,"
    " begin_offset integer, end_offset integer, at_ns integer, member_id integer,"
    " other_id integer, detail text, records integer);"
    "create table summary(path text primary key, value) without rowid;"
    "create table checkpoints(number integer primary key, at_ns integer, workload text,"
    " protocol text, full text);";

static const struct {
    const char *object;
    const char *note;
} notes[] = {
    {"run", "One row. seed is unsigned: read seed_text when it is negative. scenario_text replays "
            "alone. events_kept is the --events choice."},
    {"kinds", "Every kind of trace record: emitted in the run, kept in events, and until which "
              "instant (null: to the end). A bulk kind grows with traffic."},
    {"kind_fields", "What f0..f9 of events mean. count, offset and bytes are plain numbers, time "
                    "and duration nanoseconds; name, partition, enum and error are looked up."},
    {"enum_values", "Values of the fields whose type is enum."},
    {"errors", "Kafka's error codes."},
    {"names", "Text of the numbers in fields of type name and in *_id columns. 0 is no name."},
    {"partitions", "Fields of type partition, and partition_id columns."},
    {"events", "The trace. number counts all records of the run from 0, kept or not; at_ns is "
               "virtual time. Read it by the event_* views."},
    {"event_*", "One view per kind. Columns carry the names of the fields; some are words of SQL "
                "(\"group\", \"from\", \"to\"): quote them."},
    {"series", "The state at each sample step: offsets, lag in records (log end - next) and in ns "
               "(age of the record at next), and the consumer that owns the partition in its own "
               "view. next_offset is what the group will process next. -1 is none. Of very many "
               "samples only every so many-th is here; step counts those."},
    {"series_named", "series with group, topic, partition and owner as text."},
    {"intervals", "ownership: a consumer held a partition (its own view), detail is how it ended. "
                  "rebalance: the group had left Stable; forming: the same before it was ever "
                  "Stable. detail is the first cause."},
    {"intervals_named", "intervals with group, topic, partition and member as text."},
    {"anomalies",
     "What the ledger found, and why (detail): duplicate, skipped, lost and zombie work by offsets "
     "[begin_offset, end_offset); poll skip and poll rewind of one consumer; rejected commit "
     "(detail "
     "is the error), commit rewind, offset reset; reordered, ahead of its key, copy; waiting at "
     "the end. Of the group as a "
     "whole, without a partition: cascade (records is 1), unnecessary move and imbalance (records "
     "counts partitions). Of each kind the first ones; the summary has the sums."},
    {"anomalies_named", "anomalies with group, topic, partition and members as text."},
    {"summary", "Every figure of summary.json, by its path."},
    {"checkpoints", "The three running fingerprints after record `number`, every 65536 records."},
};

#define NAME_OF(column) "(select text from names where id=" column ")"
#define TOPIC_COLUMNS                                                                              \
    "(select topic from partitions where id=partition_id) as topic,"                               \
    "(select partition from partitions where id=partition_id) as partition"

/* Laid out by hand: the formatter breaks literals between macros letter by letter. */
/* clang-format off */
static const char named_views[] =
    "create view series_named as select step, at_ns, " NAME_OF("group_id") " as \"group\", "
    TOPIC_COLUMNS ", log_start_offset, log_end_offset, next_offset, committed_offset,"
    " lag_records, lag_ns, " NAME_OF("owner_id") " as owner from series;"
    "create view intervals_named as select what, " NAME_OF("group_id") " as \"group\", "
    TOPIC_COLUMNS ", " NAME_OF("member_id") " as member, begin_ns, end_ns, generation, detail"
    " from intervals;"
    "create view anomalies_named as select what, " NAME_OF("group_id") " as \"group\", "
    TOPIC_COLUMNS ", begin_offset, end_offset, at_ns, " NAME_OF("member_id") " as member, "
    NAME_OF("other_id") " as other, detail, records from anomalies;";
/* clang-format on */

static const char *const type_names[] = {
    [FIELD_NONE] = "none",   [FIELD_NAME] = "name",     [FIELD_PARTITION] = "partition",
    [FIELD_COUNT] = "count", [FIELD_OFFSET] = "offset", [FIELD_TIME] = "time",
    [FIELD_BYTES] = "bytes", [FIELD_FLAG] = "flag",     [FIELD_DURATION] = "duration",
    [FIELD_ERROR] = "error", [FIELD_ENUM] = "enum",     [FIELD_LINE] = "line",
};

static const char *const class_names[] = {
    [TRACE_FULL] = "full", [TRACE_WORKLOAD] = "workload", [TRACE_PROTOCOL] = "protocol"};

static const uint16_t bulk_kinds[] = {
    TRACE_ARRIVAL,     TRACE_BATCH_APPENDED, TRACE_HIGH_WATERMARK, TRACE_PRODUCE_DONE,
    TRACE_TRANSACTION, TRACE_GROUP_REQUEST,  TRACE_GROUP_RESPONSE, TRACE_COMMITTED,
    TRACE_COMMIT_SENT, TRACE_COMMIT_DONE,    TRACE_DELIVERED,      TRACE_PROCESSED,
    TRACE_SINK,        TRACE_UNREADABLE,     TRACE_GIVEN_UP,       TRACE_SEND_FAILED,
    TRACE_COMPACTED,
};

bool store_kind_is_bulk(uint16_t kind)
{
    for (size_t i = 0; i < ARRAY_LEN(bulk_kinds); i++) {
        if (bulk_kinds[i] == kind) return true;
    }
    return false;
}

static int run_sql(sqlite3 *database, const char *sql)
{
    return sqlite3_exec(database, sql, NULL, NULL, NULL);
}

/* Runs `sql` once with the given values; texts are static or outlive the call. */
static int insert_row(sqlite3 *database, const char *sql, const int64_t *numbers, int number_count,
                      const char *const *texts, int text_count)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    if (result != SQLITE_OK) return result;
    for (int i = 0; i < number_count; i++)
        sqlite3_bind_int64(statement, i + 1, numbers[i]);
    for (int i = 0; i < text_count; i++) {
        sqlite3_bind_text(statement, number_count + i + 1, texts[i], -1, SQLITE_STATIC);
    }
    result = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int describe_kind(sqlite3 *database, uint16_t number)
{
    const struct trace_kind *kind = &trace_kinds[number];
    int result =
        insert_row(database, "insert into kinds(kind, bulk, name, class, help) values(?,?,?,?,?)",
                   (const int64_t[]){number, store_kind_is_bulk(number)}, 2,
                   (const char *const[]){kind->name, class_names[kind->class], kind->help}, 3);
    for (uint32_t i = 0; i < kind->field_count && result == SQLITE_OK; i++) {
        const struct trace_field *field = &kind->fields[i];
        result =
            insert_row(database, "insert into kind_fields(kind, field, name, type) values(?,?,?,?)",
                       (const int64_t[]){number, i}, 2,
                       (const char *const[]){field->name, type_names[field->type]}, 2);
        for (uint32_t value = 0; value < field->enum_count && result == SQLITE_OK; value++) {
            result =
                insert_row(database,
                           "insert into enum_values(kind, field, value, name) values(?,?,?,?)",
                           (const int64_t[]){number, i, value}, 3, &field->enum_names[value], 1);
        }
    }
    return result;
}

int store_schema_create(sqlite3 *database)
{
    int result = run_sql(database, schema);
    for (size_t i = 0; i < ARRAY_LEN(notes) && result == SQLITE_OK; i++) {
        result = insert_row(database, "insert into schema_notes values(?,?)", NULL, 0,
                            (const char *const[]){notes[i].object, notes[i].note}, 2);
    }
    static const struct {
        int64_t error;
        const char *name;
    } errors[] = {
#define X(name, value) {value, #name},
        KAFKA_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(errors) && result == SQLITE_OK; i++) {
        result = insert_row(database, "insert into errors values(?,?)", &errors[i].error, 1,
                            &errors[i].name, 1);
    }
    for (uint16_t kind = 0; kind < TRACE_KIND_COUNT && result == SQLITE_OK; kind++) {
        result = describe_kind(database, kind);
    }
    return result;
}

static void append_view_column(struct text *sql, uint16_t kind, const struct trace_field *field,
                               uint32_t number)
{
    switch (field->type) {
    case FIELD_NAME:
        text_format(sql, ", (select text from names where id=f%u) as \"%s\"", number, field->name);
        return;
    case FIELD_PARTITION:
        text_format(sql, ", (select name from partitions where id=f%u) as \"%s\"", number,
                    field->name);
        return;
    case FIELD_ERROR:
        text_format(sql, ", (select name from errors where error=f%u) as \"%s\"", number,
                    field->name);
        return;
    case FIELD_ENUM:
        text_format(sql,
                    ", (select name from enum_values e where e.kind=%d and e.field=%u"
                    " and e.value=f%u) as \"%s\"",
                    kind, number, number, field->name);
        return;
    case FIELD_TIME:
    case FIELD_DURATION: text_format(sql, ", f%u as \"%s_ns\"", number, field->name); return;
    case FIELD_NONE:
    case FIELD_COUNT:
    case FIELD_OFFSET:
    case FIELD_BYTES:
    case FIELD_LINE:
    case FIELD_FLAG: text_format(sql, ", f%u as \"%s\"", number, field->name); return;
    }
}

int store_schema_create_views(sqlite3 *database)
{
    int result = run_sql(database, named_views);
    struct text sql = {0};
    for (uint16_t kind = 0; kind < TRACE_KIND_COUNT && result == SQLITE_OK; kind++) {
        text_clear(&sql);
        text_format(&sql, "create view event_%s as select number, at_ns, at_ns/1e9 as at_s",
                    trace_kinds[kind].name);
        for (uint32_t i = 0; i < trace_kinds[kind].field_count; i++) {
            append_view_column(&sql, kind, &trace_kinds[kind].fields[i], i);
        }
        text_format(&sql, " from events where kind=%u order by number", kind);
        result = run_sql(database, text_data(&sql));
    }
    text_free(&sql);
    return result;
}

int store_schema_create_indexes(sqlite3 *database)
{
    return run_sql(database, "create index events_by_kind on events(kind, number);"
                             "create index series_by_group on series(group_id, step);"
                             "create index intervals_by_group on intervals(what, group_id);");
}
