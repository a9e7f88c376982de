#include "tools/store.h"

#include "sim/check.h"
#include "tools/store_intervals.h"
#include "tools/store_schema.h"
#include "tools/text.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows per transaction: enough to make its cost vanish, few enough to bound SQLite's cache. */
#define ROWS_PER_TRANSACTION 65536

enum statement {
    INSERT_EVENT,
    INSERT_NAME,
    INSERT_PARTITION,
    INSERT_SAMPLE,
    INSERT_INTERVAL,
    INSERT_ANOMALY,
    INSERT_SUMMARY,
    INSERT_CHECKPOINT,
    STATEMENT_COUNT
};

static const char *const statements_sql[STATEMENT_COUNT] = {
    [INSERT_EVENT] = "insert into events values(?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [INSERT_NAME] = "insert into names values(?,?)",
    [INSERT_PARTITION] = "insert or ignore into partitions values(?,?,?,?)",
    [INSERT_SAMPLE] = "insert into series values(?,?,?,?,?,?,?,?,?,?,?)",
    [INSERT_INTERVAL] = "insert into intervals values(?,?,?,?,?,?,?,?)",
    [INSERT_ANOMALY] = "insert into anomalies values(?,?,?,?,?,?,?,?,?,?)",
    [INSERT_SUMMARY] = "insert or replace into summary values(?,?)",
    [INSERT_CHECKPOINT] = "insert into checkpoints values(?,?,?,?,?)",
};

/* Numbers seen before, one bit each. Names and topics are few and dense. */
struct number_set {
    uint64_t *words;
    size_t word_count;
};

struct store {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct store_options options;
    struct store_filter filter;
    sim_time cut_at[TRACE_KIND_COUNT]; /* the first record not kept; SIM_TIME_NEVER: none */
    struct number_set names_seen;
    struct number_set *partitions_seen; /* shape [topics_seen], by partition number */
    size_t topics_seen;
    uint64_t rows; /* in the open transaction */
    uint64_t next_checkpoint;
    sim_time last_at;
    struct store_intervals *intervals;
    char *error;
};

static const char *const events_names[STORE_EVENTS_COUNT] = {
#define X(name, text) text,
    STORE_EVENTS(X)
#undef X
};

const char *store_events_name(enum store_events events)
{
    return events_names[events];
}

bool store_events_find(const char *name, enum store_events *events)
{
    for (int i = 0; i < STORE_EVENTS_COUNT; i++) {
        if (strcmp(events_names[i], name) != 0) continue;
        *events = (enum store_events)i;
        return true;
    }
    return false;
}

/* Kafka's error in a record, KAFKA_NONE (0) when its kind has none. */
static int64_t error_of(const struct trace_record *record)
{
    const struct trace_kind *kind = &trace_kinds[record->kind];
    for (uint32_t i = 0; i < kind->field_count; i++) {
        if (kind->fields[i].type == FIELD_ERROR) return record->field[i];
    }
    return 0;
}

static bool keeps_bulk(struct store_filter *filter, const struct trace_record *record)
{
    if (error_of(record) == 0) return filter->kept[record->kind] < STORE_BULK_LIMIT;
    return filter->errors_kept[record->kind]++ < STORE_BULK_LIMIT;
}

bool store_filter_keeps(struct store_filter *filter, const struct trace_record *record)
{
    uint16_t kind = record->kind;
    filter->emitted[kind]++;
    bool keeps = false;
    switch (filter->events) {
    case STORE_EVENTS_BOUNDED:
        keeps = !store_kind_is_bulk(kind) || keeps_bulk(filter, record);
        break;
    case STORE_EVENTS_ALL: keeps = true; break;
    case STORE_EVENTS_GROUPS: keeps = !store_kind_is_bulk(kind); break;
    case STORE_EVENTS_NONE:
    case STORE_EVENTS_COUNT: break;
    }
    if (keeps) filter->kept[kind]++;
    return keeps;
}

/* True the first time. */
static bool set_add(struct number_set *set, size_t number)
{
    size_t word = number / 64;
    if (word >= set->word_count) {
        size_t count = set->word_count * 2 > word ? set->word_count * 2 : word + 1;
        set->words = tool_resize(set->words, count * sizeof *set->words);
        memset(set->words + set->word_count, 0, (count - set->word_count) * sizeof *set->words);
        set->word_count = count;
    }
    uint64_t bit = UINT64_C(1) << (number % 64);
    if (set->words[word] & bit) return false;
    set->words[word] |= bit;
    return true;
}

