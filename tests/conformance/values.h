/* tests/conformance/values.h: plain C values out of a recorded case. */
#ifndef TESTS_CONFORMANCE_VALUES_H
#define TESTS_CONFORMANCE_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Hex digits to bytes. NULL when `text` is no hex; else free() it. */
uint8_t *hex_decode(const char *text, size_t *length);
/* Terminated hex digits; free() it. */
char *hex_encode(const uint8_t *data, size_t length);

/* A JSON array of integers. NULL when it is none; else free() it (never NULL for an empty array).
 */
int32_t *int32_array(const json_t *array, int32_t *count);

bool get_int32(const json_t *object, const char *key, int32_t *value);

#endif
