/* What producers write twice, and what deposed leaders acknowledge: the ledger's view. */
#include "model/ledger.h"

#include "model/kafka_types.h"
#include "model/trace_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct scenario_topic topics[] = {{.name = "orders", .partitions = 1}};
static const char *const subscribed[] = {"orders"};
static const struct scenario_group groups[] = {
    {.name = "billing", .topics = subscribed, .topic_count = 1, .members = 1}};
static const struct scenario_producer careless[] = {
    {.name = "checkout", .topic = "orders", .config = {.acks = 1}}};
static const struct scenario scenario = {.topics = topics,
                                         .topic_count = 1,
                                         .producers = careless,
                                         .producer_count = 1,
                                         .groups = groups,
                                         .group_count = 1};

/* One log, one group that reads nothing, and a producer without idempotence. */
struct books {
    struct sim *sim;
    struct ledger *ledger;
    name_id producer;
};

static struct books books_new(void)
{
    struct books b = {.sim = sim_new(&(struct sim_options){.seed = 1})};
    trace_set_kinds(sim_trace(b.sim), trace_kinds, TRACE_KIND_COUNT);
    b.ledger = ledger_new(b.sim, &scenario);
    b.producer = names_intern(sim_names(b.sim), "checkout");
    return b;
}

static struct ledger_group books_close(struct books *b)
{
    ledger_finish(b->ledger);
    assert_true(ledger_is_balanced(b->ledger));
    struct ledger_group figures;
    ledger_group(b->ledger, 0, &figures);
    return figures;
}

static int64_t caused(struct books *b, enum finding_kind kind, enum finding_cause cause)
{
    return ledger_finding_totals(b->ledger, 0)->records[kind][cause];
}

/* The books of producers begin with what they are asked to send. */
static void arrive(struct books *b, int64_t count)
{
    TRACE(b->sim, TRACE_ARRIVAL, b->producer, PARTITION_ID(0, 0), count, count * 100, 0, 0);
}

static void send(struct books *b, uint16_t kind, int64_t offset, int64_t count, sim_time made_at)
{
    TRACE(b->sim, kind, PARTITION_ID(0, 0), 0, 0, offset, count, count * 100, made_at, made_at + 9,
          b->producer);
}

static void told(struct books *b, int64_t offset, int64_t count, sim_time made_at, int64_t error)
{
    TRACE(b->sim, TRACE_PRODUCE_DONE, b->producer, PARTITION_ID(0, 0), offset, count, error, 1,
          made_at, made_at + 9);
}

static void a_batch_that_is_sent_again_is_a_copy(void **state)
{
    (void)state;
    struct books b = books_new();
    arrive(&b, 30);
    send(&b, TRACE_BATCH_APPENDED, 0, 10, 100);
    told(&b, 0, 10, 100, 0);
    send(&b, TRACE_BATCH_APPENDED, 10, 10, 200); /* the answer is lost: a retry */
    send(&b, TRACE_BATCH_APPENDED, 20, 10, 200);
    told(&b, 20, 10, 200, 0);
    send(&b, TRACE_BATCH_APPENDED, 30, 10, 300); /* … and given up, and sent anew */
    told(&b, -1, 10, 300, KAFKA_REQUEST_TIMED_OUT);
    send(&b, TRACE_BATCH_APPENDED, 40, 10, 300);
    told(&b, 40, 10, 300, 0);
    struct ledger_group figures = books_close(&b);
    assert_int_equal(figures.copies, 20);
    assert_int_equal(caused(&b, FINDING_COPY, FINDING_CAUSE_PRODUCER_RETRY), 10);
    assert_int_equal(caused(&b, FINDING_COPY, FINDING_CAUSE_PRODUCER_RESEND), 10);
    assert_int_equal(figures.lost, 0);
    sim_free(b.sim);
}

static void what_a_truncated_log_lost_is_no_copy(void **state)
{
    (void)state;
    struct books b = books_new();
    send(&b, TRACE_BATCH_APPENDED, 0, 10, 100);
    send(&b, TRACE_BATCH_APPENDED, 10, 10, 200);
    TRACE(b.sim, TRACE_LEADER_ELECTED, PARTITION_ID(0, 0), 1, 1, 10, 0);
    send(&b, TRACE_BATCH_APPENDED, 10, 10, 200); /* was taken back */
    send(&b, TRACE_BATCH_APPENDED, 20, 10, 100); /* was not */
    struct ledger_group figures = books_close(&b);
    assert_int_equal(figures.copies, 10);
    sim_free(b.sim);
}

static void what_a_deposed_leader_acknowledges_is_lost(void **state)
{
    (void)state;
    struct books b = books_new();
    arrive(&b, 20);
    send(&b, TRACE_BATCH_DIVERGED, 0, 10, 100);
    told(&b, 0, 10, 100, 0);
    send(&b, TRACE_BATCH_DIVERGED, 10, 10, 200); /* not answered, so sent to the right one */
    send(&b, TRACE_BATCH_APPENDED, 0, 10, 200);
    told(&b, 0, 10, 200, 0);
    struct ledger_group figures = books_close(&b);
    assert_int_equal(figures.lost, 10);
    assert_int_equal(figures.taken_back, 10);
    assert_int_equal(figures.copies, 0);
    sim_free(b.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_that_is_sent_again_is_a_copy),
        cmocka_unit_test(what_a_truncated_log_lost_is_no_copy),
        cmocka_unit_test(what_a_deposed_leader_acknowledges_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
