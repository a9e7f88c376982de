#define _DEFAULT_SOURCE /* madvise */

#include "sim/memory.h"

#include "sim/check.h"
#include "sim/prefetch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_POISON 1
#endif
#endif

/* Under AddressSanitizer a block that was given back may not be touched, as after free(). */
#ifdef MEMORY_POISON
#include <sanitizer/asan_interface.h>
#define POISON(block, size)   ASAN_POISON_MEMORY_REGION(block, size)
#define UNPOISON(block, size) ASAN_UNPOISON_MEMORY_REGION(block, size)
#else
#define POISON(block, size)   ((void)(block), (void)(size))
#define UNPOISON(block, size) ((void)(block), (void)(size))
#endif

#define GRANULE          ((size_t)16)
#define SMALL_LIMIT      ((size_t)1024) /* up to here one class per granule */
#define CHUNK_SMALLEST   ((size_t)64 * 1024)
#define HUGE_PAGE        ((size_t)2 * 1024 * 1024)
#define CHUNK_LARGEST    (HUGE_PAGE - sizeof(struct chunk)) /* with its header, one page */
#define OWN_CHUNK_LIMIT  ((size_t)32 * 1024) /* from here a block has a chunk of its own */
#define STEPS_PER_DOUBLE 4u
#define CLASS_COUNT      (SMALL_LIMIT / GRANULE + 1 + 48 * STEPS_PER_DOUBLE)

/* One piece of memory from the host; blocks follow the header, which fills a cache line so that
 * large blocks start on one. */
struct chunk {
    struct chunk *next;
    size_t size;
    char unused[CACHE_LINE - sizeof(struct chunk *) - sizeof(size_t)];
};

struct free_block {
    struct free_block *next;
};

struct memory {
    struct chunk *chunks;
    char *free_from; /* the part of the newest shared chunk not handed out yet */
    size_t free_size;
    size_t next_chunk_size;
    uint64_t footprint_bytes;
    struct free_block *free[CLASS_COUNT];
};

struct memory *memory_new(void)
{
    struct memory *memory = calloc(1, sizeof *memory);
    CHECK(memory != NULL);
    memory->next_chunk_size = CHUNK_SMALLEST;
    memory->footprint_bytes = sizeof *memory;
    return memory;
}

void memory_free_all(struct memory *memory)
{
    if (memory == NULL) return;
    struct chunk *chunk = memory->chunks;
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        UNPOISON(chunk, chunk->size);
        free(chunk);
        chunk = next;
    }
    free(memory);
}

/* Large worlds are mostly waiting for memory, a tenth of it for addresses to be translated: where
 * the system has pages of 2 MiB to give, they are asked for. */
static struct chunk *host_memory(size_t size)
{
    if (size < HUGE_PAGE) return aligned_alloc(CACHE_LINE, size);
    size_t whole = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    struct chunk *chunk = aligned_alloc(HUGE_PAGE, whole);
#ifdef MADV_HUGEPAGE
    if (chunk != NULL) (void)madvise(chunk, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return chunk;
}

static char *chunk_new(struct memory *memory, size_t payload_size)
{
    size_t size = (sizeof(struct chunk) + payload_size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    CHECK(size > payload_size);
    struct chunk *chunk = host_memory(size);
    CHECK(chunk != NULL);
    chunk->next = memory->chunks;
    chunk->size = size;
    memory->chunks = chunk;
    memory->footprint_bytes += size;
    return (char *)chunk + sizeof *chunk;
}

/* `size` is a multiple of the granule; the block is not zeroed. */
static void *carve(struct memory *memory, size_t size)
{
    if (size >= OWN_CHUNK_LIMIT) return chunk_new(memory, size);
    /* Blocks of whole cache lines begin on one; a chunk ends on one. */
    if (size % CACHE_LINE == 0) {
        size_t skipped = memory->free_size % CACHE_LINE;
        memory->free_from += skipped;
        memory->free_size -= skipped;
    }
    if (size > memory->free_size) {
        memory->free_from = chunk_new(memory, memory->next_chunk_size);
        memory->free_size = memory->next_chunk_size;
        memory->next_chunk_size *= 2;
        if (memory->next_chunk_size > CHUNK_LARGEST) memory->next_chunk_size = CHUNK_LARGEST;
    }
    char *block = memory->free_from;
    memory->free_from += size;
    memory->free_size -= size;
    return block;
}

static size_t round_up(size_t size)
{
    CHECK(size <= SIZE_MAX / 2);
    return size == 0 ? GRANULE : (size + GRANULE - 1) / GRANULE * GRANULE;
}

void *memory_keep(struct memory *memory, size_t size)
{
    void *block = carve(memory, round_up(size));
    memset(block, 0, size);
    return block;
}

/* The class of a size and the size of every block of that class: multiples of the granule, then
 * four steps per doubling, so that at most a fifth of a large block is waste. */
static size_t size_class(size_t size, size_t *class_size)
{
    size = round_up(size);
    if (size <= SMALL_LIMIT) {
        *class_size = size;
        return size / GRANULE;
    }
    unsigned exponent = 63u - (unsigned)__builtin_clzll((unsigned long long)(size - 1));
    size_t base = (size_t)1 << exponent; /* base < size <= 2 * base */
    size_t step = base / STEPS_PER_DOUBLE;
    size_t steps = (size - base + step - 1) / step;
    *class_size = base + steps * step;
    size_t class = SMALL_LIMIT / GRANULE + (size_t)(exponent - 10) * STEPS_PER_DOUBLE + steps;
    CHECK(class < CLASS_COUNT);
    return class;
}

void *memory_take_unset(struct memory *memory, size_t size)
{
    size_t class_size;
    size_t class = size_class(size, &class_size);
    struct free_block *block = memory->free[class];
    if (block == NULL) return carve(memory, class_size);
    UNPOISON(block, class_size);
    memory->free[class] = block->next;
    prefetch_lines(block->next, 2); /* who takes one takes another, and it may be long unused */
    return block;
}

void *memory_take(struct memory *memory, size_t size)
{
    void *block = memory_take_unset(memory, size);
    memset(block, 0, size);
    return block;
}

void memory_give(struct memory *memory, void *block, size_t size)
{
    if (block == NULL) return;
    size_t class_size;
    size_t class = size_class(size, &class_size);
    struct free_block *freed = block;
    freed->next = memory->free[class];
    memory->free[class] = freed;
    POISON(block, class_size);
}

void *memory_resize(struct memory *memory, void *block, size_t old_size, size_t new_size)
{
    if (block == NULL) return memory_take(memory, new_size);
    size_t old_class_size, new_class_size;
    if (size_class(old_size, &old_class_size) != size_class(new_size, &new_class_size)) {
        void *grown = memory_take_unset(memory, new_size);
        memcpy(grown, block, old_size < new_size ? old_size : new_size);
        memory_give(memory, block, old_size);
        block = grown;
    }
    if (new_size > old_size) memset((char *)block + old_size, 0, new_size - old_size);
    return block;
}

uint64_t memory_footprint_bytes(const struct memory *memory)
{
    return memory->footprint_bytes;
}
