/* tools/seed.c: seeds as people give them, in a scenario or behind --seed. */
#include "tools/seed.h"

#include "sim/check.h"

#include <stdio.h>
#include <string.h>

#define COMMIT_DIGITS 40
#define SEED_DIGITS   16

/* The one place where a run may depend on the host: the seed is printed and stored with the run.
 * Kept below 2^53, which every reader of JSON can hold. */
static uint64_t seed_from_host(void)
{
    uint64_t seed = 0;
    FILE *file = fopen("/dev/urandom", "rb");
    CHECK(file != NULL);
    size_t count = fread(&seed, sizeof seed, 1, file);
    fclose(file);
    CHECK(count == 1);
    return seed >> 11;
}

static bool parse_commit(const char *text, uint64_t *seed)
{
    if (strlen(text) != COMMIT_DIGITS || strspn(text, "0123456789abcdef") != COMMIT_DIGITS)
        return false;
    *seed = 0;
    for (size_t i = 0; i < SEED_DIGITS; i++) {
        unsigned digit = (unsigned)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
        *seed = *seed << 4 | digit;
    }
    return true;
}

bool seed_parse(const char *text, uint64_t *seed)
{
    if (strcmp(text, "auto") == 0) {
        *seed = seed_from_host();
        return true;
    }
    if (parse_commit(text, seed)) return true;
    uint64_t value = 0;
    if (*text == '\0' || (text[0] == '0' && text[1] != '\0')) return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    *seed = value;
    return true;
}
