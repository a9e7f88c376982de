#include "tests/conformance/assignors.h"

#include "model/assignor/measure.h"
#include "tests/conformance/assign_case.h"

#include <string.h>

bool assignor_applies(const json_t *record)
{
    return json_object_get(record, "assignor") != NULL;
}

static const char *member_name(const struct assign_case *c, int32_t member)
{
    if (member == ASSIGN_NOBODY) return "nobody";
    return names_text(c->names, c->input.members[member].id);
}

/* What the record says, in the shape of an output. */
static bool load_expected(const struct assign_case *c, const json_t *expected,
                          struct assign_output *output, struct conformance_report *report)
{
    const char *id;
    const json_t *topics;
    json_object_foreach(json_object_get(expected, "assignment"), id, topics)
    {
        const int32_t member = assign_case_member(c, id);
        const char *name;
        const json_t *partitions;
        json_object_foreach((json_t *)(uintptr_t)topics, name, partitions)
        {
            for (size_t i = 0; i < json_array_size(partitions); i++) {
                const int32_t slot =
                    assign_slot(output,
                                (struct assign_partition){.topic = assign_case_topic(c, name),
                                                          .partition = (int32_t)json_integer_value(
                                                              json_array_get(partitions, i))});
                if (member < 0 || slot < 0) {
                    conformance_say(report, "not usable: the output names what the input lacks");
                    return false;
                }
                output->owner[slot] = member;
            }
        }
    }
    const json_t *withheld = json_object_get(expected, "withheld");
    for (size_t i = 0; i < json_array_size(withheld); i++) {
        const json_t *entry = json_array_get(withheld, i);
        const char *name = json_string_value(json_array_get(entry, 0));
        const char *member = json_string_value(json_array_get(entry, 2));
        const int32_t slot =
            assign_slot(output,
                        (struct assign_partition){
                            .topic = name == NULL ? -1 : assign_case_topic(c, name),
                            .partition = (int32_t)json_integer_value(json_array_get(entry, 1))});
        if (slot < 0 || member == NULL || assign_case_member(c, member) < 0) {
            conformance_say(report, "not usable: \"withheld\" names what the input lacks");
            return false;
        }
        output->withheld_for[slot] = assign_case_member(c, member);
    }
    return true;
}

static void say_slot(const struct assign_case *c, int32_t topic, int32_t partition, const char *who,
                     int32_t owner, int32_t withheld_for, const char *other, int32_t other_owner,
                     int32_t other_withheld_for, struct conformance_report *report)
{
    char first[200];
    char second[200];
    snprintf(first, sizeof(first), "%s%s", member_name(c, withheld_for < 0 ? owner : withheld_for),
             withheld_for < 0 ? "" : " (withheld)");
    snprintf(second, sizeof(second), "%s%s",
             member_name(c, other_withheld_for < 0 ? other_owner : other_withheld_for),
             other_withheld_for < 0 ? "" : " (withheld)");
    conformance_say(report, "%s-%d: %s %s, %s %s",
                    names_text(c->names, c->input.topics[topic].name), partition, who, first, other,
                    second);
}

static bool same_assignment(const struct assign_case *c, const struct assign_output *expected,
                            const struct assign_output *ours, struct conformance_report *report)
{
    bool same = true;
    for (int32_t t = 0; t < c->input.topic_count; t++) {
        for (int32_t slot = ours->first_slot[t]; slot < ours->first_slot[t + 1]; slot++) {
            if (expected->owner[slot] == ours->owner[slot] &&
                expected->withheld_for[slot] == ours->withheld_for[slot]) {
                continue;
            }
            say_slot(c, t, slot - ours->first_slot[t], "Kafka", expected->owner[slot],
                     expected->withheld_for[slot], "here", ours->owner[slot],
                     ours->withheld_for[slot], report);
            same = false;
        }
    }
    return same;
}

