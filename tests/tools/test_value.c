/* Quantities: what people write, what it is worth, and the one spelling that is written back. */
#include "tools/value.h"

#include "sim/check.h"
#include "sim/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool parse(enum quantity quantity, const char *text, int64_t bare, int64_t *value)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct value_place place = {diagnostics, {0}, "key"};
    bool good = value_parse(&place, quantity, text, bare, NULL, value);
    /* Either a value or exactly one error. */
    assert_int_equal(diagnostics_errors(diagnostics), good ? 0 : 1);
    diagnostics_free(diagnostics);
    return good;
}

static void values_are_exact_and_have_one_spelling(void **state)
{
    (void)state;
    static const struct {
        enum quantity quantity;
        const char *text;
        int64_t value;
        const char *canonical;
    } cases[] = {
        {QUANTITY_DURATION, "45s", SECONDS(45), "45s"},
        {QUANTITY_DURATION, "300ms", MILLISECONDS(300), "300ms"},
        {QUANTITY_DURATION, "0.4ms", MICROSECONDS(400), "400us"},
        {QUANTITY_DURATION, "1h30m", MINUTES(90), "90m"},
        {QUANTITY_DURATION, "3m30s", SECONDS(210), "210s"},
        {QUANTITY_DURATION, "60min", HOURS(1), "1h"},
        {QUANTITY_DURATION, "2w", DAYS(14), "14d"},
        {QUANTITY_DURATION, "5µs", MICROSECONDS(5), "5us"},
        {QUANTITY_DURATION, "0.000000001s", 1, "1ns"},
        {QUANTITY_DURATION, "0.25h", MINUTES(15), "15m"},
        {QUANTITY_DURATION, "1.500s", MILLISECONDS(1500), "1500ms"},
        {QUANTITY_DURATION, "0s", 0, "0s"},
        {QUANTITY_BYTES, "1GiB", 1 << 30, "1GiB"},
        {QUANTITY_BYTES, "1.5KiB", 1536, "1536B"},
        {QUANTITY_BYTES, "64kB", 64000, "64000B"},
        {QUANTITY_BYTES, "0B", 0, "0B"},
        {QUANTITY_RATE, "900/s", 900000, "900/s"},
        {QUANTITY_RATE, "54000/min", 900000, "900/s"},
        {QUANTITY_RATE, "0.5/s", 500, "0.5/s"},
        {QUANTITY_RATE, "100/min", 1667, "1.667/s"},
        {QUANTITY_BANDWIDTH, "100Mbit/s", 12500000, "12500000B/s"},
        {QUANTITY_BANDWIDTH, "1GiB/s", 1 << 30, "1GiB/s"},
        {QUANTITY_SHARE, "60%", 600000, "60%"},
        {QUANTITY_SHARE, "0.5%", 5000, "5000ppm"},
        {QUANTITY_SHARE, "1/200", 5000, "5000ppm"},
        {QUANTITY_SHARE, "1/1", 1000000, "100%"},
        {QUANTITY_DECIMAL, "0.9", 900, "0.9"},
        {QUANTITY_DECIMAL, "2", 2000, "2"},
        {QUANTITY_DECIMAL, "0.025", 25, "0.025"},
        {QUANTITY_COUNT, "0", 0, "0"},
        {QUANTITY_COUNT, "9223372036854775807", INT64_MAX, "9223372036854775807"},
        {QUANTITY_COUNT, "-1", -1, "-1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t value = -99;
        if (!parse(cases[i].quantity, cases[i].text, 0, &value) || value != cases[i].value)
            fail_msg("%s is %lld", cases[i].text, (long long)value);
        struct text text = {0};
        value_format(&text, cases[i].quantity, value);
        assert_string_equal(text_data(&text), cases[i].canonical);
        /* Rates with an odd period are rounded once, not twice. */
        assert_true(parse(cases[i].quantity, text_data(&text), 0, &value));
        assert_int_equal(value, cases[i].value);
        text_free(&text);
    }
}

static void what_is_no_quantity_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum quantity quantity;
        const char *text;
    } cases[] = {
        {QUANTITY_DURATION, ""},
        {QUANTITY_DURATION, "45"},
        {QUANTITY_DURATION, "s"},
        {QUANTITY_DURATION, "45S"},
        {QUANTITY_DURATION, "1.s"},
        {QUANTITY_DURATION, ".5s"},
        {QUANTITY_DURATION, "1e3s"},
        {QUANTITY_DURATION, "045s"},
        {QUANTITY_DURATION, "1h30"},
        {QUANTITY_DURATION, "1 s"},
        {QUANTITY_DURATION, "0.1ns"},
        {QUANTITY_DURATION, "1.0000000001s"},
        {QUANTITY_DURATION, "300000000000h"},
        {QUANTITY_DURATION, "9223372036854775808ns"},
        {QUANTITY_BYTES, "1gib"},
        {QUANTITY_BYTES, "0.5B"},
        {QUANTITY_RATE, "900"},
        {QUANTITY_RATE, "900/ms"},
        {QUANTITY_RATE, "0.0001/s"},
        {QUANTITY_RATE, "1/d"},
        {QUANTITY_SHARE, "0.5"},
        {QUANTITY_SHARE, "1/0"},
        {QUANTITY_SHARE, "3/2"},
        {QUANTITY_SHARE, "1/2/3"},
        {QUANTITY_SHARE, "1/99999999"},
        {QUANTITY_DECIMAL, "0.0001"},
        {QUANTITY_COUNT, "1.5"},
        {QUANTITY_COUNT, "+1"},
        {QUANTITY_COUNT, "1,000"},
        {QUANTITY_COUNT, "--1"},
        {QUANTITY_COUNT, "9223372036854775808"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t value = -99;
        if (parse(cases[i].quantity, cases[i].text, 0, &value))
            fail_msg("\"%s\" was taken for %lld", cases[i].text, (long long)value);
    }
}

static void a_bare_number_has_the_settings_own_unit(void **state)
{
    (void)state;
    int64_t value;
    assert_true(parse(QUANTITY_DURATION, "45000", MILLISECONDS(1), &value));
    assert_int_equal(value, SECONDS(45));
    assert_true(parse(QUANTITY_DURATION, "45s", MILLISECONDS(1), &value));
    assert_int_equal(value, SECONDS(45));
    assert_true(parse(QUANTITY_DURATION, "168", HOURS(1), &value));
    assert_int_equal(value, DAYS(7));
    assert_true(parse(QUANTITY_BYTES, "-1", 1, &value));
    assert_int_equal(value, -1);
}

static void long_input_is_quoted_short(void **state)
{
    (void)state;
    struct text text = {0};
    value_quote(&text, "0123456789012345678901234567890123456789");
    assert_string_equal(text_data(&text), "0123456789012345678901234567890123456789");
    text_clear(&text);
    value_quote(&text, "012345678901234567890123456789012345678ö9");
    assert_string_equal(text_data(&text), "012345678901234567890123456789012345678…");
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_exact_and_have_one_spelling),
        cmocka_unit_test(what_is_no_quantity_is_refused),
        cmocka_unit_test(a_bare_number_has_the_settings_own_unit),
        cmocka_unit_test(long_input_is_quoted_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
