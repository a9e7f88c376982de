/* Compaction of the group coordinator's log.
 *
 * Logs are written as text: one word for each batch, records apart by commas. "a=5" commits 5 for
 * partition a, "a=-" is its tombstone, "1:a=5" says so in producer 1's transaction, "1+" and "1-"
 * end it, "." is the place of a record that was taken out. */
#include "model/coordinator/coordinator.h"
#include "model/coordinator/group_log_cleaner.h"
#include "sim/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BATCHES_MAX 128
#define KEYS        4

struct log {
    struct memory *memory;
    struct names *names;
    struct coordinator_config config;
    struct group_log_batch *batches[BATCHES_MAX];
    int64_t base_offsets[BATCHES_MAX];
    bool keep[BATCHES_MAX];
    uint32_t count;
    int64_t end_offset;
};

static void add_record(struct log *log, struct group_log_batch *batch, const char *text)
{
    struct topic_partition key = {.topic = names_intern(log->names, "t"),
                                  .partition = text[0] - 'a'};
    const struct offset_value value = {.offset = strtol(text + 2, NULL, 10),
                                       .leader_epoch = -1,
                                       .metadata = NAME_EMPTY,
                                       .expire_timestamp_ms = -1};
    struct group_record record =
        group_record_offset(log->memory, names_intern(log->names, "g"), key,
                            strcmp(text + 2, "-") == 0 ? NULL : &value);
    group_log_batch_add(batch, &record);
}

static void add_batch(struct log *log, char *word)
{
    struct group_log_batch *batch = group_log_batch_new(log->memory);
    batch->producer_id = -1;
    if (word[0] >= '0' && word[0] <= '9') {
        batch->producer_id = word[0] - '0';
        if (word[1] == '+') batch->marker = MARKER_COMMIT;
        if (word[1] == '-') batch->marker = MARKER_ABORT;
        word += 2;
    }
    char *rest = NULL;
    for (char *text = strtok_r(word, ",", &rest); text != NULL; text = strtok_r(NULL, ",", &rest)) {
        add_record(log, batch, text);
    }
    log->base_offsets[log->count] = log->end_offset;
    log->batches[log->count] = batch;
    log->keep[log->count++] = true;
    log->end_offset += group_log_batch_offsets(batch);
}

static void append(struct log *log, const char *text)
{
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", text);
    char *rest = NULL;
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        add_batch(log, word);
    }
}

static struct log *log_new(const char *text)
{
    struct memory *memory = memory_new();
    struct log *log = memory_take(memory, sizeof *log);
    log->memory = memory;
    log->names = names_new(memory);
    log->config = coordinator_config_default(log->names);
    append(log, text);
    return log;
}

static void log_free(struct log *log)
{
    memory_free_all(log->memory);
}

static void clean_at(struct log *log, sim_time now, sim_time delete_retention_ns)
{
    const struct group_log_cleaning cleaning = {now, delete_retention_ns};
    group_log_clean(log->memory, &cleaning, log->batches, log->count, log->keep);
}

static void clean(struct log *log)
{
    clean_at(log, SECONDS(1), HOURS(24));
}

/* The next cleaning finds what this one left. */
static void drop_what_went(struct log *log)
{
    uint32_t kept = 0;
    for (uint32_t b = 0; b < log->count; b++) {
        if (!log->keep[b]) continue;
        log->batches[kept] = log->batches[b];
        log->base_offsets[kept] = log->base_offsets[b];
        log->keep[kept++] = true;
    }
    log->count = kept;
}

static void print_batch(FILE *out, const struct group_log_batch *batch)
{
    if (batch->marker != MARKER_NONE) {
        fprintf(out, "%d%c", (int)batch->producer_id, batch->marker == MARKER_COMMIT ? '+' : '-');
        return;
    }
    if (batch->producer_id >= 0) fprintf(out, "%d:", (int)batch->producer_id);
    for (uint32_t r = 0; r < batch->record_count; r++) {
        const struct group_record *record = &batch->records[r];
        if (r > 0) fprintf(out, ",");
        if (record->type == RECORD_ERASED) {
            fprintf(out, ".");
        } else if (record->value == NULL) {
            fprintf(out, "%c=-", 'a' + record->partition.partition);
        } else {
            fprintf(out, "%c=%d", 'a' + record->partition.partition, (int)record->offset->offset);
        }
    }
}

