/* tests/model/ledger_books.h: one group of two consumers on topic `orders`, and a clock moved by
 * hand, for stories told to the ledger record by record. */
#ifndef TESTS_MODEL_LEDGER_BOOKS_H
#define TESTS_MODEL_LEDGER_BOOKS_H

#include "model/kafka_types.h"
#include "model/ledger.h"
#include "model/trace_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct scenario_topic topics[] = {
    {.name = "orders", .partitions = 2},
    {.name = "other", .partitions = 1},
};
static const char *const subscribed[] = {"orders"};

struct books {
    struct sim *sim;
    struct ledger *ledger;
    struct scenario scenario;
    struct scenario_group group;
    name_id g, c1, c2, id1, id2, producer;
};

static inline struct books *books_on(const struct scenario_topic *its_topics, int32_t workers)
{
    struct books *b = test_calloc(1, sizeof(*b));
    b->group = (struct scenario_group){.name = "billing",
                                       .topics = subscribed,
                                       .topic_count = 1,
                                       .members = 2,
                                       .process = {.workers = workers}};
    b->scenario = (struct scenario){.topics = its_topics,
                                    .topic_count = 2,
                                    .groups = &b->group,
                                    .group_count = 1};
    b->sim = sim_new(&(struct sim_options){.seed = 1});
    trace_set_kinds(sim_trace(b->sim), trace_kinds, TRACE_KIND_COUNT);
    b->ledger = ledger_new(b->sim, &b->scenario);
    struct names *names = sim_names(b->sim);
    b->g = names_intern(names, "billing");
    b->c1 = names_intern(names, "billing-1");
    b->c2 = names_intern(names, "billing-2");
    b->id1 = names_intern(names, "billing-1-aaaa");
    b->id2 = names_intern(names, "billing-2-bbbb");
    b->producer = names_intern(names, "checkout");
    return b;
}

static inline struct books *books_with_workers(int32_t workers)
{
    return books_on(topics, workers);
}

static inline struct books *books_new(void)
{
    return books_with_workers(0);
}

static inline struct ledger_group books_close(struct books *b)
{
    ledger_finish(b->ledger);
    assert_true(ledger_is_balanced(b->ledger));
    struct ledger_group figures;
    ledger_group(b->ledger, 0, &figures);
    return figures;
}

static inline int64_t caused(struct books *b, enum finding_kind kind, enum finding_cause cause)
{
    return ledger_finding_totals(b->ledger, 0)->records[kind][cause];
}

static inline void books_free(struct books *b)
{
    sim_free(b->sim);
    test_free(b);
}

static inline void at(struct books *b, sim_time now)
{
    sim_run_until(b->sim, now);
}

/* `count` records that came into being one per millisecond, the last one now. */
static inline void append(struct books *b, int64_t base_offset, int64_t count)
{
    sim_time now = sim_now(b->sim);
    TRACE(b->sim, TRACE_BATCH_APPENDED, PARTITION_ID(0, 0), 0, 0, base_offset, count, count * 100,
          now - MILLISECONDS(count - 1), now, b->producer, 0);
}

static inline void acknowledge(struct books *b, int64_t base_offset, int64_t count)
{
    TRACE(b->sim, TRACE_PRODUCE_DONE, b->producer, PARTITION_ID(0, 0), base_offset, count, 0, 1, 0,
          0);
}

static inline void assign(struct books *b, name_id member, name_id id)
{
    TRACE(b->sim, TRACE_ASSIGNED, b->g, member, id, PARTITION_ID(0, 0), 1, 1);
}

static inline void own(struct books *b, name_id member)
{
    TRACE(b->sim, TRACE_OWNED, b->g, member, PARTITION_ID(0, 0), 1, 1);
}

static inline void disown(struct books *b, name_id member)
{
    TRACE(b->sim, TRACE_DISOWNED, b->g, member, PARTITION_ID(0, 0), 1, OWNERSHIP_REVOKED, 1);
}

static inline void position(struct books *b, name_id member, int64_t offset,
                            enum position_cause cause)
{
    TRACE(b->sim, TRACE_POSITION, b->g, member, PARTITION_ID(0, 0), offset, cause, -1);
}

static inline void process(struct books *b, name_id member, int64_t base_offset, int64_t count,
                           sim_time begin_at)
{
    TRACE(b->sim, TRACE_PROCESSED, b->g, member, PARTITION_ID(0, 0), base_offset, count, begin_at,
          1, 1);
}

static inline void commit(struct books *b, name_id member, name_id id, int64_t offset)
{
    TRACE(b->sim, TRACE_COMMITTED, b->g, PARTITION_ID(0, 0), offset, member, id, 1, 0);
}

static inline struct ledger_anomalies anomalies_of(const struct books *b)
{
    struct ledger_anomalies anomalies;
    ledger_anomalies(b->ledger, 0, &anomalies);
    return anomalies;
}

#endif
