/* What every assignor promises, on random groups. A failure prints the seed;
 * `test_assignor_properties SEED COUNT` tries others. */
#include "model/assignor/measure.h"
#include "tests/model/assignor/random_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t first_seed = 1;
static uint64_t seeds = 1500;
static const struct random_size size = {.members = 12, .topics = 6, .partitions = 14};

struct trial {
    uint64_t seed;
    const struct assignor *assignor;
    struct random_group group;
    struct assign_output output;
    enum assign_result result;
};

#define FAIL(trial, ...)                                                                           \
    do {                                                                                           \
        print_error("seed %llu, %s %s: ", (unsigned long long)(trial)->seed,                       \
                    (trial)->assignor->side == ASSIGNOR_SERVER ? "server" : "client",              \
                    (trial)->assignor->name);                                                      \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

static bool is(const struct trial *trial, const char *name, enum assignor_side side)
{
    return trial->assignor->side == side && strcmp(trial->assignor->name, name) == 0;
}

/* The server side's members are the random ones with targets that do not overlap. */
static void start(struct trial *trial)
{
    struct assign_input *input = &trial->group.input;
    if (trial->assignor->side == ASSIGNOR_SERVER && trial->group.previous == PREVIOUS_DISPUTED) {
        struct assign_output owners = assign_output_new(trial->group.memory, input);
        measure_previous_owners(input, &owners, MEASURE_OWNED, owners.owner, trial->group.memory);
        random_group_adopt(&trial->group, &owners);
    }
    trial->output = assign_output_new(trial->group.memory, input);
    trial->result = trial->assignor->assign(input, trial->group.memory, &trial->output);
}

/* Runs `check` for every assignor on every seed. */
static void for_all(void (*check)(struct trial *trial), bool all_exist)
{
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        for (int32_t a = 0; a < assignor_count; a++) {
            struct trial trial = {.seed = seed,
                                  .assignor = &assignors[a],
                                  .group = random_group(seed, size, all_exist)};
            start(&trial);
            if (trial.result == ASSIGN_DONE) check(&trial);
            random_group_free(&trial.group);
        }
    }
}

static bool subscribes(const struct assign_input *input, int32_t member, int32_t topic)
{
    const struct assign_member *m = &input->members[member];
    for (int32_t i = 0; i < m->topic_count; i++) {
        if (m->topics[i] == topic) return true;
    }
    return false;
}

static int32_t target(const struct assign_output *output, int32_t slot)
{
    return output->withheld_for[slot] >= 0 ? output->withheld_for[slot] : output->owner[slot];
}

static void check_owners(struct trial *trial)
{
    const struct assign_input *input = &trial->group.input;
    for (int32_t t = 0; t < input->topic_count; t++) {
        int32_t subscribers = 0;
        for (int32_t m = 0; m < input->member_count; m++)
            subscribers += subscribes(input, m, t);
        for (int32_t s = trial->output.first_slot[t]; s < trial->output.first_slot[t + 1]; s++) {
            const int32_t owner = target(&trial->output, s);
            if (owner < 0 && subscribers > 0) FAIL(trial, "slot %d has no owner", s);
            if (owner >= 0 && !subscribes(input, owner, t)) {
                FAIL(trial, "slot %d goes to %d, who does not subscribe", s, owner);
            }
        }
    }
}

static void every_partition_has_one_subscribed_owner(void **state)
{
    (void)state;
    for_all(check_owners, false);
}

static void check_shuffled(struct trial *trial)
{
    struct random_group *group = &trial->group;
    const struct rng_key key = rng_key(trial->seed, 1, RNG_TEST);
    struct rng rng = rng_start(&key, 0);
    int32_t place[64];
    int32_t topic_place[64];
    const struct assign_input shuffled = random_group_shuffled(group, &rng, place, topic_place);
    struct assign_output other = assign_output_new(group->memory, &shuffled);
    trial->assignor->assign(&shuffled, group->memory, &other);
    for (int32_t t = 0; t < group->input.topic_count; t++) {
        const int32_t base = trial->output.first_slot[t];
        const int32_t other_base = other.first_slot[topic_place[t]];
        for (int32_t s = base; s < trial->output.first_slot[t + 1]; s++) {
            const int32_t owner = trial->output.owner[s];
            const int32_t expected = owner < 0 ? -1 : place[owner];
            if (other.owner[other_base + s - base] != expected) {
                FAIL(trial, "slot %d depends on the order of the input", s);
            }
        }
    }
}

