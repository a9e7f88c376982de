#include "tools/moment.h"

#include "tools/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool moment_parse(const char *option, const char *value, sim_time limit, sim_time *at)
{
    struct diagnostics *diagnostics = diagnostics_new();
    const struct value_place place = {.diagnostics = diagnostics, .label = option};
    int64_t parsed = 0;
    bool good =
        strcmp(value, "0") == 0 || value_parse(&place, QUANTITY_DURATION, value, 0, "s", &parsed);
    if (good && parsed > limit) {
        struct text text = {0};
        moment_format(&text, limit);
        diagnostic_error(diagnostics, (struct position){0},
                         "%s: %s is after the end of the run, %s", option, value, text_data(&text));
        text_free(&text);
        good = false;
    }
    diagnostics_print(diagnostics, stderr);
    diagnostics_free(diagnostics);
    *at = parsed;
    return good;
}

void moment_format(struct text *text, sim_time at)
{
    int64_t seconds = at / SECONDS(1);
    int64_t rest = at % SECONDS(1);
    char digits[16];
    snprintf(digits, sizeof digits, "%09" PRId64, rest);
    size_t length = 9;
    while (length > 3 && digits[length - 1] == '0')
        length--;
    text_format(text, "%" PRId64 ".%.*s s", seconds, (int)length, digits);
}

void moment_format_short(struct text *text, sim_time at)
{
    text_format(text, "%" PRId64 ".%03" PRId64 " s", at / SECONDS(1),
                at % SECONDS(1) / MILLISECONDS(1));
}

/* `value` of `unit`, three significant digits, no trailing zeros behind the point. */
static void append_scaled(struct text *text, int64_t value, int64_t unit, const char *name)
{
    int64_t whole = value / unit;
    int decimals = whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
    static const int64_t powers[] = {1, 10, 100};
    int64_t scaled = (value * powers[decimals] + unit / 2) / unit;
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%" PRId64, scaled / powers[decimals]);
    if (decimals > 0 && scaled % powers[decimals] != 0) {
        length += snprintf(digits + length, sizeof digits - (size_t)length, ".%0*" PRId64, decimals,
                           scaled % powers[decimals]);
        while (digits[length - 1] == '0')
            digits[--length] = '\0';
    }
    text_format(text, "%s %s", digits, name);
}

void duration_format(struct text *text, sim_time duration_ns)
{
    if (duration_ns < 0) {
        text_append(text, "-");
        duration_ns = -duration_ns;
    }
    if (duration_ns == 0) {
        text_append(text, "0 s");
    } else if (duration_ns < MICROSECONDS(1)) {
        append_scaled(text, duration_ns, 1, "ns");
    } else if (duration_ns < MILLISECONDS(1)) {
        append_scaled(text, duration_ns, MICROSECONDS(1), "us");
    } else if (duration_ns < SECONDS(1)) {
        append_scaled(text, duration_ns, MILLISECONDS(1), "ms");
    } else if (duration_ns < MINUTES(10)) {
        append_scaled(text, duration_ns, SECONDS(1), "s");
    } else {
        int64_t seconds = (duration_ns + SECONDS(1) / 2) / SECONDS(1);
        if (seconds < 7200) {
            text_format(text, "%" PRId64 " min", seconds / 60);
            if (seconds % 60 != 0) text_format(text, " %" PRId64 " s", seconds % 60);
        } else {
            int64_t minutes = (seconds + 30) / 60;
            text_format(text, "%" PRId64 " h", minutes / 60);
            if (minutes % 60 != 0) text_format(text, " %" PRId64 " min", minutes % 60);
        }
    }
}

void count_format(struct text *text, int64_t count)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') text_append(text, ",");
        text_append_bytes(text, &digits[i], 1);
    }
}
