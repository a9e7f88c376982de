#include "tools/store_reader.h"

#include "sim/check.h"
#include "tools/text.h"
#include "tools/version.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct name_row {
    int64_t id;
    char *text;
};

struct partition_place {
    uint32_t id;
    uint32_t index; /* in partitions */
};

struct store_reader {
    sqlite3 *database;
    char *directory;
    struct store_run_row run;
    char *run_texts[8];
    struct name_row *names; /* ascending ids */
    size_t name_count;
    struct store_partition *partitions; /* by topic and number */
    size_t partition_count;
    struct partition_place *places; /* by ascending id */
    char **topics;                  /* owns the partitions' topic texts */
    name_id *groups;
    size_t group_count;
    sim_time kept_until[TRACE_KIND_COUNT];
};

static void explain(char **error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void explain(char **error, const char *format, ...)
{
    struct text text = {0};
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    free(*error);
    *error = text.data;
}

static char *column_copy(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return tool_copy(text != NULL ? text : "");
}

static bool read_run(struct store_reader *reader, char **error)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select format, version, scenario, scenario_text, seed_text, tie_order,"
                      " events_kept, duration_ns, sample_ns, engine_events, records,"
                      " fingerprint_workload, fingerprint_protocol, fingerprint_full from run";
    bool read = sqlite3_prepare_v2(reader->database, sql, -1, &statement, NULL) == SQLITE_OK &&
                sqlite3_step(statement) == SQLITE_ROW;
    if (!read) {
        explain(error, "%s/run.db is not a run of Cohort: %s", reader->directory,
                sqlite3_errcode(reader->database) == SQLITE_DONE
                    ? "it holds no run"
                    : sqlite3_errmsg(reader->database));
    } else if (sqlite3_column_int(statement, 0) != STORE_FORMAT) {
        explain(error, "%s/run.db has format %d; this is cohort %s, which reads format %d",
                reader->directory, sqlite3_column_int(statement, 0), version_number(),
                STORE_FORMAT);
        read = false;
    } else {
        static const int text_columns[] = {1, 2, 3, 5, 6, 11, 12, 13};
        for (size_t i = 0; i < ARRAY_LEN(text_columns); i++) {
            reader->run_texts[i] = column_copy(statement, text_columns[i]);
        }
        struct store_run_row *run = &reader->run;
        run->version = reader->run_texts[0];
        run->scenario_name = reader->run_texts[1];
        run->scenario_text = reader->run_texts[2];
        run->tie_order = reader->run_texts[3];
        if (!store_events_find(reader->run_texts[4], &run->events)) run->events = STORE_EVENTS_NONE;
        for (int i = 0; i < 3; i++)
            run->fingerprints[i] = reader->run_texts[5 + i];
        const char *seed = (const char *)sqlite3_column_text(statement, 4);
        run->seed = seed != NULL ? strtoull(seed, NULL, 10) : 0;
        run->duration_ns = sqlite3_column_int64(statement, 7);
        run->sample_ns = sqlite3_column_int64(statement, 8);
        run->engine_events = (uint64_t)sqlite3_column_int64(statement, 9);
        run->records = (uint64_t)sqlite3_column_int64(statement, 10);
    }
    sqlite3_finalize(statement);
    return read;
}

static bool read_kinds(struct store_reader *reader, char **error)
{
    for (int kind = 0; kind < TRACE_KIND_COUNT; kind++)
        reader->kept_until[kind] = 0;
    sqlite3_stmt *statement = NULL;
    const char *sql = "select kind, name, kept_until_ns from kinds";
    int result = sqlite3_prepare_v2(reader->database, sql, -1, &statement, NULL);
    bool known = result == SQLITE_OK;
    while (known && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        int kind = sqlite3_column_int(statement, 0);
        const char *name = (const char *)sqlite3_column_text(statement, 1);
        known = kind >= 0 && kind < TRACE_KIND_COUNT && name != NULL &&
                strcmp(name, trace_kinds[kind].name) == 0;
        if (!known) {
            explain(error,
                    "%s/run.db holds records of the unknown kind %d (%s); it was written by "
                    "cohort %s, this is %s",
                    reader->directory, kind, name != NULL ? name : "", reader->run.version,
                    version_number());
            break;
        }
        reader->kept_until[kind] = sqlite3_column_type(statement, 2) == SQLITE_NULL
                                       ? SIM_TIME_NEVER
                                       : sqlite3_column_int64(statement, 2);
    }
    if (known && result != SQLITE_DONE) {
        explain(error, "cannot read %s/run.db: %s", reader->directory,
                sqlite3_errmsg(reader->database));
        known = false;
    }
    sqlite3_finalize(statement);
    return known;
}

