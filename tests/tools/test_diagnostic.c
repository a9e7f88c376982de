/* What people read when they made a mistake, to the character. */
#include "tools/diagnostic.h"
#include "tools/terminal.h"
#include "tools/text.h"

#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What diagnostics_print writes; the caller frees it. */
static char *printed(struct diagnostics *diagnostics)
{
    char *data = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&data, &size);
    diagnostics_print(diagnostics, stream);
    fclose(stream);
    return data;
}

static void assert_printed(struct diagnostics *diagnostics, const char *expected)
{
    char *text = printed(diagnostics);
    assert_string_equal(text, expected);
    free(text);
    diagnostics_free(diagnostics);
}

static struct position at(int32_t line, int32_t column, int32_t width)
{
    return (struct position){.source = 1, .line = line, .column = column, .width = width};
}

static struct diagnostics *with_source(const char *text)
{
    struct diagnostics *diagnostics = diagnostics_new();
    diagnostics_add_source(diagnostics, "a.yaml", text, strlen(text));
    return diagnostics;
}

static void an_error_shows_line_caret_and_hint(void **state)
{
    (void)state;
    struct diagnostics *d = with_source("scenario: 1\nmembers: fifteen\n");
    diagnostic_error(d, at(2, 10, 7), "expected a number, found text \"%s\"", "fifteen");
    diagnostic_hint(d, "a whole number, 1 or more");
    assert_printed(d, "a.yaml:2:10: error: expected a number, found text \"fifteen\"\n"
                      "    2 | members: fifteen\n"
                      "      |          ^~~~~~~\n"
                      "      = a whole number, 1 or more\n"
                      "1 error\n");
}

static void mistakes_come_in_order_of_position_with_their_notes(void **state)
{
    (void)state;
    struct diagnostics *d = with_source("one: 1\ntwo: 2\none: 3\n");
    diagnostic_error(d, at(3, 1, 3), "key one given twice");
    diagnostic_note(d, at(1, 1, 3), "first given here");
    diagnostic_warning(d, at(2, 6, 1), "unwise");
    assert_int_equal(diagnostics_errors(d), 1);
    assert_int_equal(diagnostics_warnings(d), 1);
    assert_printed(d, "a.yaml:2:6: warning: unwise\n"
                      "    2 | two: 2\n"
                      "      |      ^\n"
                      "a.yaml:3:1: error: key one given twice\n"
                      "    3 | one: 3\n"
                      "      | ^~~\n"
                      "a.yaml:1:1: note: first given here\n"
                      "    1 | one: 1\n"
                      "      | ^~~\n"
                      "1 error\n");
}

static void columns_count_characters_not_bytes(void **state)
{
    (void)state;
    struct diagnostics *d = with_source("größe: µ x\n");
    diagnostic_error(d, at(1, 10, 1), "here");
    assert_printed(d, "a.yaml:1:10: error: here\n"
                      "    1 | größe: µ x\n"
                      "      |          ^\n"
                      "1 error\n");
}

static void what_a_terminal_would_act_upon_is_not_printed(void **state)
{
    (void)state;
    struct diagnostics *d = with_source("a\x1b[31m\tb\xff\xc2\x9b"
                                        "31m c\r\n");
    diagnostic_error(d, at(1, 8, 1), "text \"\x1b[0m\"");
    assert_printed(d, "a.yaml:1:8: error: text \"?[0m\"\n"
                      "    1 | a?[31m b??31m c\n"
                      "      |        ^\n"
                      "1 error\n");
}

static void a_long_line_is_shown_around_the_place(void **state)
{
    (void)state;
    struct text line = {0};
    text_append_repeated(&line, 'x', 1000);
    text_append(&line, "HERE");
    text_append_repeated(&line, 'y', 1000);
    struct diagnostics *d = with_source(text_data(&line));
    text_free(&line);
    diagnostic_error(d, at(1, 1001, 4), "long");
    char *text = printed(d);
    assert_non_null(strstr(text, "xxHEREyy"));
    assert_non_null(strstr(text, "\n      |                                         ^~~~\n"));
    assert_true(strlen(text) < 400);
    free(text);
    diagnostics_free(d);
}

static void a_source_without_text_or_line_prints_the_message_alone(void **state)
{
    (void)state;
    struct diagnostics *d = diagnostics_new();
    int32_t directory = diagnostics_add_source(d, "dir", NULL, 0);
    diagnostic_error(d, (struct position){.source = directory}, "is a directory");
    diagnostic_error(d, (struct position){0}, "usage");
    assert_printed(d, "cohort: error: usage\n"
                      "dir: error: is a directory\n"
                      "2 errors\n");
}

static void past_a_hundred_they_are_counted(void **state)
{
    (void)state;
    struct diagnostics *d = with_source("x\n");
    for (int i = 0; i < 130; i++)
        diagnostic_error(d, at(1, 1, 1), "number %d", i);
    char *text = printed(d);
    assert_non_null(strstr(text, "number 99\n"));
    assert_null(strstr(text, "number 100\n"));
    assert_non_null(strstr(text, "… and 30 more\n130 errors\n"));
    free(text);
    diagnostics_free(d);
}

static void colour_comes_only_when_asked_for(void **state)
{
    (void)state;
    struct diagnostics *d = with_source("x\n");
    diagnostic_error(d, at(1, 1, 1), "red");
    terminal_set_color(COLOR_ALWAYS);
    char *text = printed(d);
    terminal_set_color(COLOR_AUTO);
    assert_non_null(strstr(text, COLOR_RED "error:" COLOR_RESET));
    free(text);
    text = printed(d);
    assert_null(strchr(text, '\033'));
    free(text);
    diagnostics_free(d);
}

static void the_nearest_name_is_what_was_meant(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "members", "topics", "session.timeout.ms", "process", "max.poll.interval.ms", "at"};
    static const struct {
        const char *typed;
        const char *meant; /* NULL = nothing is near */
    } cases[] = {
        {"member", "members"},
        {"mebmers", "members"},
        {"Topics", "topics"},
        {"proces", "process"},
        {"session_timeout_ms", "session.timeout.ms"},
        {"sesion.timout.ms", "session.timeout.ms"},
        {"a", "at"},
        {"colour", NULL},
        {"x", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *nearest = nearest_name(cases[i].typed, keys, ARRAY_LEN(keys));
        if (cases[i].meant == NULL) {
            if (nearest != NULL) fail_msg("\"%s\" suggested %s", cases[i].typed, nearest);
        } else {
            assert_non_null(nearest);
            assert_string_equal(nearest, cases[i].meant);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_shows_line_caret_and_hint),
        cmocka_unit_test(mistakes_come_in_order_of_position_with_their_notes),
        cmocka_unit_test(columns_count_characters_not_bytes),
        cmocka_unit_test(what_a_terminal_would_act_upon_is_not_printed),
        cmocka_unit_test(a_long_line_is_shown_around_the_place),
        cmocka_unit_test(a_source_without_text_or_line_prints_the_message_alone),
        cmocka_unit_test(past_a_hundred_they_are_counted),
        cmocka_unit_test(colour_comes_only_when_asked_for),
        cmocka_unit_test(the_nearest_name_is_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
