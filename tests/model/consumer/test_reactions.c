/* Every error code of Kafka against every response a consumer acts on. The expectations are written
 * down a second time here, response by response, from classic-consumer.md sections 4, 8 and 9. */
#include "model/consumer/reactions.h"
#include "tests/model/decided_errors.h"

struct expectation {
    enum kafka_error error;
    uint32_t reaction;
};

/* Walks all errors: what is listed reacts as listed, what is retriable and everything else as told.
 */
static void walk(const struct reaction_table *table, const struct expectation *listed,
                 size_t listed_count, uint32_t retriable, uint32_t other)
{
    for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
        uint32_t expected = IS_ONE_OF(all_errors[i], retriable_errors) ? retriable : other;
        for (size_t k = 0; k < listed_count; k++) {
            if (listed[k].error == all_errors[i]) expected = listed[k].reaction;
        }
        uint32_t actual = reaction_to(table, all_errors[i]);
        if (actual != expected) {
            fail_msg("%s answered %s: 0x%x, expected 0x%x", table->response,
                     kafka_error_name(all_errors[i]), actual, expected);
        }
    }
}
#define WALK_RETRYING(table, retriable, other, ...)                                                \
    walk(&(table), (const struct expectation[]){__VA_ARGS__},                                      \
         ARRAY_LEN(((const struct expectation[]){__VA_ARGS__})), retriable, other)
#define WALK(table, other, ...) WALK_RETRYING(table, other, other, __VA_ARGS__)

#define REDISCOVER (REACT_RETRY | REACT_COORDINATOR_UNKNOWN)
#define REFRESH    (REACT_RETRY | REACT_REFRESH_METADATA)

static void find_coordinator(void **state)
{
    (void)state;
    WALK_RETRYING(find_coordinator_reactions, REFRESH, REACT_THROW, {KAFKA_NONE, REACT_SUCCEED});
}

static void join_group(void **state)
{
    (void)state;
    WALK(join_group_reactions, REACT_THROW, {KAFKA_NONE, REACT_SUCCEED},
         {KAFKA_MEMBER_ID_REQUIRED, REACT_TAKE_MEMBER_ID | REACT_RETRY_AT_ONCE},
         {KAFKA_UNKNOWN_MEMBER_ID, REACT_FORGET_MEMBER | REACT_RETRY_AT_ONCE},
         {KAFKA_COORDINATOR_LOAD_IN_PROGRESS, REACT_RETRY},
         {KAFKA_COORDINATOR_NOT_AVAILABLE, REDISCOVER}, {KAFKA_NOT_COORDINATOR, REDISCOVER},
         {KAFKA_REBALANCE_IN_PROGRESS, REACT_RETRY_AT_ONCE});
}

static void sync_group(void **state)
{
    (void)state;
    /* A coordinator that is loading is an exception here, unlike in JoinGroup. */
    WALK(sync_group_reactions, REACT_THROW, {KAFKA_NONE, REACT_SUCCEED},
         {KAFKA_REBALANCE_IN_PROGRESS, REACT_RETRY_AT_ONCE},
         {KAFKA_UNKNOWN_MEMBER_ID, REACT_FORGET_MEMBER | REACT_RETRY_AT_ONCE},
         {KAFKA_ILLEGAL_GENERATION, REACT_FORGET_GENERATION | REACT_RETRY_AT_ONCE},
         {KAFKA_COORDINATOR_NOT_AVAILABLE, REDISCOVER}, {KAFKA_NOT_COORDINATOR, REDISCOVER});
}

static void heartbeat(void **state)
{
    (void)state;
    WALK(heartbeat_reactions, 0, {KAFKA_NONE, REACT_ALIVE},
         {KAFKA_REBALANCE_IN_PROGRESS, REACT_ALIVE | REACT_REJOIN},
         {KAFKA_UNKNOWN_MEMBER_ID, REACT_FORGET_MEMBER},
         {KAFKA_ILLEGAL_GENERATION, REACT_FORGET_GENERATION},
         {KAFKA_FENCED_INSTANCE_ID, REACT_FORGET_MEMBER | REACT_FENCED},
         {KAFKA_COORDINATOR_NOT_AVAILABLE, REACT_COORDINATOR_UNKNOWN},
         {KAFKA_NOT_COORDINATOR, REACT_COORDINATOR_UNKNOWN});
}

static void offset_commit(void **state)
{
    (void)state;
    WALK(offset_commit_reactions, REACT_THROW, {KAFKA_NONE, REACT_SUCCEED},
         {KAFKA_COORDINATOR_LOAD_IN_PROGRESS, REACT_RETRY},
         {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REACT_RETRY},
         {KAFKA_COORDINATOR_NOT_AVAILABLE, REDISCOVER}, {KAFKA_NOT_COORDINATOR, REDISCOVER},
         {KAFKA_REQUEST_TIMED_OUT, REDISCOVER},
         {KAFKA_REBALANCE_IN_PROGRESS, REACT_REJOIN | REACT_REBALANCING},
         {KAFKA_UNKNOWN_MEMBER_ID, REACT_FORGET_MEMBER | REACT_REFUSED},
         {KAFKA_ILLEGAL_GENERATION, REACT_FORGET_GENERATION | REACT_REFUSED},
         {KAFKA_FENCED_INSTANCE_ID, REACT_FENCED | REACT_THROW});
}

