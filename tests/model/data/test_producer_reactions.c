/* Every error code of Kafka against every response a producer acts on. The expectations are written
 * down a second time here, from the handlers of TransactionManager and from Sender. */
#include "model/producer_reactions.h"
#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const enum kafka_error all_errors[] = {
#define X(name, value) KAFKA_##name,
    KAFKA_ERRORS(X)
#undef X
};

struct expectation {
    enum kafka_error error;
    enum producer_reaction reaction;
};

/* Not about the request, but about the moment: every handler tries again. */
static const enum kafka_error passing[] = {
    KAFKA_CORRUPT_MESSAGE,
    KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
    KAFKA_LEADER_NOT_AVAILABLE,
    KAFKA_NOT_LEADER_OR_FOLLOWER,
    KAFKA_REQUEST_TIMED_OUT,
    KAFKA_REPLICA_NOT_AVAILABLE,
    KAFKA_COORDINATOR_LOAD_IN_PROGRESS,
    KAFKA_NOT_ENOUGH_REPLICAS,
    KAFKA_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    KAFKA_CONCURRENT_TRANSACTIONS,
    KAFKA_KAFKA_STORAGE_ERROR,
    KAFKA_FETCH_SESSION_ID_NOT_FOUND,
    KAFKA_INVALID_FETCH_SESSION_EPOCH,
    KAFKA_FENCED_LEADER_EPOCH,
    KAFKA_UNKNOWN_LEADER_EPOCH,
    KAFKA_OFFSET_NOT_AVAILABLE,
    KAFKA_UNSTABLE_OFFSET_COMMIT,
};

static enum producer_reaction expected_of(const struct expectation *listed, size_t listed_count,
                                          enum producer_reaction other, enum kafka_error error)
{
    for (size_t i = 0; i < listed_count; i++) {
        if (listed[i].error == error) return listed[i].reaction;
    }
    for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
        if (passing[i] == error) return PRODUCER_RETRIES;
    }
    return error == KAFKA_NONE ? PRODUCER_GOES_ON : other;
}

static void walk(enum producer_answer answer, const struct expectation *listed, size_t listed_count,
                 enum producer_reaction other)
{
    for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
        enum producer_reaction expected = expected_of(listed, listed_count, other, all_errors[i]);
        enum producer_reaction actual = producer_reaction_to(answer, all_errors[i]);
        if (actual != expected)
            fail_msg("answer %d, %s: %d, expected %d", (int)answer, kafka_error_name(all_errors[i]),
                     (int)actual, (int)expected);
    }
}
#define WALK(answer, other, ...)                                                                   \
    walk(answer, (const struct expectation[]){__VA_ARGS__},                                        \
         ARRAY_LEN(((const struct expectation[]){__VA_ARGS__})), other)

#define LOOK_AGAIN                                                                                 \
    {KAFKA_NOT_COORDINATOR, PRODUCER_REDISCOVERS},                                                 \
        {KAFKA_COORDINATOR_NOT_AVAILABLE, PRODUCER_REDISCOVERS},                                   \
    {                                                                                              \
        KAFKA_NETWORK_EXCEPTION, PRODUCER_REDISCOVERS                                              \
    }

static void find_coordinator(void **state)
{
    (void)state;
    WALK(ANSWER_FIND_COORDINATOR, PRODUCER_DIES, {KAFKA_NOT_COORDINATOR, PRODUCER_RETRIES},
         {KAFKA_COORDINATOR_NOT_AVAILABLE, PRODUCER_RETRIES},
         {KAFKA_NETWORK_EXCEPTION, PRODUCER_RETRIES},
         {KAFKA_GROUP_AUTHORIZATION_FAILED, PRODUCER_ABORTS},
         {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS});
}

static void init_producer_id(void **state)
{
    (void)state;
    WALK(ANSWER_INIT_PRODUCER_ID, PRODUCER_DIES, LOOK_AGAIN,
         {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS});
}

