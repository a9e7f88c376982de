/* model/java_string.h: what Java's String does with our UTF-8 texts.
 *
 * Java counts in UTF-16 code units: a character above U+FFFF is two of them (surrogates). */
#ifndef MODEL_JAVA_STRING_H
#define MODEL_JAVA_STRING_H

#include <stddef.h>
#include <stdint.h>

/* String.hashCode: h = 31 h + unit, wrapping. Bytes that are no UTF-8 count as U+FFFD, one each. */
int32_t java_string_hash(const char *text, size_t length);
/* String.compareTo, of terminated texts: byte order, except that characters above U+FFFF sort
 * before U+E000 to U+FFFF. */
int java_string_compare(const char *a, const char *b);

#endif