static void order_of_the_input_does_not_matter(void **state)
{
    (void)state;
    for_all(check_shuffled, false);
}

static struct assign_measure measure_of(struct trial *trial, bool with_best)
{
    const struct measure_options options = {.claims = is(trial, "sticky", ASSIGNOR_CLIENT)
                                                          ? MEASURE_USER_DATA
                                                          : MEASURE_OWNED,
                                            .with_best = with_best};
    return measure_assignment(&trial->group.input, &trial->output, &options, trial->group.memory);
}

/* Members who subscribe to nothing have nothing; the others differ by at most one. */
static void check_level(struct trial *trial)
{
    if (!trial->group.equal || is(trial, "range", trial->assignor->side)) return;
    const struct assign_measure measure = measure_of(trial, true);
    if (measure.sum_of_squares != measure.best_sum_of_squares) {
        FAIL(trial, "sum of squares %lld, best %lld", (long long)measure.sum_of_squares,
             (long long)measure.best_sum_of_squares);
    }
}

static void equal_subscriptions_give_level_loads(void **state)
{
    (void)state;
    for_all(check_level, false);
}

/* Within a topic everybody has n / subscribers partitions, or one more. */
static void check_range(struct trial *trial)
{
    const struct assign_input *input = &trial->group.input;
    if (strcmp(trial->assignor->name, "range") != 0) return;
    for (int32_t t = 0; t < input->topic_count; t++) {
        int32_t subscribers = 0;
        const int32_t n = input->topics[t].partition_count;
        for (int32_t m = 0; m < input->member_count; m++)
            subscribers += subscribes(input, m, t);
        for (int32_t m = 0; m < input->member_count; m++) {
            int32_t count = 0;
            for (int32_t s = trial->output.first_slot[t]; s < trial->output.first_slot[t + 1];
                 s++) {
                count += trial->output.owner[s] == m;
            }
            if (!subscribes(input, m, t) || n < 0) continue;
            if (count != n / subscribers && count != n / subscribers + 1) {
                FAIL(trial, "member %d has %d of %d partitions for %d", m, count, n, subscribers);
            }
        }
    }
}

static void range_levels_each_topic(void **state)
{
    (void)state;
    for_all(check_range, false);
}

/* A member without subscription makes Kafka's rules for unequal ones apply, unless it comes first.
 */
static bool all_subscribe(const struct assign_input *input)
{
    for (int32_t m = 0; m < input->member_count; m++) {
        if (input->members[m].topic_count == 0) return false;
    }
    return true;
}

/* With equal subscriptions, no racks and no disputes, no partition moves that could have stayed. */
static void check_sticky(struct trial *trial)
{
    if (!trial->group.equal || trial->group.racks) return;
    if (!all_subscribe(&trial->group.input)) return;
    if (trial->group.previous == PREVIOUS_DISPUTED) return;
    const bool sticky =
        is(trial, "sticky", ASSIGNOR_CLIENT) || is(trial, "cooperative-sticky", ASSIGNOR_CLIENT);
    const struct assign_measure measure = measure_of(trial, true);
    if (sticky && measure.kept != measure.best_kept) {
        FAIL(trial, "kept %d, possible are %d", measure.kept, measure.best_kept);
    }
}

static void sticky_moves_no_more_than_needed(void **state)
{
    (void)state;
    for_all(check_sticky, true);
}