static void offset_fetch(void **state)
{
    (void)state;
    WALK_RETRYING(offset_fetch_reactions, REACT_RETRY, REACT_THROW, {KAFKA_NONE, REACT_SUCCEED},
                  {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REACT_THROW},
                  {KAFKA_COORDINATOR_NOT_AVAILABLE, REDISCOVER},
                  {KAFKA_NOT_COORDINATOR, REDISCOVER});
}

static void list_offsets(void **state)
{
    (void)state;
    WALK(list_offsets_reactions, REFRESH, {KAFKA_NONE, REACT_SUCCEED},
         {KAFKA_TOPIC_AUTHORIZATION_FAILED, REACT_THROW}, {KAFKA_UNSUPPORTED_VERSION, REACT_THROW});
}

static void offset_for_leader_epoch(void **state)
{
    (void)state;
    WALK(leader_epoch_reactions, REFRESH, {KAFKA_NONE, REACT_SUCCEED},
         {KAFKA_TOPIC_AUTHORIZATION_FAILED, REACT_THROW});
}

static void fetch(void **state)
{
    (void)state;
    WALK(fetch_reactions, REACT_THROW, {KAFKA_NONE, REACT_SUCCEED},
         {KAFKA_NOT_LEADER_OR_FOLLOWER, REFRESH}, {KAFKA_REPLICA_NOT_AVAILABLE, REFRESH},
         {KAFKA_KAFKA_STORAGE_ERROR, REFRESH}, {KAFKA_FENCED_LEADER_EPOCH, REFRESH},
         {KAFKA_OFFSET_NOT_AVAILABLE, REFRESH}, {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REFRESH},
         {KAFKA_UNKNOWN_TOPIC_ID, REFRESH}, {KAFKA_INCONSISTENT_TOPIC_ID, REFRESH},
         {KAFKA_OFFSET_OUT_OF_RANGE, REACT_RESET_POSITION},
         {KAFKA_UNKNOWN_LEADER_EPOCH, REACT_RETRY}, {KAFKA_UNKNOWN_SERVER_ERROR, REACT_RETRY});
}

static void fetch_session(void **state)
{
    (void)state;
    WALK(fetch_session_reactions, REACT_RETRY | REACT_NEW_SESSION, {KAFKA_NONE, REACT_SUCCEED});
}

static void consumer_group_heartbeat(void **state)
{
    (void)state;
    WALK(consumer_heartbeat_reactions, REACT_FATAL, {KAFKA_NONE, REACT_SUCCEED},
         {KAFKA_NOT_COORDINATOR, REACT_COORDINATOR_UNKNOWN},
         {KAFKA_COORDINATOR_NOT_AVAILABLE, REACT_COORDINATOR_UNKNOWN},
         {KAFKA_COORDINATOR_LOAD_IN_PROGRESS, REACT_RETRY},
         {KAFKA_FENCED_MEMBER_EPOCH, REACT_FENCED_EPOCH},
         {KAFKA_UNKNOWN_MEMBER_ID, REACT_FENCED_EPOCH});
}

static void offset_commit_of_a_consumer_group(void **state)
{
    (void)state;
    WALK(consumer_commit_reactions, REACT_THROW, {KAFKA_NONE, REACT_SUCCEED},
         {KAFKA_COORDINATOR_LOAD_IN_PROGRESS, REACT_RETRY},
         {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REACT_RETRY},
         {KAFKA_COORDINATOR_NOT_AVAILABLE, REDISCOVER}, {KAFKA_NOT_COORDINATOR, REDISCOVER},
         {KAFKA_REQUEST_TIMED_OUT, REDISCOVER},
         {KAFKA_STALE_MEMBER_EPOCH, REACT_STALE_EPOCH | REACT_REFUSED},
         {KAFKA_UNKNOWN_MEMBER_ID, REACT_REFUSED}, {KAFKA_FENCED_INSTANCE_ID, REACT_REFUSED});
}

static void offset_fetch_of_a_consumer_group(void **state)
{
    (void)state;
    WALK_RETRYING(consumer_offset_fetch_reactions, REACT_RETRY, REACT_THROW,
                  {KAFKA_NONE, REACT_SUCCEED}, {KAFKA_STALE_MEMBER_EPOCH, REACT_RETRY},
                  {KAFKA_UNKNOWN_TOPIC_OR_PARTITION, REACT_THROW},
                  {KAFKA_COORDINATOR_NOT_AVAILABLE, REDISCOVER},
                  {KAFKA_NOT_COORDINATOR, REDISCOVER});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_is_decided),
        cmocka_unit_test(find_coordinator),
        cmocka_unit_test(join_group),
        cmocka_unit_test(sync_group),
        cmocka_unit_test(heartbeat),
        cmocka_unit_test(offset_commit),
        cmocka_unit_test(offset_fetch),
        cmocka_unit_test(list_offsets),
        cmocka_unit_test(offset_for_leader_epoch),
        cmocka_unit_test(fetch),
        cmocka_unit_test(fetch_session),
        cmocka_unit_test(consumer_group_heartbeat),
        cmocka_unit_test(offset_commit_of_a_consumer_group),
        cmocka_unit_test(offset_fetch_of_a_consumer_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
