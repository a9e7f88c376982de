/* model/consumer/reactions.h: what a consumer does about each error of each response.
 *
 * Data, not code: one table per response (the handlers of AbstractCoordinator, ConsumerCoordinator,
 * OffsetFetcher and FetchCollector). An error that a table does not list is its `retriable` if
 * Kafka derives it from RetriableException, else its `other`. Two responses need no table: what
 * LeaveGroup answers is only logged (LeaveGroupResponseHandler), and a topic that Metadata cannot
 * tell is asked for again, whatever the error (the errors that are thrown, of names and
 * authorization, do not occur here). */
#ifndef MODEL_CONSUMER_REACTIONS_H
#define MODEL_CONSUMER_REACTIONS_H

#include "model/kafka_types.h"

enum reaction {
    REACT_SUCCEED = 1 << 0,
    REACT_RETRY = 1 << 1,               /* later, after a back-off */
    REACT_RETRY_AT_ONCE = 1 << 2,       /* without a back-off */
    REACT_COORDINATOR_UNKNOWN = 1 << 3, /* and its connection closed */
    REACT_FORGET_MEMBER = 1 << 4,     /* generation and member id, if unchanged since the request */
    REACT_FORGET_GENERATION = 1 << 5, /* the member id is kept */
    REACT_TAKE_MEMBER_ID = 1 << 6,    /* the response names it */
    REACT_REJOIN = 1 << 7,
    REACT_ALIVE = 1 << 8,        /* counts as a heartbeat that was answered */
    REACT_FENCED = 1 << 9,       /* FencedInstanceIdException from the next poll() */
    REACT_THROW = 1 << 10,       /* an exception for the application */
    REACT_REFUSED = 1 << 11,     /* CommitFailedException */
    REACT_REBALANCING = 1 << 12, /* RebalanceInProgressException */
    REACT_REFRESH_METADATA = 1 << 13,
    REACT_RESET_POSITION = 1 << 14, /* as auto.offset.reset says */
    REACT_NEW_SESSION = 1 << 15,    /* the next fetch is a full one */
    REACT_FENCED_EPOCH = 1 << 16,   /* KIP-848: give everything up, join again with the same id */
    REACT_FATAL = 1 << 17,          /* KIP-848: the member is done for; thrown by the next poll() */
    REACT_STALE_EPOCH = 1 << 18,    /* KIP-848: again, with the epoch then known */
};

struct reaction_table {
    const char *response;
    const struct reaction_row *rows;
    int32_t row_count;
    uint32_t retriable;
    uint32_t other;
};
struct reaction_row {
    enum kafka_error error;
    uint32_t reaction;
};

extern const struct reaction_table find_coordinator_reactions;
extern const struct reaction_table join_group_reactions;
extern const struct reaction_table sync_group_reactions;
extern const struct reaction_table heartbeat_reactions;
extern const struct reaction_table offset_commit_reactions;
extern const struct reaction_table offset_fetch_reactions;
extern const struct reaction_table list_offsets_reactions;
extern const struct reaction_table leader_epoch_reactions;
extern const struct reaction_table fetch_reactions;         /* of one partition */
extern const struct reaction_table fetch_session_reactions; /* of the whole response */

/* KIP-848 (AbstractHeartbeatRequestManager, CommitRequestManager). */
extern const struct reaction_table consumer_heartbeat_reactions;
extern const struct reaction_table consumer_commit_reactions;
extern const struct reaction_table consumer_offset_fetch_reactions;

/* Bits of enum reaction. */
uint32_t reaction_to(const struct reaction_table *table, enum kafka_error error);

#endif
