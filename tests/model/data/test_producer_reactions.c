/* Every error code of Kafka against every response a producer acts on. The expectations are written
 * down a second time here, from the handlers of TransactionManager and from Sender. */
#include "model/producer_reactions.h"
#include "tests/model/decided_errors.h"

struct expectation {
    enum kafka_error error;
    enum producer_reaction reaction;
};

static enum producer_reaction expected_of(const struct expectation *listed, size_t listed_count,
                                          enum producer_reaction other, enum kafka_error error)
{
    for (size_t i = 0; i < listed_count; i++) {
        if (listed[i].error == error) return listed[i].reaction;
    }
    /* Not about the request, but about the moment: every handler tries again. */
    if (IS_ONE_OF(error, retriable_errors)) return PRODUCER_RETRIES;
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
    for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
        enum kafka_error error = all_errors[i];
        bool again = IS_ONE_OF(error, retriable_errors) ||
                     error == KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER ||
                     error == KAFKA_UNKNOWN_PRODUCER_ID;
        if (produce_error_is_retriable(error) != again ||
            produce_error_asks_for_metadata(error) != IS_ONE_OF(error, metadata_errors))
            fail_msg("Produce answered %s", kafka_error_name(error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_is_decided),
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
