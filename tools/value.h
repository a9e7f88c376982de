/* tools/value.h: quantities as people write them, and back.
 *
 * Whole numbers and exact decimals only; no floating point, no locale. Every quantity has one
 * canonical spelling, which is written into resolved scenarios and reads back as the same number.
 *
 *     DURATION   45s 300ms 1h30m     nanoseconds
 *     BYTES      1GiB 64KiB 1MB 100B bytes
 *     RATE       900/s 54000/min     per second x 1,000
 *     BANDWIDTH  1GiB/s 100Mbit/s    bytes per second
 *     SHARE      0.5% 1/200 500ppm   parts per million
 *     DECIMAL    0.9 2.5             thousandths
 *     COUNT      15                  the number itself */
#ifndef TOOLS_VALUE_H
#define TOOLS_VALUE_H

#include "tools/diagnostic.h"
#include "tools/text.h"

enum quantity {
    QUANTITY_DURATION,
    QUANTITY_BYTES,
    QUANTITY_RATE,
    QUANTITY_BANDWIDTH,
    QUANTITY_SHARE,
    QUANTITY_DECIMAL,
    QUANTITY_COUNT,
};

/* Who asks, for the messages: "members: 1x5: not a number". */
struct value_place {
    struct diagnostics *diagnostics;
    struct position at;
    const char *label;
};

/* `bare` is what one unit of a number without a unit is worth (1,000,000 for Kafka's *.ms); 0 = it
 * needs a unit, and `suggested_unit` is offered. False when an error was reported. */
bool value_parse(const struct value_place *place, enum quantity quantity, const char *text,
                 int64_t bare, const char *suggested_unit, int64_t *value);
void value_format(struct text *text, enum quantity quantity, int64_t value);

/* "a duration", "a share" */
const char *value_name(enum quantity quantity);
/* "such as 45s, 300ms or 1h30m" */
const char *value_example(enum quantity quantity);
/* A regular expression (ECMA 262) for JSON Schema. */
const char *value_pattern(enum quantity quantity);

/* Input as it may stand in a message: long ones are cut with an ellipsis. Appended to `text`. */
void value_quote(struct text *text, const char *input);

#endif
