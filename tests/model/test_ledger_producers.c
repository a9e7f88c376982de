/* The producers' books: what they were asked to send, and what became of it. */
#include "model/kafka_types.h"
#include "model/ledger.h"
#include "model/trace_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BLIND, CAREFUL, STUBBORN };

static const struct scenario_topic topics[] = {{.name = "orders", .partitions = 2}};
static const char *const subscribed[] = {"orders"};
static const struct scenario_group groups[] = {
    {.name = "billing", .topics = subscribed, .topic_count = 1, .members = 1}};
static const struct scenario_producer producers[] = {
    [BLIND] = {.name = "blind", .topic = "orders", .config = {.acks = 0}},
    [CAREFUL] = {.name = "careful",
                 .topic = "orders",
                 .config = {.acks = -1, .enable_idempotence = true}},
    [STUBBORN] = {.name = "stubborn", .topic = "orders", .config = {.acks = 1}, .resend = true},
};
static const struct scenario scenario = {.topics = topics,
                                         .topic_count = 1,
                                         .producers = producers,
                                         .producer_count = 3,
                                         .groups = groups,
                                         .group_count = 1};

struct books {
    struct sim *sim;
    struct ledger *ledger;
    name_id names[3];
};

static struct books books_new(void)
{
    struct books b = {.sim = sim_new(&(struct sim_options){.seed = 1})};
    trace_set_kinds(sim_trace(b.sim), trace_kinds, TRACE_KIND_COUNT);
    b.ledger = ledger_new(b.sim, &scenario);
    for (int i = 0; i < 3; i++)
        b.names[i] = names_intern(sim_names(b.sim), producers[i].name);
    return b;
}

/* One line of a story: ten records that came into being at `made_at`. */
static void arrive(struct books *b, int who)
{
    TRACE(b->sim, TRACE_ARRIVAL, b->names[who], PARTITION_ID(0, 0), 10, 1000, 0, 0);
}

static void told(struct books *b, int who, int64_t made_at, int64_t offset, int64_t error)
{
    TRACE(b->sim, TRACE_PRODUCE_DONE, b->names[who], PARTITION_ID(0, 0), offset, 10, error, 1,
          made_at, made_at + 9);
}

static void written(struct books *b, int who, int64_t made_at, int64_t offset)
{
    TRACE(b->sim, TRACE_BATCH_APPENDED, PARTITION_ID(0, 0), 0, 0, offset, 10, 1000, made_at,
          made_at + 9, b->names[who], 0);
}

static void fails(struct books *b, int who, int64_t made_at, enum send_failure why, int64_t error)
{
    TRACE(b->sim, TRACE_SEND_FAILED, b->names[who], PARTITION_ID(0, 0), 10, why, error, 1, 0,
          made_at, made_at + 9);
}

static struct ledger_producer producer_of(struct books *b, int who)
{
    struct ledger_producer figures;
    ledger_producer(b->ledger, who, &figures);
    return figures;
}

static struct ledger_group books_close(struct books *b)
{
    ledger_finish(b->ledger);
    assert_true(ledger_is_balanced(b->ledger));
    struct ledger_group figures;
    ledger_group(b->ledger, 0, &figures);
    return figures;
}

static int64_t lost(struct books *b, enum finding_cause cause)
{
    return ledger_finding_totals(b->ledger, 0)->records[FINDING_LOST][cause];
}

static void what_is_sent_blindly_is_written_or_lost_or_on_its_way(void **state)
{
    (void)state;
    struct books b = books_new();
    for (int i = 0; i < 4; i++) {
        arrive(&b, BLIND);
        told(&b, BLIND, 100 * i, -1, 0);
    }
    written(&b, BLIND, 0, 0);
    fails(&b, BLIND, 200, SEND_DROPPED, KAFKA_NETWORK_EXCEPTION);
    fails(&b, BLIND, 300, SEND_DROPPED, KAFKA_NOT_LEADER_OR_FOLLOWER);
    arrive(&b, BLIND); /* still in the producer */
    struct ledger_producer blind = producer_of(&b, BLIND);
    assert_int_equal(blind.arrived, 50);
    assert_int_equal(blind.acknowledged, 40);
    assert_int_equal(blind.appended, 10);
    assert_int_equal(blind.dropped, 20);
    assert_int_equal(blind.travelling, 10);
    assert_int_equal(blind.pending, 10);
    struct ledger_group figures = books_close(&b);
    assert_int_equal(figures.produced, 30);
    assert_int_equal(figures.lost, 20);
    assert_int_equal(lost(&b, FINDING_CAUSE_ACKS_0), 20);
    sim_free(b.sim);
}

/* At one instant the broker may be faster than the producer's own thread. */
static void the_fate_may_be_known_before_the_producer_believes(void **state)
{
    (void)state;
    struct books b = books_new();
    arrive(&b, BLIND);
    arrive(&b, BLIND);
    written(&b, BLIND, 0, 0);
    fails(&b, BLIND, 100, SEND_DROPPED, KAFKA_NETWORK_EXCEPTION);
    assert_true(ledger_is_balanced(b.ledger));
    told(&b, BLIND, 100, -1, 0);
    told(&b, BLIND, 0, -1, 0);
    assert_int_equal(producer_of(&b, BLIND).travelling, 0);
    books_close(&b);
    sim_free(b.sim);
}