/* The file's name without its directory, which may be a hidden one for now. */
static void fail(struct store *store)
{
    if (store->error != NULL) return;
    const char *slash = strrchr(store->options.path, '/');
    struct text text = {0};
    text_format(&text, "cannot write %s: %s", slash != NULL ? slash + 1 : store->options.path,
                sqlite3_errmsg(store->database));
    store->error = text.data;
}

static void run_sql(struct store *store, const char *sql)
{
    if (store->error != NULL) return;
    if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) != SQLITE_OK) fail(store);
}

/* The statement's values are bound: run it and make it ready for the next row. */
static void insert_row(struct store *store, enum statement which)
{
    sqlite3_stmt *statement = store->statements[which];
    if (store->error == NULL && sqlite3_step(statement) != SQLITE_DONE) fail(store);
    sqlite3_reset(statement);
    if (++store->rows < ROWS_PER_TRANSACTION) return;
    store->rows = 0;
    run_sql(store, "commit; begin");
}

static void bind_text(sqlite3_stmt *statement, int position, const char *text)
{
    sqlite3_bind_text(statement, position, text, -1, SQLITE_TRANSIENT);
}

static void bind_fingerprint(sqlite3_stmt *statement, int position, uint64_t fingerprint)
{
    char digits[17];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)fingerprint);
    bind_text(statement, position, digits);
}

struct store *store_create(const struct store_options *options, char **error)
{
    struct store *store = tool_allocate(sizeof *store);
    store->options = *options;
    store->filter.events = options->events;
    store->next_checkpoint = STORE_CHECKPOINT_EVERY - 1;
    for (int kind = 0; kind < TRACE_KIND_COUNT; kind++)
        store->cut_at[kind] = SIM_TIME_NEVER;
    store->intervals = store_intervals_new(store);

    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(options->path, &store->database, flags, NULL) != SQLITE_OK) fail(store);
    /* The file is thrown away unless the run ends well, so it needs no journal. */
    run_sql(store, "pragma page_size=8192; pragma journal_mode=off; pragma synchronous=off;"
                   "pragma locking_mode=exclusive; pragma cache_size=-8192; begin");
    if (store->error == NULL && store_schema_create(store->database) != SQLITE_OK) fail(store);
    for (int i = 0; i < STATEMENT_COUNT && store->error == NULL; i++) {
        if (sqlite3_prepare_v3(store->database, statements_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[i], NULL) != SQLITE_OK) {
            fail(store);
        }
    }
    if (store->error == NULL) return store;
    *error = store->error;
    store->error = NULL;
    store_abandon(store);
    return NULL;
}

const char *store_error(const struct store *store)
{
    return store->error;
}

static void need_name(struct store *store, name_id name)
{
    if (name == NAME_NONE || !set_add(&store->names_seen, name)) return;
    sqlite3_stmt *statement = store->statements[INSERT_NAME];
    sqlite3_bind_int64(statement, 1, name);
    bind_text(statement, 2, names_text(store->options.names, name));
    insert_row(store, INSERT_NAME);
}

/* A recreated topic's partitions have the names of the old one's. */
static void bind_partition_names(struct store *store, sqlite3_stmt *statement, int64_t partition)
{
    sqlite3_bind_int64(statement, 1, partition);
    sqlite3_bind_null(statement, 2);
    sqlite3_bind_int64(statement, 3, PARTITION_NUMBER((partition_id)partition));
    sqlite3_bind_null(statement, 4);
    if (store->options.partition_name == NULL) return;
    name_id name =
        store->options.partition_name(store->options.partition_name_self, (partition_id)partition);
    const char *text = names_text(store->options.names, name);
    const char *dash = strrchr(text, '-');
    int length = dash != NULL ? (int)(dash - text) : (int)strlen(text);
    sqlite3_bind_text(statement, 2, text, length, SQLITE_TRANSIENT);
    bind_text(statement, 4, text);
}

static bool is_new_partition(struct store *store, int64_t partition)
{
    /* Few topics are created again: their partitions are written more than once, as one row. */
    if (PARTITION_TOPIC_ID(partition) > 0) return true;
    size_t topic = (size_t)PARTITION_TOPIC((partition_id)partition);
    if (topic >= store->topics_seen) {
        size_t old_size = store->topics_seen * sizeof *store->partitions_seen;
        size_t size = (topic + 1) * sizeof *store->partitions_seen;
        store->partitions_seen = tool_resize(store->partitions_seen, size);
        memset((char *)store->partitions_seen + old_size, 0, size - old_size);
        store->topics_seen = topic + 1;
    }
    return set_add(&store->partitions_seen[topic],
                   (size_t)PARTITION_NUMBER((partition_id)partition));
}

