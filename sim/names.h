/* sim/names.h: every name once.
 *
 * Group ids, member ids, topics, hosts … are interned to small numbers, compared as numbers and
 * carried by value in messages, so no string in the model has an owner. Ids count up in the order
 * of first use, which is repeatable, but nothing may be ordered by id where Kafka orders by name:
 * use names_compare. Fingerprints hash names_hash, so they do not depend on numbering. */
#ifndef SIM_NAMES_H
#define SIM_NAMES_H

#include "sim/check.h"
#include "sim/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t name_id;
#define NAME_NONE  ((name_id)0) /* no name, Kafka's null */
#define NAME_EMPTY ((name_id)1) /* the empty string */

struct names;

struct names *names_new(struct memory *memory);
name_id names_intern(struct names *names, const char *text);
name_id names_intern_bytes(struct names *names, const char *text, size_t length);
/* printf into a name; at most 1,023 bytes. */
name_id names_format(struct names *names, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* NAME_NONE when nobody has interned it: lets input be looked up without growing the table. */
name_id names_find(const struct names *names, const char *text);

/* Terminated text; "" for NAME_NONE. Valid as long as the names. */
const char *names_text(const struct names *names, name_id name);
size_t names_length(const struct names *names, name_id name);
/* What every record that is hashed asks for; struct names begins with it. */
struct names_hashes {
    uint64_t *hash; /* shape [count], by name_id */
    uint32_t count;
};
/* xxHash64 of the bytes, seed 0: the same in every world. */
static inline uint64_t names_hash(const struct names *names, name_id name)
{
    const struct names_hashes *hashes = (const void *)names;
    CHECK(name < hashes->count);
    return hashes->hash[name];
}
/* Byte order, shorter prefix first (Java's String order for ASCII). NAME_NONE sorts first. */
int names_compare(const struct names *names, name_id a, name_id b);
uint32_t names_count(const struct names *names);

#endif
