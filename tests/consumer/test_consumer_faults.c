/* Faults that hang on what a group does, and what they hit. */
#include "tests/consumer/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_fault_may_wait_for_what_a_deadline_brings_about(void **state)
{
    (void)state;
    /* g-1 dies without a word; its session ends 45 s after its last heartbeat, and at that very
     * instant g-2 dies, too. */
    struct story *s = STORY(.duration = "3m", .partitions = "2", .rate = "1/s", .members = "2",
                            .timeline = "{at: 30s, crash: g-1}, {when: {group: g, state: "
                                        "PreparingRebalance}, at: 40s, crash: g-2}");
    expect_story(s, STORY_GROUP | STORY_OWNED, "", 30000, 180000,
                 "30000 g-1 gave up orders-0: DIED\n"
                 "73011 group g Stable -> PreparingRebalance, generation 1\n"
                 "73011 g-2 gave up orders-1: DIED\n"
                 "118011 group g PreparingRebalance -> Empty, generation 2\n");
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_may_wait_for_what_a_deadline_brings_about),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