static bool subscribes(const struct assign_member *member, int32_t topic)
{
    for (int32_t i = 0; i < member->topic_count; i++) {
        if (member->topics[i] == topic) return true;
    }
    return false;
}

/* Every partition of an existing topic with a subscriber has one owner, who subscribes. */
static bool is_valid(const struct assign_case *c, const struct assign_output *ours,
                     struct conformance_report *report)
{
    bool valid = true;
    for (int32_t t = 0; t < c->input.topic_count; t++) {
        bool wanted = false;
        for (int32_t m = 0; m < c->input.member_count; m++) {
            wanted = wanted || subscribes(&c->input.members[m], t);
        }
        for (int32_t slot = ours->first_slot[t]; slot < ours->first_slot[t + 1]; slot++) {
            const int32_t withheld_for = ours->withheld_for[slot];
            const int32_t owner = withheld_for < 0 ? ours->owner[slot] : withheld_for;
            if (owner < 0 ? !wanted : subscribes(&c->input.members[owner], t)) continue;
            conformance_say(report, "%s-%d: not valid, it goes to %s",
                            names_text(c->names, c->input.topics[t].name),
                            slot - ours->first_slot[t], member_name(c, owner));
            valid = false;
        }
    }
    return valid;
}

static int32_t effective_generation(const struct assign_member *member)
{
    return member->generation >= 0 ? member->generation : member->user_data_generation;
}

/* No partition is given at once to a member while exactly one other holds it under a newer
 * generation. (Two of the newest generation contest it: then nobody holds it.) */
static bool is_safe(const struct assign_case *c, const struct assign_output *ours,
                    struct conformance_report *report)
{
    bool safe = true;
    if (!c->assignor->supports_cooperative) return true;
    const size_t slots = (size_t)ours->slot_count;
    int32_t *newest = memory_take(c->memory, sizeof(int32_t) * slots);
    int32_t *holder = memory_take(c->memory, sizeof(int32_t) * slots);
    for (size_t slot = 0; slot < slots; slot++) {
        newest[slot] = INT32_MIN;
        holder[slot] = ASSIGN_NOBODY;
    }
    for (int32_t m = 0; m < c->input.member_count; m++) {
        const struct assign_member *member = &c->input.members[m];
        const int32_t generation = effective_generation(member);
        for (int32_t i = 0; i < member->owned_count; i++) {
            const int32_t slot = assign_slot(ours, member->owned[i]);
            if (slot < 0 || generation < newest[slot]) continue;
            holder[slot] = generation == newest[slot] ? ASSIGN_NOBODY : m;
            newest[slot] = generation;
        }
    }
    for (int32_t t = 0; t < c->input.topic_count; t++) {
        for (int32_t slot = ours->first_slot[t]; slot < ours->first_slot[t + 1]; slot++) {
            const int32_t owner = ours->owner[slot];
            if (owner == ASSIGN_NOBODY || holder[slot] == ASSIGN_NOBODY) continue;
            if (effective_generation(&c->input.members[owner]) >= newest[slot]) continue;
            conformance_say(report, "%s-%d: unsafe, %s gets it while %s holds it",
                            names_text(c->names, c->input.topics[t].name),
                            slot - ours->first_slot[t], member_name(c, owner),
                            member_name(c, holder[slot]));
            safe = false;
        }
    }
    return safe;
}

static enum measure_claims claims_of(const struct assignor *assignor)
{
    return assignor->assign == assignor_find("sticky", ASSIGNOR_CLIENT)->assign ? MEASURE_USER_DATA
                                                                                : MEASURE_OWNED;
}

