#include "model/coordinator/consumer_committed.h"

#include "model/coordinator/consumer_replay.h"
#include "model/coordinator/journal.h"

static const struct journal_entry *entry_at(const struct coordinator *coordinator, uint32_t index)
{
    return &coordinator->journal[(coordinator->journal_first + index) &
                                 (coordinator->journal_capacity - 1)];
}

/* The oldest record kept for a key of the member says what was committed. */
void consumer_committed_member(const struct coordinator *coordinator, const struct group *group,
                               name_id member, struct committed_member *committed)
{
    bool member_seen = false;
    bool current_seen = false;
    for (uint32_t i = 0; i < coordinator->journal_count && !(member_seen && current_seen); i++) {
        const struct journal_entry *entry = entry_at(coordinator, i);
        if (entry->kind != JOURNAL_RECORD || entry->group != group) continue;
        const struct group_record *kept = &entry->inverse;
        if (kept->member != member) continue;
        if (kept->type == RECORD_CONSUMER_MEMBER && !member_seen) {
            member_seen = true;
            committed->exists = kept->consumer_member != NULL;
            if (committed->exists) committed->is_classic = kept->consumer_member->is_classic;
        } else if (kept->type == RECORD_CONSUMER_CURRENT_ASSIGNMENT && !current_seen) {
            current_seen = true;
            if (kept->current != NULL) committed->epoch = kept->current->epoch;
        }
    }
}

static bool is_pending(const struct coordinator *coordinator, const struct group *group)
{
    for (uint32_t i = 0; i < coordinator->journal_count; i++) {
        const struct journal_entry *entry = entry_at(coordinator, i);
        if (entry->group != group) continue;
        if (entry->kind == JOURNAL_RECORD || entry->kind == JOURNAL_GROUP) return true;
    }
    return false;
}

const struct consumer_group *consumer_committed_group(struct coordinator *coordinator,
                                                      const struct group *group,
                                                      struct consumer_group **made)
{
    *made = NULL;
    if (!is_pending(coordinator, group)) {
        return group->type == GROUP_CONSUMER ? group->consumer : NULL;
    }
    struct consumer_group *view =
        group->type == GROUP_CONSUMER ? consumer_group_copy(group->consumer) : NULL;
    for (uint32_t i = coordinator->journal_count; i > 0; i--) {
        const struct journal_entry *entry = entry_at(coordinator, i - 1);
        if (entry->group != group) continue;
        if (entry->kind == JOURNAL_GROUP) {
            consumer_group_free(view);
            view = entry->former.type == GROUP_CONSUMER
                       ? consumer_group_copy(entry->former.consumer)
                       : NULL;
        } else if (entry->kind == JOURNAL_RECORD && view != NULL) {
            consumer_group_replay(view, &entry->inverse);
        }
    }
    *made = view;
    return view;
}
