/* Mutated scenario files never crash or hang the loader: it answers with errors or with a scenario
 * whose resolved form loads again.
 *
 * usage: test_scenario_fuzz [FIRST [COUNT]]   each mutation is made from its number alone, so a
 * failure is repeated by its number. CI runs this with AddressSanitizer. */
#include "tools/scenario_yaml.h"
#include "tools/text.h"

#include "sim/check.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SECONDS_PER_INPUT 20

static uint64_t first_number = 0;
static uint64_t number_count = 4000;
static uint64_t running; /* for the signal handler */
static uint64_t sound;

struct corpus {
    struct text *files;
    size_t count;
};

static uint64_t next(uint64_t *state)
{
    /* splitmix64: any stream will do, as long as it is the same tomorrow. */
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t bound)
{
    return bound == 0 ? 0 : (size_t)(next(state) % bound);
}

static void add_file(struct corpus *corpus, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    corpus->files = tool_resize(corpus->files, (corpus->count + 1) * sizeof *corpus->files);
    struct text *text = &corpus->files[corpus->count++];
    *text = (struct text){0};
    char block[4096];
    size_t count;
    while ((count = fread(block, 1, sizeof block, file)) > 0)
        text_append_bytes(text, block, count);
    text_append(text, "");
    fclose(file);
}

static void add_directory(struct corpus *corpus, const char *directory)
{
    struct dirent **entries;
    int found = scandir(directory, &entries, NULL, alphasort);
    assert_true(found > 0);
    for (int i = 0; i < found; i++) {
        const char *dot = strrchr(entries[i]->d_name, '.');
        if (dot != NULL && strcmp(dot, ".yaml") == 0) {
            struct text path = {0};
            text_format(&path, "%s/%s", directory, entries[i]->d_name);
            add_file(corpus, text_data(&path));
            text_free(&path);
        }
        free(entries[i]);
    }
    free(entries);
}

/* What is dangerous somewhere: structure, numbers at the edge, aliases, bytes that are not text. */
static const char *const tokens[] = {
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    "- ",
    ",",
    "\n",
    "\n  ",
    "\t",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "<<: *a",
    "!!int ",
    "? ",
    "| ",
    ">-\n",
    "---\n",
    "...\n",
    "%YAML 1.1\n",
    "~",
    "-1",
    "0",
    "010",
    "1e9",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999d",
    "2147483648",
    "0.0000000001s",
    "1/0",
    "0/1",
    "100%",
    "forever",
    "none",
    "never",
    "any 0 of ",
    "any 999999999 of ",
    "broker -1",
    "leader of -0",
    "coordinator of ",
    "group leader of ",
    "\xff",
    "\xc3",
    "\x00",
    "\xef\xbb\xbf",
    "\xe2\x80\xa8",
    "{uniform: {low: 0s, high: 0s}}",
    "{empirical: []}",
    "{empirical: [[1s, 1000000001]]}",
    "chaos: [{",
    "when: {",
    "every: 0s, ",
    "at(",
    "max(",
    "()",
    " >= ",
    "config: {file: /dev/null}",
    "rate: {csv: /dev/null}",
    "rate: {points: []}",
    "members: 100000",
    "partitions: 100000",
};

static void replace(struct text *text, size_t at, size_t removed, const char *bytes, size_t length)
{
    struct text result = {0};
    text_append_bytes(&result, text->data, at);
    text_append_bytes(&result, bytes, length);
    text_append_bytes(&result, text->data + at + removed, text->length - at - removed);
    text_free(text);
    *text = result;
}

/* A word from somewhere: keys, names, numbers with their units. */
static size_t find_word(const struct text *text, uint64_t *state, size_t *at)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-/%";
    *at = below(state, text->length);
    *at += strcspn(text->data + *at, letters);
    return strspn(text->data + *at, letters);
}

static void replace_word(struct text *text, const struct corpus *corpus, uint64_t *state)
{
    const struct text *other = &corpus->files[below(state, corpus->count)];
    size_t from;
    size_t length = find_word(other, state, &from);
    size_t at;
    size_t removed = find_word(text, state, &at);
    replace(text, at, removed, other->data + from, length);
}

