/* sim/prefetch.h: memory that will be read soon is asked for ahead of time.
 *
 * A hint: what a run does is the same with and without. GCC sees no effect in a function that does
 * nothing but __builtin_prefetch, takes it for a pure one and drops the calls; the empty assembly,
 * which it must not look into, prevents that. */
#ifndef SIM_PREFETCH_H
#define SIM_PREFETCH_H

#include <stddef.h>

#define CACHE_LINE ((size_t)64)

/* Any address will do, also NULL. */
static inline void prefetch_line(const void *address)
{
    __builtin_prefetch(address);
    __asm__ volatile("" : : "r"(address));
}

/* So many lines from `start` on. */
static inline void prefetch_lines(const void *start, size_t lines)
{
    const char *line = start;
    if (start == NULL) return;
    for (size_t i = 0; i < lines; i++)
        prefetch_line(line + i * CACHE_LINE);
}

#endif
