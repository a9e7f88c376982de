/* model/producer_reactions.h: what a producer does about each error of each response.
 *
 * Data, not code: the handlers of TransactionManager, one table each, and Sender.completeBatch.
 * What all of them share stands first: NONE, the retriable errors, and a coordinator that is not,
 * or no longer, where it was looked for. */
#ifndef MODEL_PRODUCER_REACTIONS_H
#define MODEL_PRODUCER_REACTIONS_H

#include "model/kafka_types.h"

enum producer_answer {
    ANSWER_FIND_COORDINATOR,
    ANSWER_INIT_PRODUCER_ID,
    ANSWER_ADD_PARTITIONS,
    ANSWER_ADD_OFFSETS,
    ANSWER_TXN_OFFSET_COMMIT,
    ANSWER_END_TXN,
    PRODUCER_ANSWER_COUNT
};

enum producer_reaction {
    PRODUCER_GOES_ON,
    PRODUCER_RETRIES,     /* after a back-off */
    PRODUCER_REDISCOVERS, /* the coordinator, then tries again */
    PRODUCER_ABORTS,      /* the application must abort this transaction */
    PRODUCER_RENEWS,      /* … and the producer takes a new epoch before the next one */
    PRODUCER_DIES,        /* nothing but close() is left */
};

enum producer_reaction producer_reaction_to(enum producer_answer answer, enum kafka_error error);

/* Of Produce: the batch is sent again (subclasses of RetriableException, and sequence errors as
 * producer_identity.c judges them) … */
bool produce_error_is_retriable(enum kafka_error error);
/* … and where the partition's leader is has to be asked (subclasses of InvalidMetadataException).
 */
bool produce_error_asks_for_metadata(enum kafka_error error);

#endif
