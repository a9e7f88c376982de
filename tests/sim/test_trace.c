/* Records, observers and the three fingerprints. */
#include "sim/check.h"
#include "sim/fingerprint.h"
#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <xxhash.h>

#include <cmocka.h>

enum { ARRIVED, JOINED, POLLED, KINDS };

#define ARRIVED_KIND                                                                               \
    {                                                                                              \
        "arrived", TRACE_WORKLOAD, "",                                                             \
            {{"topic", FIELD_NAME, NULL, 0}, {"count", FIELD_COUNT, NULL, 0}}, 2                   \
    }
#define JOINED_KIND                                                                                \
    {                                                                                              \
        "joined", TRACE_PROTOCOL, "", {{"member", FIELD_NAME, NULL, 0}}, 1                         \
    }
#define POLLED_KIND                                                                                \
    {                                                                                              \
        "polled", TRACE_FULL, "", {{"count", FIELD_COUNT, NULL, 0}}, 1                             \
    }

static const struct trace_kind kinds[KINDS] = {ARRIVED_KIND, JOINED_KIND, POLLED_KIND};

static struct sim *open_sim(const struct trace_kind *table, uint32_t count, const char *noise)
{
    struct sim *sim = sim_new(&(struct sim_options){.seed = 1});
    if (noise != NULL) names_intern(sim_names(sim), noise); /* shifts the numbers of names */
    trace_set_kinds(sim_trace(sim), table, count);
    return sim;
}

struct seen {
    struct trace_record records[8];
    size_t count;
};

static void see(void *self, const struct trace_record *record)
{
    struct seen *seen = self;
    seen->records[seen->count++] = *record;
}

static void observers_see_what_interests_them(void **state)
{
    (void)state;
    struct sim *sim = open_sim(kinds, KINDS, NULL);
    struct trace *trace = sim_trace(sim);
    struct seen all = {.count = 0}, some = {.count = 0};
    static const bool interest[KINDS] = {[JOINED] = true};
    assert_false(trace_is_watched(trace, JOINED));
    trace_observe(trace, see, &some, interest);
    assert_true(trace_is_watched(trace, JOINED));
    assert_false(trace_is_watched(trace, POLLED));
    TRACE(sim, POLLED, 5); /* nobody watches; it is counted all the same */
    trace_observe(trace, see, &all, NULL);
    assert_true(trace_is_watched(trace, POLLED));
    sim_run_until(sim, 77);
    name_id topic = names_intern(sim_names(sim), "payments");
    TRACE(sim, ARRIVED, topic, 9);
    TRACE(sim, JOINED, topic);
    assert_int_equal(some.count, 1);
    assert_int_equal(some.records[0].kind, JOINED);
    assert_int_equal(all.count, 2);
    assert_int_equal(all.records[0].at, 77);
    assert_int_equal(all.records[0].number, 1);
    assert_int_equal(all.records[0].field[0], topic);
    assert_int_equal(all.records[0].field[1], 9);
    assert_int_equal(all.records[0].field[2], 0);
    assert_string_equal(trace_kind(trace, ARRIVED)->name, "arrived");
    sim_free(sim);
}

static void without_kinds_nothing_is_emitted(void **state)
{
    (void)state;
    struct sim *sim = sim_new(&(struct sim_options){.seed = 1});
    struct fingerprints before = trace_fingerprints(sim);
    TRACE(sim, POLLED, 5);
    struct fingerprints after = trace_fingerprints(sim);
    assert_memory_equal(&before, &after, sizeof before);
    sim_free(sim);
}

static void each_class_has_its_fingerprint(void **state)
{
    (void)state;
    struct sim *sim = open_sim(kinds, KINDS, NULL);
    struct fingerprints start = trace_fingerprints(sim);
    TRACE(sim, POLLED, 1);
    struct fingerprints polled = trace_fingerprints(sim);
    assert_true(polled.full != start.full);
    assert_true(polled.workload == start.workload && polled.protocol == start.protocol);
    TRACE(sim, ARRIVED, NAME_EMPTY, 1);
    struct fingerprints arrived = trace_fingerprints(sim);
    assert_true(arrived.full != polled.full && arrived.workload != polled.workload);
    assert_true(arrived.protocol == polled.protocol);
    TRACE(sim, JOINED, NAME_EMPTY);
    struct fingerprints joined = trace_fingerprints(sim);
    assert_true(joined.full != arrived.full && joined.protocol != arrived.protocol);
    assert_true(joined.workload == arrived.workload);
    sim_free(sim);
}

static struct fingerprints emit_all(struct sim *sim, uint16_t arrived, uint16_t joined,
                                    uint16_t polled)
{
    struct names *names = sim_names(sim);
    TRACE(sim, arrived, names_intern(names, "payments"), 3);
    TRACE(sim, joined, names_intern(names, "member"));
    TRACE(sim, polled, 12);
    struct fingerprints fingerprints = trace_fingerprints(sim);
    sim_free(sim);
    return fingerprints;
}

