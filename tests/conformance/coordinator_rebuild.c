/* tests/conformance/coordinator_rebuild.c: state is the log.
 *
 * After every step the shard is rebuilt from the log written so far, and again from the log as
 * compaction would leave it, and must come out the same. Soft state, which a failover loses, is
 * left out: of a classic group everything between two written generations (who is rejoining,
 * pending ids, what has not been synced), so a group in PreparingRebalance or CompletingRebalance
 * is compared only by existence, type and offsets, and a Stable one without the protocols not
 * chosen. */
#include "tests/conformance/coordinator.h"

#include "tests/conformance/coordinator_answers.h"

#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/transactions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool has_transactions(const struct coordinator_host *host)
{
    for (uint32_t i = 0; i < host->batch_count; i++) {
        if (host->log[i].batch->producer_id >= 0) return true;
    }
    return false;
}

/* A group without protocol type, members and offsets: a commit that was refused for its metadata
 * creates one without a record, and compaction leaves nothing of one whose offsets are gone. */
static bool is_bare(const json_t *state)
{
    return json_is_null(json_object_get(state, "protocol_type")) &&
           json_integer_value(json_object_get(state, "generation")) == 0 &&
           json_object_size(json_object_get(state, "members")) == 0 &&
           json_object_size(json_object_get(state, "offsets")) == 0;
}

static bool has_no_offsets(const json_t *state)
{
    return json_object_size(json_object_get(state, "offsets")) == 0;
}

/* Only what the log knows. */
static json_t *hard_state(const struct coordinator *coordinator, name_id id, bool *settled)
{
    json_t *state = coordinator_group_json(coordinator, id);
    const char *type = json_string_value(json_object_get(state, "type"));
    if (type == NULL || strcmp(type, "classic") != 0) return state;
    const char *name = json_string_value(json_object_get(state, "state"));
    *settled = strcmp(name, "Stable") == 0 || strcmp(name, "Empty") == 0;
    json_object_del(state, "pending_join");
    json_object_del(state, "pending_sync");
    const char *member_id;
    json_t *member;
    json_object_foreach(json_object_get(state, "members"), member_id, member)
    {
        json_object_del(member, "awaiting_join");
        json_object_del(member, "awaiting_sync");
        json_object_del(member, "protocols");
    }
    return state;
}

static void keep_what_always_holds(json_t *state)
{
    static const char *const soft[] = {"state",         "generation", "protocol_type",
                                       "protocol_name", "leader",     "members"};
    for (size_t i = 0; i < sizeof(soft) / sizeof(soft[0]); i++)
        json_object_del(state, soft[i]);
}

static bool same_pending_offsets(const struct coordinator *a, const struct coordinator *b)
{
    if (a->transaction_count != b->transaction_count) return false;
    for (uint32_t t = 0; t < a->transaction_count; t++) {
        const struct open_transaction *transaction = &a->transactions[t];
        for (uint32_t i = 0; i < transaction->count; i++) {
            const struct pending_offset *ours = &transaction->offsets[i];
            const struct group *group = coordinator_find_group(b, ours->group->id);
            const struct pending_offset *theirs =
                group == NULL
                    ? NULL
                    : transactions_find(b, transaction->producer_id, group, ours->slot->partition);
            if (theirs == NULL || theirs->value.offset != ours->value.offset ||
                theirs->value.record_offset != ours->value.record_offset)
                return false;
        }
    }
    return true;
}

static bool compare_group(const struct coordinator *live, const struct coordinator *rebuilt,
                          name_id id, const char *what, struct conformance_report *report)
{
    bool settled = true, ignored = true;
    json_t *expected = hard_state(live, id, &settled);
    json_t *actual = hard_state(rebuilt, id, &ignored);
    if (!settled) {
        keep_what_always_holds(expected);
        keep_what_always_holds(actual);
    }
    bool same = json_equal(expected, actual) != 0 ||
                ((json_is_null(expected) || is_bare(expected) || !settled) &&
                 has_no_offsets(expected) && (json_is_null(actual) || is_bare(actual)));
    if (!same) {
        char *expected_text = json_dumps(expected, JSON_ENCODE_ANY);
        char *actual_text = json_dumps(actual, JSON_ENCODE_ANY);
        conformance_say(report, "%s: group %s was %.400s, rebuilt %.400s", what,
                        coordinator_text(live, id), expected_text, actual_text);
        free(expected_text);
        free(actual_text);
    }
    json_decref(expected);
    json_decref(actual);
    return same;
}

static bool compare(struct coordinator_host *host, bool compacted, long step,
                    struct conformance_report *report)
{
    char what[64];
    snprintf(what, sizeof(what), "step %ld, from the %s log", step,
             compacted ? "compacted" : "whole");
    const struct coordinator *live = host->coordinator;
    struct coordinator *rebuilt = host_rebuild(host, compacted);
    bool same = true;
    for (uint32_t i = 0; i < coordinator_group_count(live); i++) {
        same &= compare_group(live, rebuilt, coordinator_group_at(live, i)->id, what, report);
    }
    for (uint32_t i = 0; i < coordinator_group_count(rebuilt); i++) {
        same &= compare_group(live, rebuilt, coordinator_group_at(rebuilt, i)->id, what, report);
    }
    if (!same_pending_offsets(live, rebuilt) || !same_pending_offsets(rebuilt, live)) {
        conformance_say(report, "%s: the offsets of open transactions differ", what);
        same = false;
    }
    coordinator_free(rebuilt);
    return same;
}

bool coordinator_rebuild_check(struct coordinator_host *host, long step,
                               struct conformance_report *report)
{
    if (!compare(host, false, step, report)) return false;
    return has_transactions(host) || compare(host, true, step, report);
}