/* As balanced as Kafka's answer, and if just as balanced, keeping no less. */
static bool satisfies_properties(const struct assign_case *c, const json_t *properties,
                                 const struct assign_output *ours,
                                 struct conformance_report *report)
{
    const struct measure_options options = {.claims = claims_of(c->assignor)};
    const struct assign_measure measure = measure_assignment(&c->input, ours, &options, c->memory);
    const json_int_t squares = json_integer_value(json_object_get(properties, "sumsq"));
    const json_int_t kept = json_integer_value(json_object_get(properties, "kept"));
    if (measure.sum_of_squares < squares) return true;
    if (measure.sum_of_squares == squares && measure.kept >= kept) return true;
    conformance_say(report, "sum of squares and kept: Kafka %lld and %lld, here %lld and %d",
                    (long long)squares, (long long)kept, (long long)measure.sum_of_squares,
                    measure.kept);
    return false;
}

/* Our own measure of the best possible assignment against the recorded one. */
static bool same_best(const struct assign_case *c, const json_t *properties,
                      const struct assign_output *ours, struct conformance_report *report)
{
    const json_t *squares = json_object_get(properties, "best_sumsq");
    const json_t *kept = json_object_get(properties, "best_kept");
    if (squares == NULL || kept == NULL) return true;
    const struct measure_options options = {.claims = claims_of(c->assignor), .with_best = true};
    const struct assign_measure measure = measure_assignment(&c->input, ours, &options, c->memory);
    if (measure.best_sum_of_squares == json_integer_value(squares) &&
        measure.best_kept == json_integer_value(kept)) {
        return true;
    }
    conformance_say(report,
                    "best sum of squares and kept: recorded %lld and %lld, here %lld and %d",
                    (long long)json_integer_value(squares), (long long)json_integer_value(kept),
                    (long long)measure.best_sum_of_squares, measure.best_kept);
    return false;
}

static bool is_sound(const json_t *properties)
{
    return !json_is_false(json_object_get(properties, "valid")) &&
           json_integer_value(json_object_get(properties, "unsafe")) == 0;
}

static enum conformance_outcome compare(const struct assign_case *c, const json_t *record,
                                        const struct assign_output *ours,
                                        struct conformance_report *report)
{
    const char *match = json_string_value(json_object_get(record, "match"));
    const json_t *canonical = json_object_get(record, "canonical");
    const json_t *canonical_properties = json_object_get(record, "canonical_props");
    const json_t *properties = json_object_get(record, "props");
    const bool valid = is_valid(c, ours, report);
    const bool safe = is_safe(c, ours, report);
    if (!valid || !safe || !same_best(c, properties, ours, report)) return CASE_FAILED;
    if (match != NULL && strcmp(match, "defect") == 0) return CASE_PASSED;
    if (canonical_properties != NULL && !is_sound(canonical_properties)) {
        /* Ascending iteration shows one of Kafka's defects: then its own answer is the measure. */
        return satisfies_properties(c, properties, ours, report) ? CASE_PASSED : CASE_FAILED;
    }
    struct assign_output expected = assign_output_new(c->memory, &c->input);
    if (canonical == NULL) canonical = json_object_get(record, "output");
    if (!load_expected(c, canonical, &expected, report)) return CASE_UNUSABLE;
    return same_assignment(c, &expected, ours, report) ? CASE_PASSED : CASE_FAILED;
}

enum conformance_outcome assignor_check(const json_t *record, struct conformance_report *report)
{
    struct assign_case c;
    enum conformance_outcome outcome = CASE_UNUSABLE;
    if (assign_case_open(&c, record, report)) {
        struct assign_output ours = assign_output_new(c.memory, &c.input);
        const enum assign_result result = c.assignor->assign(&c.input, c.memory, &ours);
        const bool error_expected =
            json_object_get(json_object_get(record, "output"), "error") != NULL &&
            c.assignor->side == ASSIGNOR_SERVER;
        if (error_expected != (result == ASSIGN_UNKNOWN_TOPIC)) {
            conformance_say(report, error_expected ? "Kafka refuses the group, here it is assigned"
                                                   : "here the group is refused");
            outcome = CASE_FAILED;
        } else {
            outcome = error_expected ? CASE_PASSED : compare(&c, record, &ours, report);
        }
    }
    assign_case_close(&c);
    return outcome;
}
