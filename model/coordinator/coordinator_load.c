/* model/coordinator/coordinator_load.c: taking a shard over from its log, and giving it up. */
#include "model/coordinator/classic_group.h"
#include "model/coordinator/consumer_requests.h"
#include "model/coordinator/journal.h"
#include "model/coordinator/offset_rules.h"
#include "model/coordinator/transactions.h"
#include "model/coordinator/write_path.h"

#include "sim/check.h"

void coordinator_start_loading(struct coordinator *coordinator, int32_t leader_epoch, sim_time now)
{
    CHECK(coordinator->state == COORDINATOR_NOT_OWNED);
    coordinator->now = now;
    coordinator->state = COORDINATOR_LOADING;
    coordinator->leader_epoch = leader_epoch;
    coordinator->records_loaded = 0;
    coordinator_note(coordinator,
                     (struct group_note){.kind = NOTE_SHARD_LOADING, .generation = leader_epoch});
}

void coordinator_load_batch(struct coordinator *coordinator, const struct group_log_batch *batch,
                            int64_t base_offset)
{
    CHECK(coordinator->state == COORDINATOR_LOADING);
    if (batch->marker != MARKER_NONE) {
        transactions_end(coordinator, batch->producer_id, batch->marker == MARKER_COMMIT,
                         base_offset);
        return;
    }
    for (uint32_t i = 0; i < batch->record_count; i++) {
        coordinator_apply(coordinator, &batch->records[i], base_offset + i, batch->producer_id);
    }
    coordinator->records_loaded += batch->record_count;
}

void coordinator_finish_loading(struct coordinator *coordinator, int64_t log_end_offset,
                                int64_t high_watermark, sim_time now)
{
    CHECK(coordinator->state == COORDINATOR_LOADING);
    coordinator->now = now;
    coordinator->state = COORDINATOR_ACTIVE;
    coordinator->next_offset = log_end_offset;
    coordinator->last_written_offset = log_end_offset;
    coordinator->last_committed_offset = high_watermark;
    for (uint32_t i = 0; i < coordinator->group_count; i++) {
        struct group *group = coordinator->groups[i];
        if (group->type == GROUP_CLASSIC) classic_group_loaded(coordinator, group->classic);
        if (group->type == GROUP_CONSUMER) consumer_on_loaded(coordinator, group);
    }
    offsets_start_expiration(coordinator);
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_SHARD_LOADED,
                                                      .generation = coordinator->leader_epoch,
                                                      .count = (int32_t)coordinator->records_loaded,
                                                      .offset = log_end_offset});
}

static void forget_group(struct coordinator *coordinator, struct group *group)
{
    if (group->type == GROUP_CLASSIC) classic_group_unloaded(coordinator, group->classic);
    consumer_on_unloaded(coordinator, group);
    classic_group_free(coordinator, group->classic);
    if (group->consumer != NULL) consumer_group_free(group->consumer);
    group_offsets_release(&group->offsets, coordinator->memory);
    group->type = GROUP_ABSENT;
    group->committed_type = GROUP_ABSENT;
    group->classic = NULL;
    group->consumer = NULL;
}

void coordinator_unload(struct coordinator *coordinator, sim_time now)
{
    coordinator->now = now;
    if (coordinator->state == COORDINATOR_NOT_OWNED) return;
    /* CoordinatorContext.unload: timers, what waits for replication, the open batch, the groups. */
    timers_cancel_all(&coordinator->timers);
    if (coordinator->state == COORDINATOR_ACTIVE) {
        write_path_fail_all(coordinator, KAFKA_NOT_COORDINATOR);
        journal_clear(coordinator);
    }
    transactions_clear(coordinator);
    for (uint32_t i = 0; i < coordinator->group_count; i++) {
        forget_group(coordinator, coordinator->groups[i]);
    }
    timers_cancel_all(&coordinator->timers);
    coordinator->state = COORDINATOR_NOT_OWNED;
    coordinator_note(coordinator, (struct group_note){.kind = NOTE_SHARD_UNLOADED,
                                                      .generation = coordinator->leader_epoch});
}
