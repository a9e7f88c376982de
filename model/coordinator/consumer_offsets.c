/* model/coordinator/consumer_offsets.c: who may commit and fetch offsets of a consumer group.
 *
 * The epoch has to be the member's own, exactly; who owns the partition is not asked. Kafka:
 * ConsumerGroup.validateOffsetCommit, validateOffsetFetch. */
#include "model/coordinator/consumer_committed.h"
#include "model/coordinator/consumer_group.h"
#include "model/coordinator/consumer_requests.h"

/* The first version of OffsetCommit that knows member epochs. */
#define OFFSET_COMMIT_WITH_EPOCHS 9

static enum kafka_error check_epoch(int32_t given, int32_t expected, bool is_classic)
{
    if (given == expected) return KAFKA_NONE;
    return is_classic ? KAFKA_ILLEGAL_GENERATION : KAFKA_STALE_MEMBER_EPOCH;
}

enum kafka_error consumer_validate_offset_commit(const struct group *group, name_id member,
                                                 int32_t epoch, bool transactional, int16_t version)
{
    const struct consumer_group *state = group->consumer;
    /* Without members the group is open to everybody who does not claim to be one. */
    if (epoch < 0 && state->member_count == 0) return KAFKA_NONE;
    const struct consumer_member *found = consumer_group_member(state, member);
    if (found == NULL) return KAFKA_UNKNOWN_MEMBER_ID;
    if (!transactional && !found->is_classic && version < OFFSET_COMMIT_WITH_EPOCHS) {
        return KAFKA_UNSUPPORTED_VERSION;
    }
    enum kafka_error error = check_epoch(epoch, found->epoch, found->is_classic);
    /* TxnOffsetCommit has no STALE_MEMBER_EPOCH (OffsetMetadataManager). */
    if (transactional && error == KAFKA_STALE_MEMBER_EPOCH) return KAFKA_ILLEGAL_GENERATION;
    return error;
}

enum kafka_error consumer_validate_offset_fetch(const struct coordinator *coordinator,
                                                const struct group *group, name_id member,
                                                int32_t epoch, bool latest)
{
    if (member == NAME_NONE && epoch < 0) return KAFKA_NONE;
    const struct consumer_member *found = consumer_group_member(group->consumer, member);
    struct committed_member committed = {.exists = found != NULL};
    if (found != NULL) {
        committed.epoch = found->epoch;
        committed.is_classic = found->is_classic;
    }
    if (!latest) consumer_committed_member(coordinator, group, member, &committed);
    if (!committed.exists) return KAFKA_UNKNOWN_MEMBER_ID;
    return check_epoch(epoch, committed.epoch, committed.is_classic);
}