static void mutate(struct text *text, const struct corpus *corpus, uint64_t *state)
{
    size_t at = below(state, text->length + 1);
    size_t left = text->length - at;
    size_t span = below(state, left < 40 ? left + 1 : 40);
    switch (below(state, 14)) {
    case 0: {
        char byte = (char)next(state);
        replace(text, at, left > 0 ? 1 : 0, &byte, 1);
        break;
    }
    case 1: replace(text, at, span, "", 0); break;
    case 2: { /* say a piece again, somewhere else */
        struct text piece = {0};
        text_append_bytes(&piece, text->data + at, span);
        text_append(&piece, "");
        replace(text, below(state, text->length + 1), 0, piece.data, piece.length);
        text_free(&piece);
        break;
    }
    case 3:
    case 4: {
        const char *token = tokens[below(state, ARRAY_LEN(tokens))];
        size_t length = token[0] == '\0' ? 1 : strlen(token);
        replace(text, at, below(state, 2) == 0 ? 0 : span, token, length);
        break;
    }
    case 5: { /* the tail of another file */
        const struct text *other = &corpus->files[below(state, corpus->count)];
        size_t from = below(state, other->length + 1);
        replace(text, at, left, other->data + from, other->length - from);
        break;
    }
    case 6: replace(text, at, left, "", 0); break;
    default: replace_word(text, corpus, state); break;
    }
}

static struct scenario_document *load(const struct text *text,
                                      const struct scenario_overrides *overrides)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    bool loaded =
        scenario_load_text("mutated.yaml", COHORT_SOURCE_DIR "/tests/good_scenarios",
                           text_data(text), text->length, overrides, &document, diagnostics);
    assert_true(loaded == (document != NULL));
    assert_true(loaded == (diagnostics_errors(diagnostics) == 0));
    FILE *nowhere = fopen("/dev/null", "w");
    assert_non_null(nowhere);
    diagnostics_print(diagnostics, nowhere);
    fclose(nowhere);
    diagnostics_free(diagnostics);
    return document;
}

static void try_one(const struct corpus *corpus, uint64_t number)
{
    uint64_t state = number * UINT64_C(0xd1342543de82ef95) + 1;
    const struct text *original = &corpus->files[below(&state, corpus->count)];
    struct text text = {0};
    text_append_bytes(&text, original->data, original->length);
    size_t times = 1 + below(&state, 3);
    for (size_t i = 0; i < times; i++)
        mutate(&text, corpus, &state);

    /* Now and then as settings, too: half a line of one file. */
    const struct text *other = &corpus->files[below(&state, corpus->count)];
    struct text setting = {0};
    size_t from = below(&state, other->length);
    text_append_bytes(&setting, other->data + from, strcspn(other->data + from, "\n"));
    text_append(&setting, below(&state, 2) == 0 ? "" : "=1");
    const char *set = text_data(&setting);
    const struct scenario_overrides overrides = {.sets = &set, .set_count = 1};

    struct scenario_document *document = load(&text, below(&state, 4) == 0 ? &overrides : NULL);
    if (document != NULL) {
        sound++;
        struct text resolved = {0};
        scenario_document_write(document, &resolved);
        struct scenario_document *again = load(&resolved, NULL);
        if (again == NULL)
            fail_msg("mutation %" PRIu64 ": the resolved form does not load:\n%s", number,
                     text_data(&resolved));
        scenario_document_free(again);
        text_free(&resolved);
    }
    scenario_document_free(document);
    text_free(&setting);
    text_free(&text);
}

static void on_alarm(int signal)
{
    (void)signal;
    char line[96];
    int length = snprintf(line, sizeof line, "mutation %" PRIu64 " takes too long\n", running);
    ssize_t written = write(STDERR_FILENO, line, (size_t)length);
    _exit(written == length ? 1 : 2);
}

static void mutations_are_answered(void **state)
{
    (void)state;
    struct corpus corpus = {0};
    add_directory(&corpus, COHORT_SOURCE_DIR "/scenarios");
    add_directory(&corpus, COHORT_SOURCE_DIR "/tests/good_scenarios");
    add_file(&corpus, COHORT_SOURCE_DIR "/tests/good_scenarios/everything.yaml"); /* the richest */
    add_file(&corpus, COHORT_SOURCE_DIR "/tests/bad_scenarios/billion_laughs.yaml");
    add_file(&corpus, COHORT_SOURCE_DIR "/tests/bad_scenarios/many_mistakes.yaml");
    signal(SIGALRM, on_alarm);
    for (running = first_number; running < first_number + number_count; running++) {
        alarm(SECONDS_PER_INPUT);
        try_one(&corpus, running);
    }
    alarm(0);
    print_message("%" PRIu64 " of %" PRIu64 " mutations were still sound\n", sound, number_count);
    /* Or else the mutations only ever reach the scanner. */
    if (number_count >= 1000) assert_true(sound > number_count / 50);
    for (size_t i = 0; i < corpus.count; i++)
        text_free(&corpus.files[i]);
    free(corpus.files);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        first_number = strtoull(argv[1], NULL, 10);
        number_count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutations_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