/* No member could take a partition from one with two more. */
static void check_improving(struct trial *trial)
{
    const struct assign_input *input = &trial->group.input;
    if (trial->assignor->side == ASSIGNOR_SERVER || !trial->assignor->needs_previous) return;
    int32_t load[64] = {0};
    for (int32_t s = 0; s < trial->output.slot_count; s++) {
        if (target(&trial->output, s) >= 0) load[target(&trial->output, s)]++;
    }
    for (int32_t t = 0; t < input->topic_count; t++) {
        for (int32_t s = trial->output.first_slot[t]; s < trial->output.first_slot[t + 1]; s++) {
            for (int32_t m = 0; m < input->member_count; m++) {
                if (!subscribes(input, m, t)) continue;
                if (load[target(&trial->output, s)] > load[m] + 1) {
                    FAIL(trial, "slot %d could go to %d", s, m);
                }
            }
        }
    }
}

static void sticky_leaves_no_improving_move(void **state)
{
    (void)state;
    for_all(check_improving, false);
}

/* Nobody is given at once what another is known to work on. With equal subscriptions and without
 * racks, once all have adopted what they were given, the next rebalance hands out the rest and
 * holds back nothing. (Otherwise Kafka's rules can find something more to move, and need a third.)
 */
static void check_cooperative(struct trial *trial)
{
    if (!trial->assignor->supports_cooperative) return;
    struct random_group *group = &trial->group;
    struct assign_output previous = assign_output_new(group->memory, &group->input);
    measure_previous_owners(&group->input, &previous, MEASURE_OWNED, previous.owner, group->memory);
    for (int32_t s = 0; s < previous.slot_count; s++) {
        const int32_t before = previous.owner[s];
        const int32_t now = trial->output.owner[s];
        if (before >= 0 && now >= 0 && now != before) FAIL(trial, "slot %d has two owners", s);
    }
    if (group->previous == PREVIOUS_DISPUTED || !group->equal || group->racks) return;
    if (!all_subscribe(&group->input)) return;
    random_group_adopt(group, &trial->output);
    struct assign_output second = assign_output_new(group->memory, &group->input);
    trial->assignor->assign(&group->input, group->memory, &second);
    for (int32_t s = 0; s < second.slot_count; s++) {
        if (second.withheld_for[s] >= 0) FAIL(trial, "slot %d is still withheld", s);
        const bool late = trial->output.withheld_for[s] >= 0;
        if (!late && second.owner[s] != trial->output.owner[s]) FAIL(trial, "slot %d moves", s);
    }
}

static void cooperative_is_safe_and_done_after_two_rebalances(void **state)
{
    (void)state;
    for_all(check_cooperative, false);
}

/* Once everybody has what it was given, the same group again moves nothing (equal subscriptions, no
 * racks). */
static void check_settled(struct trial *trial)
{
    struct random_group *group = &trial->group;
    if (!group->equal || group->racks || !all_subscribe(&group->input)) return;
    for (int round = 0; round < 2; round++) {
        random_group_adopt(group, &trial->output);
        trial->output = assign_output_new(group->memory, &group->input);
        trial->assignor->assign(&group->input, group->memory, &trial->output);
    }
    const struct assign_measure measure = measure_of(trial, false);
    if (measure.moved != 0 || measure.withheld != 0) FAIL(trial, "%d still move", measure.moved);
}

static void nothing_moves_when_nothing_happens(void **state)
{
    (void)state;
    for_all(check_settled, true);
}

int main(int argc, char **argv)
{
    if (argc > 1) first_seed = strtoull(argv[1], NULL, 10);
    if (argc > 2) seeds = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_partition_has_one_subscribed_owner),
        cmocka_unit_test(order_of_the_input_does_not_matter),
        cmocka_unit_test(equal_subscriptions_give_level_loads),
        cmocka_unit_test(range_levels_each_topic),
        cmocka_unit_test(sticky_moves_no_more_than_needed),
        cmocka_unit_test(sticky_leaves_no_improving_move),
        cmocka_unit_test(cooperative_is_safe_and_done_after_two_rebalances),
        cmocka_unit_test(nothing_moves_when_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
