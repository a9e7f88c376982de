#include "sim/check.h"
#include "sim/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_zero(const unsigned char *block, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != 0) return false;
    }
    return true;
}

static void blocks_are_zeroed_and_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 15, 16, 17, 100, 1024, 1025, 5000, 32768, 65537, 3000000};
    struct memory *memory = memory_new();
    for (int round = 0; round < 3; round++) { /* from the second on, blocks are used ones */
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            unsigned char *taken = memory_take(memory, sizes[i]);
            unsigned char *kept = memory_keep(memory, sizes[i]);
            assert_int_equal((uintptr_t)taken % 16, 0);
            assert_int_equal((uintptr_t)kept % 16, 0);
            assert_true(is_zero(taken, sizes[i]) && is_zero(kept, sizes[i]));
            memset(taken, 0xaa, sizes[i]);
            memset(kept, 0xbb, sizes[i]);
            memory_give(memory, taken, sizes[i]);
        }
    }
    memory_free_all(memory);
}

static void a_block_given_back_is_taken_next(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    char *first = memory_take(memory, 100);
    char *second = memory_take(memory, 100);
    assert_ptr_not_equal(first, second);
    memory_give(memory, first, 100);
    assert_ptr_equal(memory_take(memory, 112), first); /* same class: up to 112 bytes */
    memory_give(memory, NULL, 100);
    memory_free_all(memory);
}

static void churn_takes_nothing_more_from_the_host(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    uint64_t settled = 0;
    for (int round = 0; round < 1000; round++) {
        void *block[64];
        for (size_t i = 0; i < ARRAY_LEN(block); i++)
            block[i] = memory_take(memory, 1 + i * 97);
        for (size_t i = 0; i < ARRAY_LEN(block); i++)
            memory_give(memory, block[i], 1 + i * 97);
        if (round == 0) settled = memory_footprint_bytes(memory);
    }
    assert_int_equal(memory_footprint_bytes(memory), settled);
    memory_free_all(memory);
}

static void resize_keeps_the_beginning_and_zeroes_the_rest(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    size_t size = 1;
    unsigned char *block = memory_resize(memory, NULL, 0, size);
    block[0] = 1;
    while (size < 500000) {
        size_t grown = size + size / 2 + 1;
        block = memory_resize(memory, block, size, grown);
        assert_true(is_zero(block + size, grown - size));
        for (size_t i = 0; i < size; i++)
            assert_int_equal(block[i], 1 + i % 251);
        for (size_t i = 0; i < grown; i++)
            block[i] = (unsigned char)(1 + i % 251);
        size = grown;
    }
    block = memory_resize(memory, block, size, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(block[i], 1 + i % 251);
    block =
        memory_resize(memory, block, 10, 16); /* within the block: the tail must not come back */
    assert_true(is_zero(block + 10, 6));
    memory_free_all(memory);
}

/* Blocks alive at the same time never overlap: each is filled with its own byte and checked. */
static void random_traffic_keeps_blocks_apart(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    static struct {
        unsigned char *block;
        size_t size;
    } slot[256];
    uint64_t random = 1;
    for (int step = 0; step < 50000; step++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t i = random >> 56;
        if (slot[i].block == NULL) {
            slot[i].size = 1 + (random >> 40) % (random & 1 ? 200 : 9000);
            slot[i].block = memory_take(memory, slot[i].size);
            memset(slot[i].block, (int)i, slot[i].size);
        } else {
            for (size_t k = 0; k < slot[i].size; k++)
                assert_int_equal(slot[i].block[k], i);
            memory_give(memory, slot[i].block, slot[i].size);
            slot[i].block = NULL;
        }
    }
    memory_free_all(memory);
    memset(slot, 0, sizeof slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_and_aligned),
        cmocka_unit_test(a_block_given_back_is_taken_next),
        cmocka_unit_test(churn_takes_nothing_more_from_the_host),
        cmocka_unit_test(resize_keeps_the_beginning_and_zeroes_the_rest),
        cmocka_unit_test(random_traffic_keeps_blocks_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
