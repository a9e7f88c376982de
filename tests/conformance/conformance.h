/* tests/conformance/conformance.h: recorded answers of Apache Kafka against ours.
 *
 * `build/conformance FILE...` reads JSON Lines (plain or gzip), one recorded case per line. A case
 * tells by its fields what kind it is; the table in kinds.c names the kinds. To add one, write its
 * two functions and add a row there. */
#ifndef TESTS_CONFORMANCE_CONFORMANCE_H
#define TESTS_CONFORMANCE_CONFORMANCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum conformance_outcome {
    CASE_PASSED,
    CASE_FAILED,   /* our answer is not what the case demands; the report says how */
    CASE_UNUSABLE, /* the line is not a case of this kind after all; the report says why */
};

/* Text about the case at hand. It is printed below the case's id if it failed or is unusable (only
 * for the first failures), so writing it costs nothing else. */
struct conformance_report {
    char *text;
    size_t length;
    size_t capacity;
};

/* Appends one line; a line feed is added. Lines beyond the fortieth of a case are counted only. */
void conformance_say(struct conformance_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct conformance_kind {
    const char *name;
    bool (*applies)(const json_t *record);
    enum conformance_outcome (*check)(const json_t *record, struct conformance_report *report);
};

/* The first kind that applies, or NULL. */
const struct conformance_kind *conformance_kind_of(const json_t *record);

#endif