static void expect_log(const struct log *log, const char *expected, const char *of_what)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (uint32_t b = 0; b < log->count; b++) {
        if (!log->keep[b]) continue;
        if (ftell(out) > 0) fprintf(out, " ");
        print_batch(out, log->batches[b]);
    }
    fclose(out);
    if (strcmp(text, expected) != 0)
        fail_msg("\"%s\" became \"%s\", not \"%s\"", of_what, text, expected);
    free(text);
}

static void what_stays_is_what_still_counts(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } rows[] = {
        {"", ""},
        {"a=1 b=1 a=2", "b=1 a=2"},
        {"a=1,b=1 a=2", ".,b=1 a=2"},
        {"a=1,a=2", ".,a=2"},
        {"a=1 a=-", "a=-"},
        {"a=- a=1", "a=1"},
        /* a committed transaction supersedes, an aborted one never was, an open one waits */
        {"a=1 1:a=2 1+", "1:a=2 1+"},
        {"a=1 1:a=2 1-", "a=1"},
        {"a=1 1:a=2", "a=1 1:a=2"},
        {"a=1 1:a=2 a=3", "1:a=2 a=3"},
        /* the later record wins, whichever marker comes first; an empty transaction goes whole */
        {"1:a=1 a=2 1+", "a=2"},
        {"1:a=1 2:a=2 2+ 1+", "2:a=2 2+"},
        {"1:a=1 2:a=2 1+ 2-", "1:a=1 1+"},
        {"1:a=1,b=1 a=2 1+", "1:.,b=1 a=2 1+"},
        {"1+ 2-", ""},
        /* one transaction of a producer after the other */
        {"1:a=1 1+ 1:a=2 1-", "1:a=1 1+"},
        {"1:a=1 1- 1:a=2 1+", "1:a=2 1+"},
        {"1:a=1 1+ 1:a=2 1+", "1:a=2 1+"},
        {"1:a=1 1+ 1:b=1", "1:a=1 1+ 1:b=1"},
        {"1:a=1 1:b=1 1+ a=2", "1:b=1 1+ a=2"},
        /* a tombstone also takes what is pending */
        {"1:a=1 a=-", "a=-"},
        {"1:a=1 a=- a=2", "a=2"},
        {"1:a=1,b=1 a=- a=2", "1:.,b=1 a=2"},
        {"1:a=1 a=- 1+", "a=-"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct log *log = log_new(rows[i].before);
        clean(log);
        expect_log(log, rows[i].after, rows[i].before);
        log_free(log);
    }
}

/* delete.retention.ms counts from the first cleaning that finds a tombstone. */
static void a_tombstone_goes_a_day_after_it_was_found(void **state)
{
    (void)state;
    static const struct {
        sim_time at;
        const char *appended; /* just before */
        const char *after;
    } steps[] = {
        {HOURS(10), "a=1 b=1 a=-,c=1", "b=1 a=-,c=1"},
        {HOURS(20), "b=-", "a=-,c=1 b=-"},
        {HOURS(34) - 1, "", "a=-,c=1 b=-"},
        {HOURS(34), "", ".,c=1 b=-"},
        {HOURS(40), "1:d=1", ".,c=1 b=- 1:d=1"},
        {HOURS(44), "1+", ".,c=1 1:d=1 1+"},
        {HOURS(50), "c=-", "1:d=1 1+ c=-"},
        {HOURS(80), "", "1:d=1 1+"},
    };
    struct log *log = log_new("");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        append(log, steps[i].appended);
        clean_at(log, steps[i].at, HOURS(24));
        expect_log(log, steps[i].after, steps[i].appended);
        drop_what_went(log);
    }
    log_free(log);
}

static name_id no_member_id(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                            uint32_t index)
{
    (void)self;
    (void)group;
    (void)leader_epoch;
    (void)index;
    return prefix;
}

