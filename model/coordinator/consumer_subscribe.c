#include "model/coordinator/consumer_subscribe.h"

#include "model/coordinator/consumer_leave.h"
#include "model/coordinator/consumer_replay.h"

#include <string.h>

/* Binary insertion, since clients list their topics nearly always in order. */
int32_t consumer_sort_topics(const struct names *names, const name_id *topics, int32_t count,
                             name_id *out)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t low = 0;
        int32_t high = kept;
        if (kept > 0 && names_compare(names, out[kept - 1], topics[i]) < 0) low = kept;
        while (low < high) {
            int32_t middle = low + (high - low) / 2;
            if (names_compare(names, out[middle], topics[i]) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low < kept && out[low] == topics[i]) continue;
        memmove(&out[low + 1], &out[low], sizeof *out * (size_t)(kept - low));
        out[low] = topics[i];
        kept++;
    }
    return kept;
}

struct consumer_member consumer_replace_member(struct operation *operation,
                                               const struct consumer_group *group,
                                               const struct consumer_member *holder, name_id new_id,
                                               name_id client_id, name_id client_host)
{
    struct memory *memory = operation->coordinator->memory;
    struct consumer_member copy = *holder;
    copy.id = new_id;
    copy.epoch = 0;
    copy.previous_epoch = 0;
    consumer_add_member_tombstones(operation, group->id, holder->id);
    operation_add(operation, consumer_record_of_member(memory, group->id, &copy));
    operation_add(operation, consumer_record_of_target(memory, group->id, new_id, holder->target));
    const struct consumer_current current = {
        .state = copy.state,
        .epoch = copy.epoch,
        .previous_epoch = copy.previous_epoch,
        .assigned = copy.assigned,
        .revoking = copy.revoking,
    };
    operation_add(operation, consumer_record_of_current(memory, group->id, new_id, &current));
    coordinator_note(operation->coordinator, (struct group_note){.kind = NOTE_MEMBER_REPLACED,
                                                                 .group = group->id,
                                                                 .member = new_id,
                                                                 .other = holder->id,
                                                                 .instance = holder->instance,
                                                                 .client_id = client_id,
                                                                 .client_host = client_host,
                                                                 .caller = client_id});
    return copy;
}