static void need_partition(struct store *store, int64_t partition)
{
    if (PARTITION_TOPIC_ID(partition) > 0) need_partition(store, (partition_id)partition);
    if (!is_new_partition(store, partition)) return;
    bind_partition_names(store, store->statements[INSERT_PARTITION], partition);
    insert_row(store, INSERT_PARTITION);
}

static void insert_checkpoint(struct store *store, const struct trace_record *record)
{
    store->next_checkpoint =
        ((record->number + 1) / STORE_CHECKPOINT_EVERY + 1) * STORE_CHECKPOINT_EVERY - 1;
    if (store->options.sim == NULL) return;
    struct fingerprints fingerprints = trace_fingerprints(store->options.sim);
    sqlite3_stmt *statement = store->statements[INSERT_CHECKPOINT];
    sqlite3_bind_int64(statement, 1, (int64_t)record->number);
    sqlite3_bind_int64(statement, 2, record->at);
    bind_fingerprint(statement, 3, fingerprints.workload);
    bind_fingerprint(statement, 4, fingerprints.protocol);
    bind_fingerprint(statement, 5, fingerprints.full);
    insert_row(store, INSERT_CHECKPOINT);
}

static void insert_event(struct store *store, const struct trace_record *record)
{
    const struct trace_kind *kind = &trace_kinds[record->kind];
    sqlite3_stmt *statement = store->statements[INSERT_EVENT];
    sqlite3_bind_int64(statement, 1, (int64_t)record->number);
    sqlite3_bind_int64(statement, 2, record->at);
    sqlite3_bind_int64(statement, 3, record->kind);
    for (uint32_t i = 0; i < kind->field_count; i++) {
        int64_t value = record->field[i];
        if (kind->fields[i].type == FIELD_NAME) need_name(store, (name_id)value);
        if (kind->fields[i].type == FIELD_PARTITION && value >= 0) {
            need_partition(store, value);
        }
        sqlite3_bind_int64(statement, (int)i + 4, value);
    }
    for (uint32_t i = kind->field_count; i < TRACE_FIELDS; i++) {
        sqlite3_bind_null(statement, (int)i + 4);
    }
    insert_row(store, INSERT_EVENT);
}

void store_observe(void *self, const struct trace_record *record)
{
    struct store *store = self;
    if (store->error != NULL) return;
    store->last_at = record->at;
    store_intervals_observe(store->intervals, record);
    if (store_filter_keeps(&store->filter, record)) {
        insert_event(store, record);
    } else if (store->cut_at[record->kind] == SIM_TIME_NEVER) {
        store->cut_at[record->kind] = record->at;
    }
    if (record->number >= store->next_checkpoint) insert_checkpoint(store, record);
}

void store_add_sample(struct store *store, const struct store_sample *sample)
{
    need_name(store, sample->group);
    need_name(store, sample->owner);
    need_partition(store, sample->partition);
    const int64_t values[] = {sample->step,
                              sample->at,
                              sample->group,
                              sample->partition,
                              sample->log_start_offset,
                              sample->log_end_offset,
                              sample->next_offset,
                              sample->committed_offset,
                              sample->lag_records,
                              sample->lag_ns,
                              sample->owner};
    sqlite3_stmt *statement = store->statements[INSERT_SAMPLE];
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        sqlite3_bind_int64(statement, (int)i + 1, values[i]);
    }
    insert_row(store, INSERT_SAMPLE);
}

void store_add_interval(struct store *store, const struct store_interval *interval)
{
    need_name(store, interval->group);
    need_name(store, interval->member);
    sqlite3_stmt *statement = store->statements[INSERT_INTERVAL];
    bind_text(statement, 1, interval->what);
    sqlite3_bind_int64(statement, 2, interval->group);
    if (interval->partition == STORE_PARTITION_UNKNOWN) {
        sqlite3_bind_null(statement, 3);
    } else {
        need_partition(store, (uint32_t)interval->partition);
        sqlite3_bind_int64(statement, 3, interval->partition);
    }
    sqlite3_bind_int64(statement, 4, interval->member);
    sqlite3_bind_int64(statement, 5, interval->begin_at);
    sqlite3_bind_int64(statement, 6, interval->end_at);
    sqlite3_bind_int64(statement, 7, interval->generation);
    bind_text(statement, 8, interval->detail);
    insert_row(store, INSERT_INTERVAL);
}

