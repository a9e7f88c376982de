/* tests/harness/classic_requests.h: requests of classic members, short enough to read in a test.
 *
 * Each sends at the host's present instant and returns the token; the answer is looked up by it.
 * The group is "g", the protocol type "consumer". Texts may be NULL where Kafka's field may be
 * null. */
#ifndef TESTS_HARNESS_CLASSIC_REQUESTS_H
#define TESTS_HARNESS_CLASSIC_REQUESTS_H

#include "tests/harness/coordinator_host.h"

#define NO_ANSWER ((enum kafka_error) - 2)

struct join_args {
    const char *member;       /* NULL = "" */
    const char *instance;     /* NULL = dynamic */
    const char *protocols;    /* "range,roundrobin"; NULL = "range" */
    const char *topics;       /* "t,u"; NULL = "t" */
    const char *client;       /* client id, and "/" host; NULL = "client" */
    int version;              /* 0 = 3, which takes a new member in at once */
    int session_timeout_ms;   /* 0 = 10000 */
    int rebalance_timeout_ms; /* 0 = 20000 */
};
uint64_t ask_join(struct coordinator_host *host, struct join_args args);
/* `assignments`: "m001=t:0,1;m002=t:2" from the leader, NULL from a follower. */
uint64_t ask_sync(struct coordinator_host *host, const char *member, int generation,
                  const char *assignments);
uint64_t ask_heartbeat(struct coordinator_host *host, const char *member, int generation);
uint64_t ask_leave(struct coordinator_host *host, const char *member, const char *instance);
/* One partition of topic t. `member` NULL and generation -1: an administrator. */
uint64_t ask_commit(struct coordinator_host *host, const char *member, int generation,
                    int partition, int64_t offset);
uint64_t ask_txn_commit(struct coordinator_host *host, int64_t producer_id, int partition,
                        int64_t offset);
uint64_t ask_marker(struct coordinator_host *host, int64_t producer_id, bool commit);
uint64_t ask_fetch(struct coordinator_host *host, int partition, bool require_stable);
uint64_t ask_delete_group(struct coordinator_host *host);
uint64_t ask_describe(struct coordinator_host *host);
uint64_t ask_list(struct coordinator_host *host);

/* The error of the answer, which is taken; NO_ANSWER while there is none. Of commits and deletions,
 * the first entry's. */
enum kafka_error answer_error(struct coordinator_host *host, uint64_t token);
/* The fetched offset, or minus the error minus 100; -1 = nothing stored; INT64_MIN = no answer. */
int64_t answer_offset(struct coordinator_host *host, uint64_t token);
/* "m001 generation 2 leader m001 of 3", the error's name, or "-". */
const char *answer_join(struct coordinator_host *host, uint64_t token);

/* The group "g"; NULL when there is none. */
struct classic_group *classic_of(const struct coordinator_host *host);
/* Its state's name, or "absent". */
const char *state_of(const struct coordinator_host *host);

/* Members m001, m002, ... join one after the other at the present instant and sync: a Stable group
 * whose generation is `count`, led by m001 (the initial delay must be 0). Member i has instance
 * id i<i> if `instances`; it is assigned partitions 2i-2 and 2i-1 of t. */
void form_group(struct coordinator_host *host, int count, bool instances);

#endif
