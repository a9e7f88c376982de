#include "model/producer_reactions.h"

#include "sim/check.h"

struct row {
    enum kafka_error error;
    enum producer_reaction reaction;
};

/* What a handler adds to the common part. */
struct table {
    const struct row *rows;
    size_t row_count;
    enum producer_reaction other;
};

static const struct row find_coordinator[] = {
    {KAFKA_GROUP_AUTHORIZATION_FAILED, PRODUCER_ABORTS},
    {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS},
};

static const struct row init_producer_id[] = {
    {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS},
};

/* Any error of a partition that is not named dooms the transaction, no more. */
static const struct row add_partitions[] = {
    {KAFKA_INVALID_PRODUCER_EPOCH, PRODUCER_DIES},
    {KAFKA_PRODUCER_FENCED, PRODUCER_DIES},
    {KAFKA_INVALID_TXN_STATE, PRODUCER_DIES},
    {KAFKA_UNKNOWN_PRODUCER_ID, PRODUCER_RENEWS},
    {KAFKA_INVALID_PRODUCER_ID_MAPPING, PRODUCER_RENEWS},
};

static const struct row add_offsets[] = {
    {KAFKA_UNKNOWN_PRODUCER_ID, PRODUCER_RENEWS},
    {KAFKA_INVALID_PRODUCER_ID_MAPPING, PRODUCER_RENEWS},
    {KAFKA_GROUP_AUTHORIZATION_FAILED, PRODUCER_ABORTS},
    {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS},
};

/* The coordinator of a consumer group answers ILLEGAL_GENERATION for a stale member epoch here
 * (OffsetMetadataManager.validateTransactionalOffsetCommit). */
static const struct row txn_offset_commit[] = {
    {KAFKA_REQUEST_TIMED_OUT, PRODUCER_REDISCOVERS},
    {KAFKA_GROUP_AUTHORIZATION_FAILED, PRODUCER_ABORTS},
    {KAFKA_FENCED_INSTANCE_ID, PRODUCER_ABORTS},
    {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS},
    {KAFKA_UNKNOWN_MEMBER_ID, PRODUCER_ABORTS},
    {KAFKA_ILLEGAL_GENERATION, PRODUCER_ABORTS},
};

static const struct row end_txn[] = {
    {KAFKA_UNKNOWN_PRODUCER_ID, PRODUCER_RENEWS},
    {KAFKA_INVALID_PRODUCER_ID_MAPPING, PRODUCER_RENEWS},
    {KAFKA_TRANSACTION_ABORTABLE, PRODUCER_ABORTS},
};

static const struct table tables[PRODUCER_ANSWER_COUNT] = {
    [ANSWER_FIND_COORDINATOR] = {find_coordinator, ARRAY_LEN(find_coordinator), PRODUCER_DIES},
    [ANSWER_INIT_PRODUCER_ID] = {init_producer_id, ARRAY_LEN(init_producer_id), PRODUCER_DIES},
    [ANSWER_ADD_PARTITIONS] = {add_partitions, ARRAY_LEN(add_partitions), PRODUCER_ABORTS},
    [ANSWER_ADD_OFFSETS] = {add_offsets, ARRAY_LEN(add_offsets), PRODUCER_DIES},
    [ANSWER_TXN_OFFSET_COMMIT] = {txn_offset_commit, ARRAY_LEN(txn_offset_commit), PRODUCER_DIES},
    [ANSWER_END_TXN] = {end_txn, ARRAY_LEN(end_txn), PRODUCER_DIES},
};

enum producer_reaction producer_reaction_to(enum producer_answer answer, enum kafka_error error)
{
    if (error == KAFKA_NONE) return PRODUCER_GOES_ON;
    const struct table *table = &tables[answer];
    for (size_t i = 0; i < table->row_count; i++) {
        if (table->rows[i].error == error) return table->rows[i].reaction;
    }
    /* Whoever is asked where a coordinator is, is none himself. A lost connection is no answer: the
     * request is sent again to a coordinator looked up anew (TxnRequestHandler.onComplete). */
    bool is_lost = error == KAFKA_NOT_COORDINATOR || error == KAFKA_COORDINATOR_NOT_AVAILABLE ||
                   error == KAFKA_NETWORK_EXCEPTION;
    if (is_lost && answer != ANSWER_FIND_COORDINATOR) return PRODUCER_REDISCOVERS;
    return kafka_error_is_retriable(error) ? PRODUCER_RETRIES : table->other;
}

bool produce_error_is_retriable(enum kafka_error error)
{
    return kafka_error_is_retriable(error) || error == KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER ||
           error == KAFKA_UNKNOWN_PRODUCER_ID;
}

bool produce_error_asks_for_metadata(enum kafka_error error)
{
    return kafka_error_class_of(error) == ERROR_INVALID_METADATA;
}
