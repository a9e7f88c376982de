/* Options are one table; what people type lands in a struct or is refused with all mistakes. */
#include "tools/options.h"

#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct greet_values {
    bool loud;
    int64_t times;
    const char *name;
    const char *mood;
    struct option_list words;
};

static const struct greet_values defaults = {.times = 1, .name = "world"};
static const struct option options[] = {
    {"loud", 'l', OPTION_FLAG, NULL, offsetof(struct greet_values, loud), "shout"},
    {"times", 'n', OPTION_INTEGER, "N", offsetof(struct greet_values, times), "say it N times"},
    {"name", 0, OPTION_TEXT, "NAME", offsetof(struct greet_values, name), "whom"},
    {"mood", 0, OPTION_CHOICE, "gay|sad", offsetof(struct greet_values, mood), "how"},
    {"word", 'w', OPTION_LIST, "WORD", offsetof(struct greet_values, words), "one more word"},
};

/* What the command was given, flattened to text. */
static char seen[256];

static int run(const void *values, const struct arguments *arguments)
{
    const struct greet_values *v = values;
    int used = snprintf(seen, sizeof seen, "%s%lld %s %s", v->loud ? "loud " : "",
                        (long long)v->times, v->name, v->mood == NULL ? "-" : v->mood);
    for (size_t i = 0; i < v->words.count; i++)
        used += snprintf(seen + used, sizeof seen - (size_t)used, " w:%s", v->words.values[i]);
    for (size_t i = 0; i < arguments->count; i++)
        used += snprintf(seen + used, sizeof seen - (size_t)used, " %s", arguments->values[i]);
    return EXIT_FINE;
}

static const struct command greet = {
    .name = "greet",
    .summary = "say hello",
    .arguments = "[PLACE]",
    .argument_max = 1,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct greet_values),
    .defaults = &defaults,
    .example = "cohort greet",
    .run = run,
};

/* Runs the command on words separated by one space; what went to stderr is in `said`. */
static char said[2048];

static int type(const char *line)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", line);
    char *words[16];
    int count = 0;
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = word;
    seen[0] = '\0';

    FILE *file = tmpfile();
    fflush(stderr);
    int kept = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    int code = command_execute(&greet, count, words);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    return code;
}

static void values_land_in_the_struct(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        const char *seen;
    } cases[] = {
        {"", "1 world -"},
        {"-l", "loud 1 world -"},
        {"--loud --times 3", "loud 3 world -"},
        {"--times=3 --name=", "3  -"},
        {"-ln3 here", "loud 3 world - here"},
        {"here -n 4", "4 world - here"},
        {"--mood sad", "1 world sad"},
        {"-w a -wb --word=c", "1 world - w:a w:b w:c"},
        {"-- --loud", "1 world - --loud"},
        {"-", "1 world - -"},
        {"--name -l", "1 -l -"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(type(cases[i].typed), EXIT_FINE);
        assert_string_equal(seen, cases[i].seen);
    }
}

static void mistakes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        const char *said;
    } cases[] = {
        {"--lout", "error: unknown option --lout\n      = did you mean --loud?"},
        {"-x", "error: unknown option -x"},
        {"--times", "error: --times needs a value: --times N"},
        {"--times many", "error: --times many: expected a whole number"},
        {"--times -3", "error: --times -3: expected a whole number"},
        {"--times 99999999999999999999", "expected a whole number"},
        {"--loud=yes", "error: --loud takes no value"},
        {"--mood sa", "error: --mood sa: expected one of gay|sad"},
        {"--color red", "error: --color red: expected one of auto|always|never"},
        {"a b",
         "error: greet: unexpected argument b\n      = usage: cohort greet [options] [PLACE]"},
        {"--lout --times x", "2 errors\nsee: cohort help greet"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(type(cases[i].typed), EXIT_BAD_INPUT);
        if (strstr(said, cases[i].said) == NULL)
            fail_msg("\"%s\" said:\n%s\nand not:\n%s", cases[i].typed, said, cases[i].said);
        assert_string_equal(seen, "");
    }
}

static void the_help_page_lists_every_option(void **state)
{
    (void)state;
    char *page = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&page, &size);
    command_print_help(&greet, stream);
    fclose(stream);
    assert_string_equal(page, "cohort greet: say hello\n\n"
                              "usage: cohort greet [options] [PLACE]\n\n"
                              "options:\n"
                              "  -l, --loud                  shout\n"
                              "  -n, --times N               say it N times\n"
                              "      --name NAME             whom\n"
                              "      --mood gay|sad          how\n"
                              "  -w, --word WORD             one more word\n"
                              "      --color auto|always|never\n"
                              "                              colour on terminals only (auto, the "
                              "default), always or never\n"
                              "  -h, --help                  this page\n"
                              "\nexample:\n  cohort greet\n");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_land_in_the_struct),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(the_help_page_lists_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
