/* tests/harness/coordinator_host.h: a broker around one shard, for tests.
 *
 * It keeps the log, moves the high watermark (at once, or some time after the append), keeps the
 * answers by token, and can hand leadership to a new coordinator that reads the log. Time is what
 * the test says it is. */
#ifndef TESTS_HARNESS_COORDINATOR_HOST_H
#define TESTS_HARNESS_COORDINATOR_HOST_H

#include "model/coordinator/coordinator.h"

struct coordinator_host_options {
    sim_time replication_ns;          /* from the append to the high watermark; 0 = at once */
    struct coordinator_config config; /* all zero: Kafka's defaults, linger 0 */
};

/* Called around everything that the coordinator is given. `request` is NULL for timers and log
 * progress; `response` is what came back within the step, or NULL. */
struct coordinator_host;
typedef void coordinator_host_step(void *self, struct coordinator_host *host, bool before,
                                   const struct message *request, const struct message *response);

struct coordinator_host {
    struct memory *memory;
    struct names *names;
    struct coordinator_config config;
    sim_time replication_ns;
    sim_time now;
    struct coordinator *coordinator;
    int32_t leader_epoch;
    uint32_t member_ids;

    struct group_log_batch **log; /* shape [batch_count] */
    int64_t *base_offsets;
    uint32_t batch_count;
    uint32_t batch_capacity;
    int64_t log_end_offset;
    int64_t high_watermark;
    struct host_append { /* not yet replicated */
        int64_t end_offset;
        sim_time at;
    } * appends;
    uint32_t append_count;
    uint32_t append_capacity;

    struct message **responses; /* by token - 1, NULL until answered; shape [token_count] */
    uint64_t token_count;
    uint64_t token_capacity;

    struct coordinator_topic topics[16];
    int32_t topic_count;

    coordinator_host_step *step; /* NULL = nobody looks */
    void *step_self;
    enum kafka_error fail_next_append; /* KAFKA_NONE = it succeeds */
    bool append_failed;                /* within this step: changes were taken back */
};

/* A host that leads the shard, its log empty. */
struct coordinator_host *coordinator_host_new(const struct coordinator_host_options *options);
void coordinator_host_free(struct coordinator_host *host);

name_id coordinator_host_name(struct coordinator_host *host, const char *text);

/* Creates the topic, changes its partition count, or deletes it (0). `id` NULL: the name is the
 * id. */
void coordinator_host_set_topic(struct coordinator_host *host, const char *name, int32_t partitions,
                                const char *id);

/* Hands the request in (the host frees it) and returns its token. */
uint64_t coordinator_host_send(struct coordinator_host *host, struct message *request);
/* NULL while there is no answer. */
const struct message *coordinator_host_response(const struct coordinator_host *host,
                                                uint64_t token);
/* Time passes: timers fire and the high watermark moves, in order. */
void coordinator_host_advance(struct coordinator_host *host, sim_time until);

/* Another broker takes over. What was not replicated is lost if `lose_tail`. Requests under way are
 * answered NOT_COORDINATOR. */
void coordinator_host_fail_over(struct coordinator_host *host, bool lose_tail);
/* A coordinator that has read the log up to now; free it with coordinator_free. */
struct coordinator *coordinator_host_rebuild(struct coordinator_host *host);

#endif
