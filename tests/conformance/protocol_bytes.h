/* tests/conformance/protocol_bytes.h: recorded bytes of the consumer protocol (ASSIGNORS.md, 10).
 */
#ifndef TESTS_CONFORMANCE_PROTOCOL_BYTES_H
#define TESTS_CONFORMANCE_PROTOCOL_BYTES_H

#include "tests/conformance/conformance.h"

bool protocol_bytes_applies(const json_t *record);
/* Encoding what the record says gives its bytes, and decoding its bytes and encoding the result
 * gives them again. Any shorter piece of the bytes must be refused, or be read without harm. */
enum conformance_outcome protocol_bytes_check(const json_t *record,
                                              struct conformance_report *report);

#endif