static void numbering_and_watching_change_no_fingerprint(void **state)
{
    (void)state;
    static const struct trace_kind renumbered[] = {POLLED_KIND,
                                                   ARRIVED_KIND,
                                                   JOINED_KIND,
                                                   {"later", TRACE_PROTOCOL, "", {{0}}, 0}};
    struct fingerprints plain = emit_all(open_sim(kinds, KINDS, NULL), 0, 1, 2);
    struct fingerprints other = emit_all(open_sim(renumbered, 4, "noise"), 1, 2, 0);
    struct sim *sim = open_sim(kinds, KINDS, NULL);
    struct seen all = {.count = 0};
    trace_observe(sim_trace(sim), see, &all, NULL);
    struct fingerprints watched = emit_all(sim, 0, 1, 2);
    assert_memory_equal(&plain, &other, sizeof plain);
    assert_memory_equal(&plain, &watched, sizeof plain);
}

/* A resolved scenario has other line numbers than the file it was made from. */
static void lines_are_in_no_fingerprint(void **state)
{
    (void)state;
    static const struct trace_kind fault[] = {
        {"fault",
         TRACE_PROTOCOL,
         "",
         {{"at", FIELD_COUNT, NULL, 0}, {"line", FIELD_LINE, NULL, 0}},
         2}};
    struct sim *sim = open_sim(fault, 1, NULL);
    TRACE(sim, 0, 7, 40);
    struct sim *other = open_sim(fault, 1, NULL);
    TRACE(other, 0, 7, 41);
    struct fingerprints left = trace_fingerprints(sim), right = trace_fingerprints(other);
    assert_memory_equal(&left, &right, sizeof left);
    sim_free(sim);
    sim_free(other);
}

static void do_nothing(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim, (void)self, (void)event;
}

static uint64_t full_after(const char *to, const char *from, sim_time at, enum sim_phase phase,
                           uint16_t kind, uint64_t number)
{
    struct sim *sim = sim_new(&(struct sim_options){.seed = 1});
    struct names *names = sim_names(sim);
    entity_id destination =
        sim_add_entity(sim, names_intern(names, to), PROCESS_NONE, do_nothing, NULL);
    entity_id source =
        sim_add_entity(sim, names_intern(names, from), PROCESS_NONE, do_nothing, NULL);
    sim_post(sim, at, phase, source, destination, kind, number, NULL);
    sim_run_until(sim, 1000);
    uint64_t full = trace_fingerprints(sim).full;
    sim_free(sim);
    return full;
}

static void every_part_of_an_event_counts(void **state)
{
    (void)state;
    uint64_t full = full_after("a", "b", 10, PHASE_MESSAGE, 1, 0);
    assert_true(full == full_after("a", "b", 10, PHASE_MESSAGE, 1, 99)); /* the number does not */
    assert_true(full != full_after("b", "a", 10, PHASE_MESSAGE, 1, 0));
    assert_true(full != full_after("c", "b", 10, PHASE_MESSAGE, 1, 0));
    assert_true(full != full_after("a", "c", 10, PHASE_MESSAGE, 1, 0));
    assert_true(full != full_after("a", "b", 11, PHASE_MESSAGE, 1, 0));
    assert_true(full != full_after("a", "b", 10, PHASE_TIMER, 1, 0));
    assert_true(full != full_after("a", "b", 10, PHASE_MESSAGE, 2, 0));
}

/* It is xxHash64, seed 0, of the words as little-endian bytes. */
static void a_fingerprint_is_xxhash64(void **state)
{
    (void)state;
    struct fingerprint fingerprint;
    fingerprint_init(&fingerprint);
    uint64_t words[40];
    unsigned char bytes[sizeof words];
    assert_true(fingerprint_value(&fingerprint) == XXH64(bytes, 0, 0));
    for (uint64_t i = 0; i < ARRAY_LEN(words); i++) {
        words[i] = (i + 1) * UINT64_C(0x123456789abcdef1);
        for (unsigned byte = 0; byte < 8; byte++) {
            bytes[i * 8 + byte] = (unsigned char)(words[i] >> (8 * byte));
        }
        if (i % 4 != 3) continue;
        fingerprint_add(&fingerprint, words[i - 3], words[i - 2], words[i - 1], words[i]);
        assert_true(fingerprint_value(&fingerprint) == XXH64(bytes, (i + 1) * 8, 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observers_see_what_interests_them),
        cmocka_unit_test(without_kinds_nothing_is_emitted),
        cmocka_unit_test(each_class_has_its_fingerprint),
        cmocka_unit_test(numbering_and_watching_change_no_fingerprint),
        cmocka_unit_test(lines_are_in_no_fingerprint),
        cmocka_unit_test(every_part_of_an_event_counts),
        cmocka_unit_test(a_fingerprint_is_xxhash64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
