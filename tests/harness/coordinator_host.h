/* tests/harness/coordinator_host.h: a coordinator with a log around it, for tests.
 *
 * The host carries out effects at once: replies are kept in a list, batches go to a log in memory.
 * A synchronous log (the default) is durable before the next event; otherwise the test decides when
 * appends fail and how far the high watermark is. */
#ifndef TESTS_HARNESS_COORDINATOR_HOST_H
#define TESTS_HARNESS_COORDINATOR_HOST_H

#include "model/coordinator/coordinator.h"
#include "tests/harness/host_watch.h"

struct host_reply {
    uint64_t token;
    sim_time at;
    struct message *message; /* NULL: the request will never be answered */
};

struct host_batch {
    struct group_log_batch *batch;
    int64_t base_offset;
};

/* Called around everything that the coordinator is given. `request` is NULL for timers; `response`
 * is what it was answered within the step, or NULL. */
typedef void host_step(void *self, const struct coordinator *coordinator, bool before,
                       const struct message *request, const struct message *response);

struct coordinator_host {
    struct memory *memory;
    struct names *names;
    struct coordinator_config config;
    struct coordinator_config rebuild_config;
    struct coordinator *coordinator;
    sim_time now;

    struct host_reply *replies; /* oldest first; taken by host_take_reply */
    uint32_t reply_count;
    uint32_t reply_capacity;

    struct host_batch *log;
    uint32_t batch_count;
    uint32_t batch_capacity;
    int64_t log_end_offset;
    int64_t high_watermark;

    bool high_watermark_held;      /* appends do not become committed by themselves */
    enum kafka_error append_error; /* not NONE: the next appends fail with it */

    struct host_watch watch; /* looks while `step` is NULL */
    host_step *step;
    void *step_self;
};

/* The host is NOT_OWNED; change `config` before host_start. Members get ids m01, m02, ... unless
 * `make_member_id` says otherwise. */
void host_init(struct coordinator_host *host, member_id_maker *make_member_id, void *self);
/* Loads the (empty) log at instant 0 and becomes active. */
void host_start(struct coordinator_host *host);
void host_free(struct coordinator_host *host);

/* Fires what is due up to and including `at`, each effect carried out at its own instant. */
void host_advance(struct coordinator_host *host, sim_time at);
/* Advances to `at`, hands the request over (it is freed), and fires timers without delay. */
void host_request(struct coordinator_host *host, sim_time at, uint64_t token,
                  struct message *request);
void host_set_topics(struct coordinator_host *host, sim_time at,
                     const struct coordinator_topic *topics, int32_t count);
void host_set_high_watermark(struct coordinator_host *host, int64_t offset);
void host_drain(struct coordinator_host *host);

/* The oldest reply, which is the caller's now; false when there is none. */
bool host_take_reply(struct coordinator_host *host, struct host_reply *reply);
/* The oldest reply to this token, NULL when there is none. */
struct message *host_reply_to(struct coordinator_host *host, uint64_t token);

/* Gives the shard up and takes it back at `at`, as after a failover to a broker with the same log.
 * Replies that the unload causes are kept. */
void host_fail_over(struct coordinator_host *host, sim_time at);
/* The tail above the high watermark is gone before the next failover: the new leader never had it.
 */
void host_lose_tail(struct coordinator_host *host);
/* A second coordinator, active, with the state that the log gives. `compacted`: only the latest
 * record of each key, at its own offset; for logs without transactions. It has no cap on the size
 * of groups: one above the cap would rebalance at once. The caller frees it. */
struct coordinator *host_rebuild(struct coordinator_host *host, bool compacted);

name_id host_name(struct coordinator_host *host, const char *text);
#define HOST_REQUEST(host, api, type) MESSAGE_NEW((host)->memory, (api), type)

#endif
