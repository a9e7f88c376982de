/* tools/value.c: quantities as people write them, and back. */
#include "tools/value.h"

#include "sim/check.h"
#include "sim/time.h"

#include <inttypes.h>
#include <string.h>

#define QUOTED_MAX          40
#define FRACTION_DIGITS_MAX 9

/* A number with this unit is worth number × factor / divisor. */
struct unit {
    const char *name;
    int64_t factor;
    int64_t divisor;
    bool canonical; /* used when writing; the first that divides exactly wins */
};

static const struct unit duration_units[] = {
    {"w", DAYS(7), 1, false},          {"d", DAYS(1), 1, true},
    {"h", HOURS(1), 1, true},          {"min", MINUTES(1), 1, false},
    {"m", MINUTES(1), 1, true},        {"s", SECONDS(1), 1, true},
    {"ms", MILLISECONDS(1), 1, true},  {"us", MICROSECONDS(1), 1, true},
    {"µs", MICROSECONDS(1), 1, false}, {"ns", 1, 1, true},
};
static const struct unit byte_units[] = {
    {"TiB", INT64_C(1) << 40, 1, true},
    {"GiB", 1 << 30, 1, true},
    {"MiB", 1 << 20, 1, true},
    {"KiB", 1 << 10, 1, true},
    {"TB", INT64_C(1000000000000), 1, false},
    {"GB", 1000000000, 1, false},
    {"MB", 1000000, 1, false},
    {"kB", 1000, 1, false},
    {"B", 1, 1, true},
};
static const struct unit rate_units[] = {
    {"/s", 1000, 1, true},     {"/min", 1000, 60, false},  {"/m", 1000, 60, false},
    {"/h", 1000, 3600, false}, {"/d", 1000, 86400, false},
};
static const struct unit bandwidth_units[] = {
    {"GiB/s", 1 << 30, 1, true},     {"MiB/s", 1 << 20, 1, true},
    {"KiB/s", 1 << 10, 1, true},     {"GB/s", 1000000000, 1, false},
    {"MB/s", 1000000, 1, false},     {"kB/s", 1000, 1, false},
    {"Gbit/s", 125000000, 1, false}, {"Mbit/s", 125000, 1, false},
    {"kbit/s", 125, 1, false},       {"B/s", 1, 1, true},
};
static const struct unit share_units[] = {{"%", 10000, 1, true}, {"ppm", 1, 1, true}};

static const struct {
    const char *name;
    const char *example;
    const char *pattern;
    const struct unit *units;
    size_t unit_count;
    int64_t bare;        /* without a unit, where the quantity itself has none */
    bool compound;       /* 1h30m */
    const char *suggest; /* the unit offered when there is none and the field has no better idea */
} quantities[] = {
    [QUANTITY_DURATION] = {"a duration", "such as 45s, 300ms or 1h30m",
                           "^([0-9]+(\\.[0-9]+)?(w|d|h|min|m|s|ms|us|µs|ns))+$", duration_units,
                           ARRAY_LEN(duration_units), 0, true, "s"},
    [QUANTITY_BYTES] = {"a size", "such as 1GiB, 64KiB or 100B",
                        "^[0-9]+(\\.[0-9]+)?(TiB|GiB|MiB|KiB|TB|GB|MB|kB|B)$", byte_units,
                        ARRAY_LEN(byte_units), 0, false, "B"},
    [QUANTITY_RATE] = {"a rate", "such as 900/s or 30/min", "^[0-9]+(\\.[0-9]+)?/(s|min|m|h|d)$",
                       rate_units, ARRAY_LEN(rate_units), 0, false, "/s"},
    [QUANTITY_BANDWIDTH] = {"a bandwidth", "such as 1GiB/s or 100Mbit/s",
                            "^[0-9]+(\\.[0-9]+)?(GiB|MiB|KiB|GB|MB|kB|Gbit|Mbit|kbit|B)/s$",
                            bandwidth_units, ARRAY_LEN(bandwidth_units), 0, false, "B/s"},
    [QUANTITY_SHARE] = {"a share", "such as 0.5% or 1/200",
                        "^([0-9]+(\\.[0-9]+)?(%|ppm)|[0-9]+/[0-9]+)$", share_units,
                        ARRAY_LEN(share_units), 0, false, "%"},
    [QUANTITY_DECIMAL] = {"a number", "such as 2 or 0.9", NULL, NULL, 0, 1000, false, ""},
    [QUANTITY_COUNT] = {"a whole number", "such as 15", NULL, NULL, 0, 1, false, ""},
};

