/* sim/memory.h: the memory of one world.
 *
 * Two ways to take it. `memory_keep` is an arena: never given back before the world ends.
 * `memory_take`/`memory_give` recycle blocks by size class, for what churns (messages, members,
 * log batches); a block given back is reused by the next taker of its class. Everything is
 * released by `memory_free_all`, so what lives in a world needs no clean-up path.
 * Blocks are zeroed, but for memory_take_unset's, and aligned to 16 bytes,
 * to 64 if they are whole cache lines. Exhaustion of the host's
 * memory is a CHECK. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct memory;

struct memory *memory_new(void);
void memory_free_all(struct memory *memory);

void *memory_keep(struct memory *memory, size_t size);
void *memory_take(struct memory *memory, size_t size);
/* Not zeroed, for large arrays of which every element is written before it is read. */
void *memory_take_unset(struct memory *memory, size_t size);
/* `size` is the size it was taken with; NULL is ignored. */
void memory_give(struct memory *memory, void *block, size_t size);
/* Grows (or shrinks) a taken block, keeping its first bytes; block may be NULL with old_size 0. */
void *memory_resize(struct memory *memory, void *block, size_t old_size, size_t new_size);

/* Bytes taken from the host so far; the flat-memory test watches this. */
uint64_t memory_footprint_bytes(const struct memory *memory);

#endif
