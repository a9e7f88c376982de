#include "model/assignor/assignor.h"

#include "model/assignor/strategies.h"
#include "sim/check.h"

#include <string.h>

const struct assignor assignors[] = {
    {.name = "range", .side = ASSIGNOR_CLIENT, .assign = range_assign},
    {.name = "roundrobin", .side = ASSIGNOR_CLIENT, .assign = roundrobin_assign},
    {.name = "sticky", .side = ASSIGNOR_CLIENT, .needs_previous = true, .assign = sticky_assign},
    {.name = "cooperative-sticky",
     .side = ASSIGNOR_CLIENT,
     .supports_cooperative = true,
     .needs_previous = true,
     .assign = cooperative_sticky_assign},
    {.name = "uniform", .side = ASSIGNOR_SERVER, .needs_previous = true, .assign = uniform_assign},
    {.name = "range", .side = ASSIGNOR_SERVER, .assign = server_range_assign},
};
const int32_t assignor_count = ARRAY_LEN(assignors);

const struct assignor *assignor_find(const char *name, enum assignor_side side)
{
    for (size_t i = 0; i < ARRAY_LEN(assignors); i++) {
        if (assignors[i].side == side && strcmp(assignors[i].name, name) == 0) return &assignors[i];
    }
    return NULL;
}

struct assign_output assign_output_new(struct memory *memory, const struct assign_input *input)
{
    struct assign_output output = {.topic_count = input->topic_count};
    output.first_slot = memory_take(memory, sizeof(int32_t) * ((size_t)input->topic_count + 1));
    for (int32_t t = 0; t < input->topic_count; t++) {
        const int32_t count = input->topics[t].partition_count;
        output.first_slot[t] = output.slot_count;
        if (count <= 0) continue;
        CHECK(count <= INT32_MAX - output.slot_count);
        output.slot_count += count;
    }
    output.first_slot[input->topic_count] = output.slot_count;
    const size_t size = sizeof(int32_t) * (size_t)output.slot_count;
    output.owner = memory_take(memory, size);
    output.withheld_for = memory_take(memory, size);
    memset(output.owner, 0xff, size); /* all ASSIGN_NOBODY */
    memset(output.withheld_for, 0xff, size);
    return output;
}

void assign_output_free(struct memory *memory, struct assign_output *output)
{
    const size_t size = sizeof(int32_t) * (size_t)output->slot_count;
    memory_give(memory, output->owner, size);
    memory_give(memory, output->withheld_for, size);
    memory_give(memory, output->first_slot, sizeof(int32_t) * ((size_t)output->topic_count + 1));
    *output = (struct assign_output){0};
}