/* Nobody sends them again, unlike records that were not acknowledged. */
static void elections_take_blind_records_for_good(void **state)
{
    (void)state;
    struct books b = books_new();
    for (int i = 0; i < 3; i++) {
        arrive(&b, BLIND);
        told(&b, BLIND, 100 * i, -1, 0);
    }
    written(&b, BLIND, 0, 0);
    written(&b, BLIND, 100, 10);
    TRACE(b.sim, TRACE_LEADER_ELECTED, PARTITION_ID(0, 0), 1, 1, 10, 0);
    TRACE(b.sim, TRACE_BATCH_DIVERGED, PARTITION_ID(0, 0), 0, 0, 20, 10, 1000, 200, 209,
          b.names[BLIND]);
    struct ledger_group figures = books_close(&b);
    assert_int_equal(figures.taken_back, 20);
    assert_int_equal(figures.lost, 20);
    assert_int_equal(lost(&b, FINDING_CAUSE_TRUNCATION), 20);
    assert_int_equal(producer_of(&b, BLIND).diverged, 10);
    assert_int_equal(producer_of(&b, BLIND).travelling, 0);
    sim_free(b.sim);
}

static void a_send_that_fails_is_counted_by_its_error(void **state)
{
    (void)state;
    struct books b = books_new();
    for (int i = 0; i < 3; i++)
        arrive(&b, CAREFUL);
    arrive(&b, STUBBORN);
    written(&b, CAREFUL, 0, 0);
    told(&b, CAREFUL, 0, 0, 0);
    for (int i = 1; i < 3; i++) {
        told(&b, CAREFUL, 100 * i, -1, KAFKA_REQUEST_TIMED_OUT);
        fails(&b, CAREFUL, 100 * i, SEND_FAILED, KAFKA_REQUEST_TIMED_OUT);
    }
    told(&b, STUBBORN, 500, -1, KAFKA_REQUEST_TIMED_OUT);
    fails(&b, STUBBORN, 500, SEND_FAILED, KAFKA_REQUEST_TIMED_OUT);
    struct ledger_producer careful = producer_of(&b, CAREFUL);
    assert_int_equal(careful.acknowledged, 10);
    assert_int_equal(careful.failed, 20);
    assert_int_equal(careful.failed_by_error[0].error, KAFKA_REQUEST_TIMED_OUT);
    assert_int_equal(careful.failed_by_error[0].count, 20);
    assert_int_equal(careful.pending, 0);
    struct ledger_producer stubborn = producer_of(&b, STUBBORN);
    assert_int_equal(stubborn.failed, 0);
    assert_int_equal(stubborn.resent, 10);
    assert_int_equal(stubborn.pending, 10); /* for it is sent again */
    assert_int_equal(books_close(&b).lost, 0);
    sim_free(b.sim);
}

static void a_killed_producer_takes_its_buffer_along(void **state)
{
    (void)state;
    struct books b = books_new();
    for (int i = 0; i < 4; i++)
        arrive(&b, CAREFUL);
    written(&b, CAREFUL, 0, 0);
    fails(&b, CAREFUL, 0, SEND_UNHEARD, KAFKA_NONE);
    fails(&b, CAREFUL, 100, SEND_UNSENT, KAFKA_NONE);
    TRACE(b.sim, TRACE_SEND_FAILED, b.names[CAREFUL], PARTITION_ID(0, PARTITION_NUMBER_UNKNOWN), 10,
          SEND_UNSENT, KAFKA_NONE, 0, 0, 200, 209); /* send() was blocked: no partition yet */
    fails(&b, CAREFUL, 300, SEND_DOWN, KAFKA_NONE);
    struct ledger_producer careful = producer_of(&b, CAREFUL);
    assert_int_equal(careful.unheard, 10);
    assert_int_equal(careful.unsent, 20);
    assert_int_equal(careful.down, 10);
    assert_int_equal(careful.pending, 0);
    struct ledger_group figures = books_close(&b);
    assert_int_equal(figures.produced, 30);
    assert_int_equal(lost(&b, FINDING_CAUSE_PRODUCER_KILLED), 20);
    assert_int_equal(ledger_partition_count(b.ledger, 0), 2);
    sim_free(b.sim);
}

/* Each of these must not go unnoticed. */
static void unbalanced_books_are_noticed(void **state)
{
    (void)state;
    struct books b = books_new();
    told(&b, CAREFUL, 0, 0, 0); /* of records that never came */
    assert_false(ledger_is_balanced(b.ledger));
    sim_free(b.sim);
    b = books_new();
    arrive(&b, BLIND);
    told(&b, BLIND, 0, -1, 0);
    assert_true(ledger_is_balanced(b.ledger));
    written(&b, BLIND, 0, 0);
    written(&b, BLIND, 0, 10); /* twice, which acks=0 cannot do */
    told(&b, BLIND, 777, -1, 0);
    assert_false(ledger_is_balanced(b.ledger));
    sim_free(b.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sent_blindly_is_written_or_lost_or_on_its_way),
        cmocka_unit_test(the_fate_may_be_known_before_the_producer_believes),
        cmocka_unit_test(elections_take_blind_records_for_good),
        cmocka_unit_test(a_send_that_fails_is_counted_by_its_error),
        cmocka_unit_test(a_killed_producer_takes_its_buffer_along),
        cmocka_unit_test(unbalanced_books_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