static bool read_names(struct store_reader *reader)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(reader->database, "select id, text from names order by id", -1,
                           &statement, NULL) != SQLITE_OK) {
        return false;
    }
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        if ((reader->name_count & (reader->name_count - 1)) == 0) {
            size_t capacity = reader->name_count == 0 ? 1 : reader->name_count * 2;
            reader->names = tool_resize(reader->names, capacity * sizeof *reader->names);
        }
        reader->names[reader->name_count++] =
            (struct name_row){sqlite3_column_int64(statement, 0), column_copy(statement, 1)};
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE;
}

static int by_id(const void *left, const void *right)
{
    const struct partition_place *a = left;
    const struct partition_place *b = right;
    return a->id < b->id ? -1 : a->id > b->id;
}

static bool read_partitions(struct store_reader *reader)
{
    sqlite3_stmt *statement = NULL;
    /* Those of recreated topics (PARTITION_IN) stand for the same partitions. */
    const char *sql = "select id, coalesce(topic, ''), partition from partitions where id>>32=0"
                      " order by topic, partition, id";
    if (sqlite3_prepare_v2(reader->database, sql, -1, &statement, NULL) != SQLITE_OK) return false;
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        size_t count = reader->partition_count++;
        reader->partitions =
            tool_resize(reader->partitions, (count + 1) * sizeof *reader->partitions);
        reader->topics = tool_resize(reader->topics, (count + 1) * sizeof *reader->topics);
        reader->topics[count] = column_copy(statement, 1);
        reader->partitions[count] = (struct store_partition){
            .id = (uint32_t)sqlite3_column_int64(statement, 0),
            .topic = reader->topics[count],
            .number = sqlite3_column_int(statement, 2),
        };
    }
    sqlite3_finalize(statement);
    reader->places = tool_allocate((reader->partition_count + 1) * sizeof *reader->places);
    for (uint32_t i = 0; i < reader->partition_count; i++) {
        reader->places[i] = (struct partition_place){reader->partitions[i].id, i};
    }
    qsort(reader->places, reader->partition_count, sizeof *reader->places, by_id);
    return result == SQLITE_DONE;
}

static bool read_groups(struct store_reader *reader)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select id from names where id in (select group_id from intervals"
                      " union select group_id from series"
                      " union select f0 from events where kind=?1) order by text";
    if (sqlite3_prepare_v2(reader->database, sql, -1, &statement, NULL) != SQLITE_OK) return false;
    sqlite3_bind_int(statement, 1, TRACE_GROUP_STATE);
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        size_t count = reader->group_count++;
        reader->groups = tool_resize(reader->groups, (count + 1) * sizeof *reader->groups);
        reader->groups[count] = (name_id)sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE;
}

/* Where run.db is: `run` names the directory, or the file itself. */
static bool find_directory(const char *run, char **directory, char **error)
{
    struct stat status;
    if (stat(run, &status) != 0) {
        explain(error, "%s: %s; a run directory is what `cohort run` writes", run, strerror(errno));
        return false;
    }
    size_t length = strlen(run);
    if (!S_ISDIR(status.st_mode)) {
        const char *slash = strrchr(run, '/');
        length = slash != NULL ? (size_t)(slash - run) : 0;
        if (strcmp(slash != NULL ? slash + 1 : run, "run.db") != 0) {
            explain(error, "%s is a file; name the run directory that `cohort run` wrote", run);
            return false;
        }
        if (length == 0) {
            *directory = tool_copy(slash != NULL ? "/" : ".");
            return true;
        }
    }
    while (length > 1 && run[length - 1] == '/')
        length--;
    struct text text = {0};
    text_append_bytes(&text, run, length);
    *directory = text.data;
    return true;
}

struct store_reader *store_open(const char *run, char **error)
{
    char *directory = NULL;
    if (!find_directory(run, &directory, error)) return NULL;
    struct store_reader *reader = tool_allocate(sizeof *reader);
    reader->directory = directory;