static void add_partitions_to_txn(void **state)
{
    (void)state;
    /* What is said about a partition and is not known dooms the transaction only. */
    WALK(ANSWER_ADD_PARTITIONS, PRODUCER_ABORTS, LOOK_AGAIN,
         {KAFKA_INVALID_PRODUCER_EPOCH, PRODUCER_DIES}, {KAFKA_PRODUCER_FENCED, PRODUCER_DIES},
         {KAFKA_INVALID_TXN_STATE, PRODUCER_DIES}, {KAFKA_UNKNOWN_PRODUCER_ID, PRODUCER_RENEWS},
         {KAFKA_INVALID_PRODUCER_ID_MAPPING, PRODUCER_RENEWS});
}

static void add_offsets_to_txn(void **state)
{
    (void)state;
    WALK(ANSWER_ADD_OFFSETS, PRODUCER_DIES, LOOK_AGAIN,
         {KAFKA_UNKNOWN_PRODUCER_ID, PRODUCER_RENEWS},
         {KAFKA_INVALID_PRODUCER_ID_MAPPING, PRODUCER_RENEWS},
         {KAFKA_GROUP_AUTHORIZATION_FAILED, PRODUCER_ABORTS},
         {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS});
}

static void txn_offset_commit(void **state)
{
    (void)state;
    /* KIP-447: who is no member any more, or of an old generation, must abort. */
    WALK(ANSWER_TXN_OFFSET_COMMIT, PRODUCER_DIES, LOOK_AGAIN,
         {KAFKA_REQUEST_TIMED_OUT, PRODUCER_REDISCOVERS},
         {KAFKA_UNKNOWN_MEMBER_ID, PRODUCER_ABORTS}, {KAFKA_ILLEGAL_GENERATION, PRODUCER_ABORTS},
         {KAFKA_FENCED_INSTANCE_ID, PRODUCER_ABORTS},
         {KAFKA_GROUP_AUTHORIZATION_FAILED, PRODUCER_ABORTS},
         {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS});
}

static void end_txn(void **state)
{
    (void)state;
    WALK(ANSWER_END_TXN, PRODUCER_DIES, LOOK_AGAIN, {KAFKA_UNKNOWN_PRODUCER_ID, PRODUCER_RENEWS},
         {KAFKA_INVALID_PRODUCER_ID_MAPPING, PRODUCER_RENEWS},
         {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS});
}

static void produce(void **state)
{
    (void)state;
    static const enum kafka_error leader_errors[] = {
        KAFKA_NOT_LEADER_OR_FOLLOWER, KAFKA_LEADER_NOT_AVAILABLE, KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
        KAFKA_FENCED_LEADER_EPOCH,    KAFKA_NETWORK_EXCEPTION,    KAFKA_KAFKA_STORAGE_ERROR,
        KAFKA_REPLICA_NOT_AVAILABLE};
    for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
        enum kafka_error error = all_errors[i];
        bool again = error == KAFKA_NETWORK_EXCEPTION || error == KAFKA_NOT_COORDINATOR ||
                     error == KAFKA_COORDINATOR_NOT_AVAILABLE ||
                     error == KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER ||
                     error == KAFKA_UNKNOWN_PRODUCER_ID;
        for (size_t k = 0; k < ARRAY_LEN(passing); k++)
            again = again || passing[k] == error;
        bool asks = false;
        for (size_t k = 0; k < ARRAY_LEN(leader_errors); k++)
            asks = asks || leader_errors[k] == error;
        if (produce_error_is_retriable(error) != again ||
            produce_error_asks_for_metadata(error) != asks)
            fail_msg("Produce answered %s", kafka_error_name(error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_coordinator),
        cmocka_unit_test(init_producer_id),
        cmocka_unit_test(add_partitions_to_txn),
        cmocka_unit_test(add_offsets_to_txn),
        cmocka_unit_test(txn_offset_commit),
        cmocka_unit_test(end_txn),
        cmocka_unit_test(produce),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
