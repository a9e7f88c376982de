/* tools/log_producers.c: records that producers failed to send. Outages bring thousands of them, so
 * what one producer suffers for one reason within ten seconds makes one line, where it begins. */
#include "tools/log_internal.h"

#include "model/kafka_types.h"
#include "sim/check.h"
#include "tools/moment.h"

#include <inttypes.h>
#include <stdlib.h>

struct log_producers {
    struct log_words *words;
    sqlite3_stmt *rows; /* NULL = there are none left */
    sim_time at;        /* of the present row */
};

/* SEND_FAILED: producer, partition, count, why, error, attempts, waited, … */
static const char sql[] =
    "select min(at_ns), f0, f3, f4, sum(f2), min(f1), count(distinct f1), max(f5), max(f6),"
    " max(at_ns) from events where kind=?1 group by f0, f3, f4, at_ns / 10000000000"
    " order by min(number)";
enum column { AT, PRODUCER, WHY, ERROR, RECORDS, PARTITION, PARTITIONS, ATTEMPTS, WAITED, LAST_AT };

static void next_row(struct log_producers *producers)
{
    if (producers->rows == NULL) return;
    if (sqlite3_step(producers->rows) == SQLITE_ROW) {
        producers->at = sqlite3_column_int64(producers->rows, AT);
        return;
    }
    sqlite3_finalize(producers->rows);
    producers->rows = NULL;
}

struct log_producers *log_producers_new(struct log_words *words)
{
    struct log_producers *producers = tool_allocate(sizeof *producers);
    producers->words = words;
    sqlite3 *database = store_database(words->reader);
    if (sqlite3_prepare_v2(database, sql, -1, &producers->rows, NULL) == SQLITE_OK)
        sqlite3_bind_int(producers->rows, 1, TRACE_SEND_FAILED);
    next_row(producers);
    return producers;
}

sim_time log_producers_next_at(const struct log_producers *producers)
{
    return producers->rows == NULL ? SIM_TIME_NEVER : producers->at;
}

static const struct {
    const char *text; /* before the records */
    enum log_level level;
} why_texts[] = {
    [SEND_FAILED] = {"(application) send() failed: ", LOG_ERROR},
    [SEND_DROPPED] = {"(acks=0, and it is not told) lost ", LOG_WARN},
    [SEND_UNSENT] = {"(killed) lost, from its memory, ", LOG_WARN},
    [SEND_UNHEARD] = {"(killed) sent, but not answered yet: ", LOG_WARN},
    [SEND_DOWN] = {"(not running) nobody took ", LOG_WARN},
};

/* "40 records of orders-0 and 2 other partitions" */
static void append_records(struct log_words *words, sqlite3_stmt *row)
{
    int64_t records = sqlite3_column_int64(row, RECORDS);
    int64_t others = sqlite3_column_int64(row, PARTITIONS) - 1;
    struct text *text = &words->text;
    text_format(text, "%" PRId64 " record%s of ", records, records == 1 ? "" : "s");
    log_partition_name(words, sqlite3_column_int64(row, PARTITION), text);
    if (others == 0) return;
    text_format(text, " and %" PRId64 " other partition%s", others, others == 1 ? "" : "s");
}

void log_producers_say(struct log_producers *producers)
{
    struct log_words *words = producers->words;
    sqlite3_stmt *row = producers->rows;
    int64_t why = sqlite3_column_int64(row, WHY);
    int64_t error = sqlite3_column_int64(row, ERROR);
    int64_t attempts = sqlite3_column_int64(row, ATTEMPTS);
    sim_time lasts = sqlite3_column_int64(row, LAST_AT) - producers->at;
    if (why < 0 || why >= (int64_t)ARRAY_LEN(why_texts)) {
        next_row(producers);
        return;
    }
    struct text *text = &words->text;
    text_clear(text);
    text_clear(&words->source);
    const char *name = store_name(words->reader, sqlite3_column_int64(row, PRODUCER));
    text_append(&words->source, name);
    text_format(text, "[Producer clientId=%s] %s", name, why_texts[why].text);
    append_records(words, row);
    if (why == SEND_FAILED) {
        text_append(text, ", given ");
        duration_format(text, sqlite3_column_int64(row, WAITED));
        text_format(text, " before, %" PRId64 " attempt%s", attempts, attempts == 1 ? "" : "s");
    }
    if (error != KAFKA_NONE) text_format(text, ": %s", kafka_error_name((int32_t)error));
    if (lasts > 0) {
        text_append(text, " (within ");
        duration_format(text, lasts);
        text_append(text, ")");
    }
    log_emit(words, producers->at, why_texts[why].level, NAME_NONE);
    next_row(producers);
}

void log_producers_free(struct log_producers *producers)
{
    sqlite3_finalize(producers->rows);
    free(producers);
}