    struct text path = {0};
    text_format(&path, "%s/run.db", directory);
    struct stat status;
    bool opened = stat(text_data(&path), &status) == 0;
    if (!opened) {
        explain(error, "%s is not a run directory: it holds no run.db", directory);
    } else if (sqlite3_open_v2(text_data(&path), &reader->database,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        explain(error, "cannot open %s: %s", text_data(&path), sqlite3_errmsg(reader->database));
        opened = false;
    }
    text_free(&path);
    opened = opened && read_run(reader, error) && read_kinds(reader, error);
    if (opened && !(read_names(reader) && read_partitions(reader) && read_groups(reader))) {
        explain(error, "cannot read %s/run.db: %s", directory, sqlite3_errmsg(reader->database));
        opened = false;
    }
    if (opened) return reader;
    store_close(reader);
    return NULL;
}

void store_close(struct store_reader *reader)
{
    if (reader == NULL) return;
    sqlite3_close(reader->database);
    for (size_t i = 0; i < reader->name_count; i++)
        free(reader->names[i].text);
    for (size_t i = 0; i < reader->partition_count; i++)
        free(reader->topics[i]);
    for (size_t i = 0; i < ARRAY_LEN(reader->run_texts); i++)
        free(reader->run_texts[i]);
    free(reader->names);
    free(reader->partitions);
    free(reader->places);
    free(reader->topics);
    free(reader->groups);
    free(reader->directory);
    free(reader);
}

const struct store_run_row *store_run_row(const struct store_reader *reader)
{
    return &reader->run;
}

const char *store_directory(const struct store_reader *reader)
{
    return reader->directory;
}

sqlite3 *store_database(const struct store_reader *reader)
{
    return reader->database;
}

const char *store_name(const struct store_reader *reader, int64_t name)
{
    size_t low = 0;
    size_t high = reader->name_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reader->names[middle].id == name) return reader->names[middle].text;
        if (reader->names[middle].id < name) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return "";
}

name_id store_find_name(const struct store_reader *reader, const char *text)
{
    for (size_t i = 0; i < reader->name_count; i++) {
        if (strcmp(reader->names[i].text, text) == 0) return (name_id)reader->names[i].id;
    }
    return NAME_NONE;
}

const struct store_partition *store_partitions(const struct store_reader *reader, size_t *count)
{
    *count = reader->partition_count;
    return reader->partitions;
}

const struct store_partition *store_find_partition(const struct store_reader *reader, int64_t id)
{
    if (id < 0 || reader->partition_count == 0) return NULL;
    const struct partition_place wanted = {.id = (partition_id)id};
    const struct partition_place *place =
        bsearch(&wanted, reader->places, reader->partition_count, sizeof wanted, by_id);
    return place != NULL ? &reader->partitions[place->index] : NULL;
}

const name_id *store_groups(const struct store_reader *reader, size_t *count)
{
    *count = reader->group_count;
    return reader->groups;
}

sim_time store_kept_until(const struct store_reader *reader, uint16_t kind)
{
    return reader->kept_until[kind];
}

bool store_visit(const struct store_reader *reader, const uint16_t *kinds, size_t kind_count,
                 sim_time from, sim_time to, store_visitor *visit, void *self, char **error)
{
    struct text sql = {0};
    text_append(&sql, "select * from events where at_ns between ?1 and ?2");
    for (size_t i = 0; i < kind_count; i++) {
        text_format(&sql, "%s%d", i == 0 ? " and kind in (" : ",", kinds[i]);
    }
    if (kind_count > 0) text_append(&sql, ")");
    text_append(&sql, " order by number");
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(reader->database, text_data(&sql), -1, &statement, NULL);
    text_free(&sql);
    sqlite3_bind_int64(statement, 1, from);
    sqlite3_bind_int64(statement, 2, to);
    bool goes_on = true;
    while (result == SQLITE_OK && goes_on && sqlite3_step(statement) == SQLITE_ROW) {
        struct trace_record record = {
            .number = (uint64_t)sqlite3_column_int64(statement, 0),
            .at = sqlite3_column_int64(statement, 1),
            .kind = (uint16_t)sqlite3_column_int(statement, 2),
        };
        for (int i = 0; i < TRACE_FIELDS; i++) {
            record.field[i] = sqlite3_column_int64(statement, i + 3);
        }
        if (record.kind >= TRACE_KIND_COUNT) {
            explain(error, "%s/run.db is damaged: record %llu has the unknown kind %d",
                    reader->directory, (unsigned long long)record.number, record.kind);
            sqlite3_finalize(statement);
            return false;
        }
        goes_on = visit(self, &record);
    }
    sqlite3_finalize(statement);
    result = sqlite3_errcode(reader->database);
    if (!goes_on || result == SQLITE_OK || result == SQLITE_DONE) return true;
    explain(error, "cannot read %s/run.db: %s", reader->directory,
            sqlite3_errmsg(reader->database));
    return false;
}
