/* Topics that are deleted, and created again: the same names and offsets, other records. */
#include "model/ledger_internal.h"

#include "sim/check.h"

/* ---- everything there ever was ---- */

int32_t ledger_shelf_count(const struct ledger *ledger)
{
    return ledger->scenario->topic_count + ledger->burial_count;
}

static const struct ledger_burial *burial_at(const struct ledger *ledger, int32_t shelf)
{
    int32_t number = shelf - ledger->scenario->topic_count;
    return number < 0 ? NULL : &ledger->burials[number];
}

const struct ledger_topic *ledger_shelf(const struct ledger *ledger, int32_t shelf)
{
    const struct ledger_burial *burial = burial_at(ledger, shelf);
    return burial == NULL ? &ledger->topics[shelf] : &burial->kept;
}

partition_id ledger_shelf_partition(const struct ledger *ledger, int32_t shelf, int32_t partition)
{
    const struct ledger_burial *burial = burial_at(ledger, shelf);
    return PARTITION_ID(burial == NULL ? shelf : burial->topic, partition);
}

struct ledger_claim *ledger_shelf_claims(const struct ledger *ledger, int32_t shelf, int32_t group)
{
    const struct ledger_burial *burial = burial_at(ledger, shelf);
    return burial == NULL ? ledger->groups[group].claims[shelf] : burial->claims[group];
}

/* ---- what a record means ---- */

/* NULL = the topic as it is now. */
static const struct ledger_burial *burial_of(const struct ledger *ledger, int64_t partition)
{
    int32_t topic = PARTITION_TOPIC((partition_id)partition);
    int32_t topic_id = PARTITION_TOPIC_ID(partition);
    if (ledger->burial_count == 0 || ledger->topics[topic].topic_id == topic_id) return NULL;
    for (int32_t i = 0; i < ledger->burial_count; i++) {
        const struct ledger_burial *burial = &ledger->burials[i];
        if (burial->topic == topic && burial->kept.topic_id == topic_id) return burial;
    }
    CHECK(false); /* no log has been written to that nobody created */
    return NULL;
}

struct ledger_log *ledger_traced_log(struct ledger *ledger, int64_t partition)
{
    struct ledger_log *log = ledger_log_of(ledger, partition);
    if (log == NULL) return NULL;
    const struct ledger_burial *burial = burial_of(ledger, partition);
    if (burial == NULL) return log;
    /* A producer that was never told the topic id gives records up under id 0, in a partition that
     * the first topic of this name need not have had. */
    int32_t number = PARTITION_NUMBER((partition_id)partition);
    return number < burial->kept.partition_count ? &burial->kept.logs[number] : NULL;
}

struct ledger_claim *ledger_traced_claim(struct ledger *ledger, struct ledger_group_state *group,
                                         int64_t partition)
{
    struct ledger_claim *claim = ledger_claim_of(ledger, group, partition);
    if (claim == NULL) return NULL;
    const struct ledger_burial *burial = burial_of(ledger, partition);
    if (burial == NULL) return claim;
    return &burial->claims[group - ledger->groups][PARTITION_NUMBER((partition_id)partition)];
}

/* ---- deletion and creation ---- */

static void delete_logs(struct ledger *ledger, int32_t t)
{
    struct ledger_topic *topic = &ledger->topics[t];
    for (int32_t p = 0; p < topic->partition_count; p++)
        topic->logs[p].is_deleted = true;
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        for (int32_t p = 0; group->claims[t] != NULL && p < topic->partition_count; p++) {
            ledger_refresh_lag(group, &group->claims[t][p], &topic->logs[p]);
            ledger_end_stopped(ledger, group, &group->claims[t][p]);
        }
    }
}

/* Who owns a partition does so by its name, whatever log is behind it. So does what was committed,
 * when the coordinator was down and did not hear of the deletion. */
static struct ledger_claim heir_of(struct ledger_claim *old)
{
    struct ledger_claim claim = {
        .committed = -1,
        .best_commit = -1,
        .assigned = old->assigned,
        .assigned_id = old->assigned_id,
        .assigned_at = old->assigned_at,
        .rest_id = old->rest_id,
        .owners = old->owners,
        .owner_count = old->owner_count,
        .owner_capacity = old->owner_capacity,
        .is_stale = old->owner_count > 0,
        .commit_is_stale = old->committed >= 0 || old->commit_is_stale,
        .is_untouched = true,
    };
    old->owners = NULL;
    old->owner_count = old->owner_capacity = 0;
    return claim;
}

/* What producers have under way without asking for an answer (ledger_producers.c). */
static void keep_blind(struct ledger *ledger, struct ledger_log *old, struct ledger_log *log)
{
    for (uint32_t i = 0; i < old->sent_count; i++) {
        if (old->sent[i].is_blind) ledger_sent_keep(ledger, log, &old->sent[i]);
    }
    for (uint32_t i = old->sent_count; i > 0; i--) {
        if (old->sent[i - 1].is_blind) ledger_sent_drop(old, &old->sent[i - 1]);
    }
}

static void bury(struct ledger *ledger, int32_t t)
{
    struct ledger_topic *topic = &ledger->topics[t];
    size_t size = sizeof(*ledger->burials);
    size_t count = (size_t)ledger->burial_count;
    ledger->burials =
        memory_resize(ledger->memory, ledger->burials, count * size, (count + 1) * size);
    struct ledger_burial *burial = &ledger->burials[ledger->burial_count++];
    size_t groups = (size_t)ledger->scenario->group_count;
    *burial = (struct ledger_burial){.topic = t, .kept = *topic};
    burial->claims = memory_take(ledger->memory, (groups + 1) * sizeof(*burial->claims));
    size_t partitions = (size_t)topic->partition_count;
    topic->logs = memory_take(ledger->memory, partitions * sizeof(*topic->logs));
    ledger->delivered = NULL;
    ledger->delivered_claim = NULL;
    for (size_t p = 0; p < partitions; p++)
        keep_blind(ledger, &burial->kept.logs[p], &topic->logs[p]);
    for (size_t g = 0; g < groups; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        struct ledger_claim *old = group->claims[t];
        burial->claims[g] = old;
        if (old == NULL) continue;
        group->claims[t] = memory_take(ledger->memory, partitions * sizeof(*old));
        for (size_t p = 0; p < partitions; p++) {
            group->claims[t][p] = heir_of(&old[p]);
            ledger_refresh_able(ledger, group, &group->claims[t][p]);
        }
    }
}

void ledger_on_topic(struct ledger *ledger, const struct trace_record *record)
{
    int32_t t = PARTITION_TOPIC((partition_id)record->field[1]);
    int32_t topic_id = PARTITION_TOPIC_ID(record->field[1]);
    if (record->field[3] == 0) {
        delete_logs(ledger, t);
        return;
    }
    if (topic_id > 0) bury(ledger, t);
    ledger->topics[t].topic_id = topic_id;
}
