/* tools/log_ledger.c: what the ledger found, between the lines of those who knew nothing of it. */
#include "tools/log_internal.h"

#include "model/findings.h"
#include "sim/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct log_ledger {
    struct log_words *words;
    sqlite3_stmt *rows; /* NULL = there are none left */
    sim_time at;        /* of the present row */
};

static void next_row(struct log_ledger *ledger)
{
    if (ledger->rows == NULL) return;
    if (sqlite3_step(ledger->rows) == SQLITE_ROW) {
        ledger->at = sqlite3_column_int64(ledger->rows, 0);
        return;
    }
    sqlite3_finalize(ledger->rows);
    ledger->rows = NULL;
}

struct log_ledger *log_ledger_new(struct log_words *words)
{
    struct log_ledger *ledger = tool_allocate(sizeof *ledger);
    ledger->words = words;
    const char *sql = "select at_ns, what, group_id, partition_id, begin_offset, end_offset,"
                      " records, member_id, other_id, detail from anomalies order by at_ns, rowid";
    sqlite3 *database = store_database(words->reader);
    if (sqlite3_prepare_v2(database, sql, -1, &ledger->rows, NULL) != SQLITE_OK)
        ledger->rows = NULL;
    next_row(ledger);
    return ledger;
}

/* Legal in themselves, and frequent: consequences of hand-overs that others took part in. */
static enum log_level level_of(const char *what)
{
    static const enum finding_kind plain[] = {FINDING_POLL_SKIP,        FINDING_POLL_REWIND,
                                              FINDING_UNNECESSARY_MOVE, FINDING_IMBALANCE,
                                              FINDING_WAITING,          FINDING_COMPACTED};
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        if (strcmp(what, finding_kind_name(plain[i])) == 0) return LOG_INFO;
    }
    return LOG_WARN;
}

/* "duplicate: orders-0 [2450, 2950), 500 records, billing-2 after billing-1: session expired" */
static void say(struct log_ledger *ledger)
{
    struct log_words *words = ledger->words;
    sqlite3_stmt *row = ledger->rows;
    const char *what = (const char *)sqlite3_column_text(row, 1);
    bool has_partition = sqlite3_column_type(row, 3) != SQLITE_NULL;
    int64_t records = sqlite3_column_int64(row, 6);
    const char *member = store_name(words->reader, sqlite3_column_int64(row, 7));
    const char *other = store_name(words->reader, sqlite3_column_int64(row, 8));
    text_clear(&words->text);
    text_clear(&words->source);
    text_append(&words->source, "ledger");
    text_format(&words->text, "%s: ", what);
    if (has_partition) {
        log_partition_name(words, sqlite3_column_int64(row, 3), &words->text);
        int64_t from = sqlite3_column_int64(row, 4);
        int64_t to = sqlite3_column_int64(row, 5);
        if (from == to) text_format(&words->text, " at %" PRId64 ", ", from);
        if (from < to) text_format(&words->text, " [%" PRId64 ", %" PRId64 "), ", from, to);
    }
    bool is_of_records = has_partition || strcmp(what, finding_kind_name(FINDING_LOST)) == 0;
    const char *unit = is_of_records ? "record" : "partition";
    if (strcmp(what, finding_kind_name(FINDING_CASCADE)) == 0) {
        text_append(&words->text, "a rebalance that the one before brought about, ");
    } else {
        text_format(&words->text, "%" PRId64 " %s%s, ", records, unit, records == 1 ? "" : "s");
    }
    if (*member != '\0') text_append(&words->text, member);
    if (*other != '\0' && strcmp(other, member) != 0)
        text_format(&words->text, "%s%s %s", *member != '\0' ? " " : "",
                    strcmp(what, finding_kind_name(FINDING_IMBALANCE)) == 0 ? "against" : "after",
                    other);
    if (*member != '\0' || *other != '\0') text_append(&words->text, ": ");
    text_append(&words->text, (const char *)sqlite3_column_text(row, 9));
    log_emit(words, ledger->at, level_of(what), (name_id)sqlite3_column_int64(row, 2));
}

sim_time log_ledger_next_at(const struct log_ledger *ledger)
{
    return ledger->rows == NULL ? SIM_TIME_NEVER : ledger->at;
}

void log_ledger_say(struct log_ledger *ledger)
{
    say(ledger);
    next_row(ledger);
}

void log_ledger_free(struct log_ledger *ledger)
{
    sqlite3_finalize(ledger->rows);
    free(ledger);
}