/* What a coordinator that read the log answers: "a=5" or "a!" (pending) for each partition. */
static void describe(const struct log *log, char *text, size_t size)
{
    struct coordinator *coordinator =
        coordinator_new(&(struct coordinator_options){.memory = log->memory,
                                                      .names = log->names,
                                                      .config = &log->config,
                                                      .make_member_id = no_member_id});
    coordinator_start_loading(coordinator, 1, 0);
    for (uint32_t b = 0; b < log->count; b++) {
        if (!log->keep[b]) continue;
        coordinator_load_batch(coordinator, log->batches[b], log->base_offsets[b]);
    }
    coordinator_finish_loading(coordinator, log->end_offset, log->end_offset, 0);
    struct topic_partition keys[KEYS];
    for (int32_t k = 0; k < KEYS; k++)
        keys[k] = (struct topic_partition){names_intern(log->names, "t"), k};
    const struct offset_fetch_request request = {.head = {.api = API_OFFSET_FETCH},
                                                 .group = names_intern(log->names, "g"),
                                                 .member_epoch = -1,
                                                 .require_stable = true,
                                                 .partitions = keys,
                                                 .partition_count = KEYS};
    coordinator_handle(coordinator, &request.head, 1, 0);
    struct coordinator_effect effect;
    assert_true(coordinator_take_effect(coordinator, &effect));
    const void *body = effect.response;
    const struct offset_fetch_response *response = body;
    size_t length = 0;
    for (int32_t k = 0; k < KEYS; k++) {
        const struct offset_entry *entry = &response->offsets[k];
        length += (size_t)snprintf(text + length, size - length, "%c%c%d ", 'a' + k,
                                   entry->error == KAFKA_NONE ? '=' : '!', (int)entry->offset);
    }
    message_free(log->memory, effect.response);
    coordinator_free(coordinator);
}

static void expect_same_answers(const struct log *whole, const struct log *cleaned,
                                const char *written)
{
    char expected[256];
    char found[256];
    describe(whole, expected, sizeof expected);
    describe(cleaned, found, sizeof found);
    if (strcmp(expected, found) != 0) {
        fail_msg("%s\nwhole:   %s\ncleaned: %s", written, expected, found);
    }
}

static void write_at_random(const struct rng_key *key, char *text, size_t size)
{
    struct rng rng = rng_start(key, 0);
    size_t length = 0;
    int batches = (int)rng_next_below(&rng, 40);
    for (int i = 0; i < batches; i++) {
        char producer = (char)('0' + rng_next_below(&rng, 3));
        uint64_t kind = rng_next_below(&rng, 8);
        if (kind < 2) {
            length += (size_t)snprintf(text + length, size - length, "%c%c ", producer,
                                       kind == 0 ? '+' : '-');
            continue;
        }
        if (kind < 5) length += (size_t)snprintf(text + length, size - length, "%c:", producer);
        int records = 1 + (int)rng_next_below(&rng, 3);
        for (int r = 0; r < records; r++) {
            char partition = (char)('a' + rng_next_below(&rng, KEYS));
            const char *comma = r > 0 ? "," : "";
            /* Tombstones are never part of a transaction. */
            if (kind == 7 && rng_next_below(&rng, 2) == 0) {
                length +=
                    (size_t)snprintf(text + length, size - length, "%s%c=-", comma, partition);
            } else {
                length +=
                    (size_t)snprintf(text + length, size - length, "%s%c=%d", comma, partition, i);
            }
        }
        length += (size_t)snprintf(text + length, size - length, " ");
    }
}

/* Whoever reads the cleaned log answers as if it had read the whole one: at once, after it was
 * cleaned again, and after what was open has ended. */
static void a_cleaned_log_says_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        const struct rng_key key = rng_key(seed, 0, RNG_TEST);
        char text[4096] = "";
        write_at_random(&key, text, sizeof text);
        struct log *whole = log_new(text);
        struct log *cleaned = log_new(text);
        clean(cleaned);
        expect_same_answers(whole, cleaned, text);
        drop_what_went(cleaned);
        append(whole, "0+ 1- a=77 2+");
        append(cleaned, "0+ 1- a=77 2+");
        expect_same_answers(whole, cleaned, text);
        clean(cleaned);
        expect_same_answers(whole, cleaned, text);
        drop_what_went(cleaned);
        clean_at(cleaned, HOURS(48), HOURS(24)); /* without tombstones, too */
        expect_same_answers(whole, cleaned, text);
        log_free(whole);
        log_free(cleaned);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_is_what_still_counts),
        cmocka_unit_test(a_tombstone_goes_a_day_after_it_was_found),
        cmocka_unit_test(a_cleaned_log_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