const char *value_name(enum quantity quantity)
{
    return quantities[quantity].name;
}

const char *value_example(enum quantity quantity)
{
    return quantities[quantity].example;
}

const char *value_pattern(enum quantity quantity)
{
    return quantities[quantity].pattern;
}

void value_quote(struct text *text, const char *input)
{
    size_t length = strlen(input);
    if (length <= QUOTED_MAX) {
        text_append_bytes(text, input, length);
        return;
    }
    /* Not in the middle of a UTF-8 character. */
    size_t cut = QUOTED_MAX;
    while (cut > 0 && ((unsigned char)input[cut] & 0xc0) == 0x80)
        cut--;
    text_append_bytes(text, input, cut);
    text_append(text, "…");
}

static bool refuse(const struct value_place *place, const char *text, const char *why,
                   const char *more)
{
    struct text quoted = {0};
    value_quote(&quoted, text);
    diagnostic_error(place->diagnostics, place->at, "%s: %s: %s%s", place->label,
                     text_data(&quoted), why, more);
    text_free(&quoted);
    return false;
}

struct number {
    bool negative;
    int64_t whole;
    int64_t fraction; /* of 10^places */
    int64_t scale;    /* 10^places */
    bool leading_zero;
    bool too_large;
    bool too_fine;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Digits with at most one point. Returns what follows, or NULL when no digit stands here. */
static const char *scan_number(const char *at, struct number *number)
{
    *number = (struct number){.scale = 1};
    if (!is_digit(*at)) return NULL;
    number->leading_zero = at[0] == '0' && is_digit(at[1]);
    for (; is_digit(*at); at++) {
        if (__builtin_mul_overflow(number->whole, 10, &number->whole) ||
            __builtin_add_overflow(number->whole, *at - '0', &number->whole))
            number->too_large = true;
    }
    if (at[0] != '.' || !is_digit(at[1])) return at;
    size_t places = 0;
    size_t zeros = 0; /* held back: 1.500 has one place */
    for (at++; is_digit(*at); at++) {
        if (*at == '0') {
            zeros++;
            continue;
        }
        places += zeros + 1;
        if (places > FRACTION_DIGITS_MAX) {
            number->too_fine = true;
            continue;
        }
        for (; zeros > 0; zeros--) {
            number->fraction *= 10;
            number->scale *= 10;
        }
        number->fraction = number->fraction * 10 + (*at - '0');
        number->scale *= 10;
    }
    return at;
}

/* number × factor / divisor, exactly but for a divisor, which rounds to the nearest. Splitting the
 * factor by the scale keeps all products within 64 bits: both remainders are below 10^9. */
static bool apply_unit(const struct number *number, int64_t factor, int64_t divisor, int64_t *value,
                       const char **why)
{
    int64_t quotient = factor / number->scale;
    int64_t remainder = factor % number->scale;
    int64_t cross = number->fraction * remainder;
    *why = factor == 1 ? "must be a whole number" : "finer than can be told apart";
    if (number->too_fine || cross % number->scale != 0) return false;
    int64_t part = number->fraction * quotient + cross / number->scale;
    int64_t sum;
    *why = "too large";
    if (number->too_large || __builtin_mul_overflow(number->whole, factor, &sum) ||
        __builtin_add_overflow(sum, part, &sum))
        return false;
    *value = (sum + divisor / 2) / divisor;
    *why = "too small";
    return *value > 0 || sum == 0;
}

/* Letters and signs of a unit: up to the next digit. */
static size_t unit_length(const char *at)
{
    size_t length = 0;
    while (at[length] != '\0' && !is_digit(at[length]))
        length++;
    return length;
}

static const struct unit *find_unit(enum quantity quantity, const char *name, size_t length)
{
    for (size_t i = 0; i < quantities[quantity].unit_count; i++) {
        const struct unit *unit = &quantities[quantity].units[i];
        if (strlen(unit->name) == length && memcmp(unit->name, name, length) == 0) return unit;
    }
    return NULL;
}

static void hint_units(const struct value_place *place, enum quantity quantity)
{
    struct text list = {0};
    for (size_t i = 0; i < quantities[quantity].unit_count; i++)
        text_format(&list, "%s%s", i == 0 ? "" : ", ", quantities[quantity].units[i].name);
    diagnostic_hint(place->diagnostics, "units of %s: %s", value_name(quantity), text_data(&list));
    text_free(&list);
}

static bool refuse_unit(const struct value_place *place, enum quantity quantity, const char *text,
                        const char *digits, const char *unit, size_t length)
{
    struct text name = {0};
    text_append_bytes(&name, unit, length);
    if (quantities[quantity].unit_count == 0) {
        refuse(place, text, "not ", value_name(quantity));
        diagnostic_hint(place->diagnostics, "expected %s %s", value_name(quantity),
                        value_example(quantity));
        text_free(&name);
        return false;
    }
    if (unit[0] == ' ') {
        refuse(place, text, "no blank may stand before the unit", "");
        diagnostic_hint(place->diagnostics, "did you mean %.*s%s?", (int)(unit - digits), digits,
                        unit + strspn(unit, " "));
        text_free(&name);
        return false;
    }
    refuse(place, text, "unknown unit ", text_data(&name));
    const char *names[16];
    size_t count = quantities[quantity].unit_count;
    CHECK(count <= ARRAY_LEN(names));
    for (size_t i = 0; i < count; i++)
        names[i] = quantities[quantity].units[i].name;
    /* "K" is no typing mistake of "KiB", but this is how people shorten. */
    const char *nearest = NULL;
    for (size_t i = 0; i < count && nearest == NULL; i++) {
        if (strncmp(names[i], text_data(&name), length) == 0) nearest = names[i];
    }
    if (nearest == NULL) nearest = nearest_name(text_data(&name), names, count);
    if (nearest != NULL)
        diagnostic_hint(place->diagnostics, "did you mean %.*s%s?", (int)(unit - digits), digits,
                        nearest);
    hint_units(place, quantity);
    text_free(&name);
    return false;
}

/* "1/200" */
static bool parse_ratio(const struct value_place *place, const char *text,
                        const struct number *over, const char *rest, int64_t *value)
{
    struct number under;
    const char *end = scan_number(rest, &under);
    if (end == NULL || *end != '\0' || under.whole == 0 || under.fraction != 0 ||
        over->fraction != 0)
        return refuse(place, text, "not a share of the form 1/200", "");
    if (over->too_large || under.too_large || over->whole > under.whole)
        return refuse(place, text, "more than the whole", "");
    if (over->whole > INT64_MAX / 1000000) return refuse(place, text, "too large", "");
    *value = (over->whole * 1000000 + under.whole / 2) / under.whole;
    if (*value == 0 && over->whole != 0) return refuse(place, text, "less than 1ppm", "");
    return true;
}

/* In a compound the next smaller unit is meant: 1h30 is 1h30m. */
static const char *next_unit(enum quantity quantity, const struct unit *before)
{
    const struct unit *end = quantities[quantity].units + quantities[quantity].unit_count;
    for (const struct unit *unit = before + 1; unit < end; unit++) {
        if (unit->canonical && unit->factor < before->factor) return unit->name;
    }
    return before->name;
}

static bool refuse_bare(const struct value_place *place, enum quantity quantity, const char *text,
                        const char *suggested_unit)
{
    refuse(place, text, value_name(quantity), " needs a unit");
    if (suggested_unit == NULL) suggested_unit = quantities[quantity].suggest;
    if (quantity == QUANTITY_SHARE) {
        /* 0.6 may be meant as 60% or as 0.6%. */
        diagnostic_hint(place->diagnostics, "expected %s %s", value_name(quantity),
                        value_example(quantity));
        return false;
    }
    diagnostic_hint(place->diagnostics, "did you mean %s%s?", text, suggested_unit);
    return false;
}

bool value_parse(const struct value_place *place, enum quantity quantity, const char *text,
                 int64_t bare, const char *suggested_unit, int64_t *value)
{
    const char *at = text;
    bool negative = *at == '-';
    if (negative) at++;
    int64_t sum = 0;
    const struct unit *before = NULL;
    if (bare == 0) bare = quantities[quantity].bare;
    do {
        const char *digits = at;
        struct number number;
        at = scan_number(digits, &number);
        if (at == NULL) {
            refuse(place, text, "not ", value_name(quantity));
            diagnostic_hint(place->diagnostics, "expected %s %s", value_name(quantity),
                            value_example(quantity));
            return false;
        }
        if (number.leading_zero) {
            refuse(place, text, "a number must not start with 0", "");
            diagnostic_hint(place->diagnostics,
                            "octal to some readers of YAML, decimal to others; drop the 0");
            return false;
        }
        if (quantity == QUANTITY_SHARE && *at == '/')
            return parse_ratio(place, text, &number, at + 1, value);
        size_t length = unit_length(at);
        const struct unit *unit = find_unit(quantity, at, length);
        if (unit == NULL && length > 0)
            return refuse_unit(place, quantity, text, digits, at, length);
        if (unit == NULL && before != NULL)
            return refuse_bare(place, quantity, text, next_unit(quantity, before));
        if (unit == NULL && bare == 0) return refuse_bare(place, quantity, text, suggested_unit);
        int64_t part;
        const char *why;
        if (!apply_unit(&number, unit == NULL ? bare : unit->factor,
                        unit == NULL ? 1 : unit->divisor, &part, &why))
            return refuse(place, text, why, "");
        if (__builtin_add_overflow(sum, part, &sum)) return refuse(place, text, "too large", "");
        at += length;
        before = unit;
    } while (*at != '\0' && quantities[quantity].compound);
    if (*at != '\0') return refuse(place, text, "not ", value_name(quantity));
    *value = negative ? -sum : sum;
    return true;
}

static void format_thousandths(struct text *text, int64_t value)
{
    text_format(text, "%s%" PRId64, value < 0 ? "-" : "", (value < 0 ? -value : value) / 1000);
    int64_t fraction = (value < 0 ? -value : value) % 1000;
    if (fraction == 0) return;
    int places = 3;
    for (; fraction % 10 == 0; fraction /= 10)
        places--;
    text_format(text, ".%0*" PRId64, places, fraction);
}

void value_format(struct text *text, enum quantity quantity, int64_t value)
{
    if (quantity == QUANTITY_COUNT) {
        text_format(text, "%" PRId64, value);
    } else if (quantity == QUANTITY_DECIMAL) {
        format_thousandths(text, value);
    } else if (quantity == QUANTITY_RATE) {
        format_thousandths(text, value);
        text_append(text, "/s");
    } else if (value == 0) {
        text_format(text, "0%s", quantities[quantity].suggest);
    } else {
        for (size_t i = 0; i < quantities[quantity].unit_count; i++) {
            const struct unit *unit = &quantities[quantity].units[i];
            if (!unit->canonical || value % unit->factor != 0) continue;
            text_format(text, "%" PRId64 "%s", value / unit->factor, unit->name);
            return;
        }
        CHECK(false); /* each table ends with a unit worth 1 */
    }
}
