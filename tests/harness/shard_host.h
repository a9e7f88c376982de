/* tests/harness/shard_host.h: a broker around one shard whose log is replicated after a while.
 *
 * It keeps the log, moves the high watermark (at once, or some time after the append), keeps the
 * answers by token, and can hand leadership to a new coordinator that reads the log. Time is what
 * the test says it is. */
#ifndef TESTS_HARNESS_SHARD_HOST_H
#define TESTS_HARNESS_SHARD_HOST_H

#include "model/coordinator/coordinator.h"
#include "tests/harness/host_watch.h"

struct shard_host_options {
    sim_time replication_ns;          /* from the append to the high watermark; 0 = at once */
    struct coordinator_config config; /* all zero: Kafka's defaults, linger 0 */
};

/* Called around everything that the coordinator is given. `request` is NULL for timers and log
 * progress; `response` is what came back within the step, or NULL. */
struct shard_host;
typedef void shard_host_step(void *self, struct shard_host *host, bool before,
                             const struct message *request, const struct message *response);

struct shard_host {
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

    struct host_watch watch; /* looks while `step` is NULL */
    shard_host_step *step;
    void *step_self;
    enum kafka_error fail_next_append; /* KAFKA_NONE = it succeeds */
    bool append_failed;                /* within this step: changes were taken back */
};

/* A host that leads the shard, its log empty. */
struct shard_host *shard_host_new(const struct shard_host_options *options);
void shard_host_free(struct shard_host *host);

name_id shard_host_name(struct shard_host *host, const char *text);

/* Creates the topic, changes its partition count, or deletes it (0). `id` NULL: the name is the
 * id. */
void shard_host_set_topic(struct shard_host *host, const char *name, int32_t partitions,
                          const char *id);

/* Hands the request in (the host frees it) and returns its token. */
uint64_t shard_host_send(struct shard_host *host, struct message *request);
/* NULL while there is no answer. */
const struct message *shard_host_response(const struct shard_host *host, uint64_t token);
/* Time passes: timers fire and the high watermark moves, in order. */
void shard_host_advance(struct shard_host *host, sim_time until);

/* Another broker takes over. What was not replicated is lost if `lose_tail`. Requests under way are
 * answered NOT_COORDINATOR. */
void shard_host_fail_over(struct shard_host *host, bool lose_tail);
/* A coordinator that has read the log up to now; free it with coordinator_free. */
struct coordinator *shard_host_rebuild(struct shard_host *host);

#endif