void store_add_anomaly(struct store *store, const struct store_anomaly *anomaly)
{
    need_name(store, anomaly->group);
    need_name(store, anomaly->member);
    need_name(store, anomaly->other);
    sqlite3_stmt *statement = store->statements[INSERT_ANOMALY];
    bind_text(statement, 1, anomaly->what);
    const int64_t values[] = {anomaly->group,      anomaly->partition, anomaly->begin_offset,
                              anomaly->end_offset, anomaly->at,        anomaly->member,
                              anomaly->other};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        sqlite3_bind_int64(statement, (int)i + 2, values[i]);
    }
    if (anomaly->partition == STORE_PARTITION_UNKNOWN) {
        sqlite3_bind_null(statement, 3);
    } else {
        need_partition(store, (uint32_t)anomaly->partition);
    }
    bind_text(statement, 9, anomaly->detail);
    sqlite3_bind_int64(statement, 10, anomaly->records);
    insert_row(store, INSERT_ANOMALY);
}

void store_add_summary(struct store *store, const char *path, const char *value)
{
    sqlite3_stmt *statement = store->statements[INSERT_SUMMARY];
    bind_text(statement, 1, path);
    bind_text(statement, 2, value);
    insert_row(store, INSERT_SUMMARY);
}

static void write_run(struct store *store, const struct store_run *run)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->database, "insert into run values(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                           -1, &statement, NULL) != SQLITE_OK) {
        fail(store);
        return;
    }
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)run->seed);
    sqlite3_bind_int64(statement, 1, STORE_FORMAT);
    bind_text(statement, 2, run->version);
    bind_text(statement, 3, run->scenario_name);
    bind_text(statement, 4, run->scenario_text);
    sqlite3_bind_int64(statement, 5, (int64_t)run->seed);
    bind_text(statement, 6, seed);
    bind_text(statement, 7, run->tie_order);
    bind_text(statement, 8, store_events_name(store->options.events));
    sqlite3_bind_int64(statement, 9, run->duration_ns);
    sqlite3_bind_int64(statement, 10, run->sample_ns);
    sqlite3_bind_int64(statement, 11, (int64_t)run->engine_events);
    sqlite3_bind_int64(statement, 12, (int64_t)run->records);
    bind_fingerprint(statement, 13, run->fingerprints.workload);
    bind_fingerprint(statement, 14, run->fingerprints.protocol);
    bind_fingerprint(statement, 15, run->fingerprints.full);
    if (sqlite3_step(statement) != SQLITE_DONE) fail(store);
    sqlite3_finalize(statement);
}

static void write_kind_counts(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->database,
                           "update kinds set emitted=?2, kept=?3, kept_until_ns=?4 where kind=?1",
                           -1, &statement, NULL) != SQLITE_OK) {
        fail(store);
        return;
    }
    for (int kind = 0; kind < TRACE_KIND_COUNT && store->error == NULL; kind++) {
        sqlite3_bind_int64(statement, 1, kind);
        sqlite3_bind_int64(statement, 2, (int64_t)store->filter.emitted[kind]);
        sqlite3_bind_int64(statement, 3, (int64_t)store->filter.kept[kind]);
        if (store->cut_at[kind] == SIM_TIME_NEVER) {
            sqlite3_bind_null(statement, 4);
        } else {
            sqlite3_bind_int64(statement, 4, store->cut_at[kind]);
        }
        if (sqlite3_step(statement) != SQLITE_DONE) fail(store);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
}

bool store_finish(struct store *store, const struct store_run *run, char **error)
{
    store_intervals_finish(store->intervals,
                           run->duration_ns > store->last_at ? run->duration_ns : store->last_at);
    if (store->error == NULL) write_run(store, run);
    if (store->error == NULL) write_kind_counts(store);
    if (store->error == NULL && store_schema_create_views(store->database) != SQLITE_OK) {
        fail(store);
    }
    if (store->error == NULL && store_schema_create_indexes(store->database) != SQLITE_OK) {
        fail(store);
    }
    run_sql(store, "commit");
    bool done = store->error == NULL;
    if (!done) {
        *error = store->error;
        store->error = NULL;
    }
    store_abandon(store);
    return done;
}

void store_abandon(struct store *store)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->database);
    store_intervals_free(store->intervals);
    for (size_t i = 0; i < store->topics_seen; i++)
        free(store->partitions_seen[i].words);
    free(store->partitions_seen);
    free(store->names_seen.words);
    free(store->error);
    free(store);
}
