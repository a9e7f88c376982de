/* tools/assign_json.c: the answer of `cohort assign` for programs. */
#include "tools/assign_report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *number(int64_t value)
{
    return value < 0 ? json_null() : json_integer(value);
}

/* {"orders": [0, 1]} */
static json_t *partitions_of(const struct assign_group *group, const int32_t *topics,
                             const struct assign_output *output, int32_t member)
{
    json_t *object = json_object();
    for (int32_t i = 0; i < group->topic_count; i++) {
        const int32_t t = topics[i];
        json_t *list = json_array();
        for (int32_t slot = output->first_slot[t]; slot < output->first_slot[t + 1]; slot++) {
            if (output->owner[slot] == member) {
                json_array_append_new(list, json_integer(slot - output->first_slot[t]));
            }
        }
        if (json_array_size(list) > 0) {
            json_object_set_new(object, group->topics[t].name, list);
        } else {
            json_decref(list);
        }
    }
    return object;
}

static json_t *member_name(const struct assign_group *group, int32_t member)
{
    return member == ASSIGN_NOBODY ? json_null() : json_string(group->members[member].id);
}

/* Partitions that get an owner other than now: from whom (null = nobody), to whom, and whether only
 * in the second rebalance. */
static json_t *moves_of(const struct assign_group *group, const int32_t *topics,
                        const struct assign_output *output, const int32_t *previous)
{
    json_t *moves = json_array();
    for (int32_t i = 0; i < group->topic_count; i++) {
        const int32_t t = topics[i];
        for (int32_t slot = output->first_slot[t]; slot < output->first_slot[t + 1]; slot++) {
            const bool late = output->withheld_for[slot] != ASSIGN_NOBODY;
            const int32_t to = late ? output->withheld_for[slot] : output->owner[slot];
            if (to == previous[slot]) continue;
            json_t *move = json_object();
            json_object_set_new(move, "topic", json_string(group->topics[t].name));
            json_object_set_new(move, "partition", json_integer(slot - output->first_slot[t]));
            json_object_set_new(move, "from", member_name(group, previous[slot]));
            json_object_set_new(move, "to", member_name(group, to));
            json_object_set_new(move, "second_rebalance", json_boolean(late));
            json_array_append_new(moves, move);
        }
    }
    return moves;
}

static json_t *result_of(const struct assign_group *group, const int32_t *topics,
                         const struct strategy_result *result, const int32_t *previous)
{
    const struct assign_measure *measure = &result->measure;
    json_t *object = json_object();
    json_object_set_new(object, "strategy", json_string(result->strategy->name));
    json_object_set_new(object, "protocol", json_string(result->strategy->protocol));
    json_object_set_new(object, "least", json_integer(measure->least));
    json_object_set_new(object, "most", json_integer(measure->most));
    json_object_set_new(object, "moved", json_integer(measure->moved));
    json_object_set_new(object, "moved_needlessly", number(measure->moved_needlessly));
    json_object_set_new(object, "stopped", json_integer(result->stopped));
    json_object_set_new(object, "rebalances",
                        number(result->rebalances > 0 ? result->rebalances : -1));
    json_object_set_new(object, "lightest", json_integer(measure->least_weight));
    json_object_set_new(object, "heaviest", json_integer(measure->most_weight));
    json_t *assignment = json_object();
    for (int32_t m = 0; m < group->member_count; m++) {
        json_object_set_new(assignment, group->members[m].id,
                            partitions_of(group, topics, &result->output, m));
    }
    json_object_set_new(object, "assignment", assignment);
    json_object_set_new(object, "moves", moves_of(group, topics, &result->output, previous));
    return object;
}

void assign_report_json(struct text *text, const struct assign_group *group,
                        const struct strategy_result *results, int32_t count)
{
    struct assign_output now = assign_output_new(group->memory, &group->client);
    const int32_t *topics = assign_report_topics(group);
    measure_previous_owners(&group->client, &now, MEASURE_OWNED, now.owner, group->memory);
    json_t *root = json_object();
    json_object_set_new(root, "members", json_integer(group->member_count));
    json_object_set_new(root, "partitions", json_integer(now.slot_count));
    json_object_set_new(root, "assumed",
                        group->assumption == NULL ? json_null() : json_string(group->assumption));
    json_t *list = json_array();
    for (int32_t i = 0; i < count; i++) {
        json_array_append_new(list, result_of(group, topics, &results[i], now.owner));
    }
    json_object_set_new(root, "strategies", list);
    char *dump = json_dumps(root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    text_append(text, dump);
    text_append(text, "\n");
    free(dump);
    json_decref(root);
    assign_output_free(group->memory, &now);
}
