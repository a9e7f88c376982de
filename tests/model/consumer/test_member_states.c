/* The state machine of a KIP-848 member, cell by cell: who may become what
 * (consumer-protocol-848-client.md, section 2). */
#include "model/consumer/member_states.h"
#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const names[] = {
#define X(name) #name,
    CONSUMER_MEMBER_STATES(X)
#undef X
};

static const struct {
    enum consumer_member_state from;
    enum consumer_member_state to;
} allowed[] = {
    {CONSUMER_JOINING, CONSUMER_STABLE},
    {CONSUMER_ACKNOWLEDGING, CONSUMER_STABLE},
    {CONSUMER_RECONCILING, CONSUMER_STABLE},
    {CONSUMER_STABLE, CONSUMER_RECONCILING},
    {CONSUMER_JOINING, CONSUMER_RECONCILING},
    {CONSUMER_ACKNOWLEDGING, CONSUMER_RECONCILING},
    {CONSUMER_RECONCILING, CONSUMER_ACKNOWLEDGING},
    {CONSUMER_FENCED, CONSUMER_JOINING},
    {CONSUMER_UNSUBSCRIBED, CONSUMER_JOINING},
    {CONSUMER_STALE, CONSUMER_JOINING},
    {CONSUMER_JOINING, CONSUMER_PREPARE_LEAVING},
    {CONSUMER_STABLE, CONSUMER_PREPARE_LEAVING},
    {CONSUMER_RECONCILING, CONSUMER_PREPARE_LEAVING},
    {CONSUMER_ACKNOWLEDGING, CONSUMER_PREPARE_LEAVING},
    {CONSUMER_UNSUBSCRIBED, CONSUMER_PREPARE_LEAVING},
    {CONSUMER_PREPARE_LEAVING, CONSUMER_LEAVING},
    {CONSUMER_PREPARE_LEAVING, CONSUMER_UNSUBSCRIBED},
    {CONSUMER_LEAVING, CONSUMER_UNSUBSCRIBED},
    {CONSUMER_FENCED, CONSUMER_UNSUBSCRIBED},
    {CONSUMER_LEAVING, CONSUMER_STALE},
    {CONSUMER_JOINING, CONSUMER_FENCED},
    {CONSUMER_STABLE, CONSUMER_FENCED},
    {CONSUMER_RECONCILING, CONSUMER_FENCED},
    {CONSUMER_ACKNOWLEDGING, CONSUMER_FENCED},
    {CONSUMER_PREPARE_LEAVING, CONSUMER_FENCED},
    {CONSUMER_LEAVING, CONSUMER_FENCED},
    {CONSUMER_JOINING, CONSUMER_FATAL},
    {CONSUMER_STABLE, CONSUMER_FATAL},
    {CONSUMER_RECONCILING, CONSUMER_FATAL},
    {CONSUMER_ACKNOWLEDGING, CONSUMER_FATAL},
    {CONSUMER_PREPARE_LEAVING, CONSUMER_FATAL},
    {CONSUMER_LEAVING, CONSUMER_FATAL},
    {CONSUMER_UNSUBSCRIBED, CONSUMER_FATAL},
};

static void every_transition(void **state)
{
    (void)state;
    for (int from = 0; from < CONSUMER_MEMBER_STATE_COUNT; from++) {
        for (int to = 0; to < CONSUMER_MEMBER_STATE_COUNT; to++) {
            bool expected = from == to;
            for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
                if ((int)allowed[i].from == from && (int)allowed[i].to == to) expected = true;
            }
            if (consumer_member_may_become((enum consumer_member_state)from,
                                           (enum consumer_member_state)to) != expected) {
                fail_msg("%s -> %s should be %s", names[from], names[to],
                         expected ? "allowed" : "refused");
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_transition)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
