#include "tests/harness/shard_host.h"

#include "sim/check.h"

#include <string.h>

static name_id make_member_id(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                              uint32_t index)
{
    (void)group;
    (void)prefix;
    (void)leader_epoch;
    (void)index;
    struct shard_host *host = self;
    return names_format(host->names, "m%04u", (unsigned)++host->member_ids);
}

static struct coordinator *new_coordinator(struct shard_host *host)
{
    struct coordinator *coordinator =
        coordinator_new(&(struct coordinator_options){.memory = host->memory,
                                                      .names = host->names,
                                                      .config = &host->config,
                                                      .make_member_id = make_member_id,
                                                      .make_member_id_self = host});
    coordinator_set_topics(coordinator, host->topics, host->topic_count, host->now);
    return coordinator;
}

static void load(struct shard_host *host, struct coordinator *coordinator, int32_t leader_epoch)
{
    coordinator_start_loading(coordinator, leader_epoch, host->now);
    for (uint32_t i = 0; i < host->batch_count; i++)
        coordinator_load_batch(coordinator, host->log[i], host->base_offsets[i]);
    coordinator_finish_loading(coordinator, host->log_end_offset, host->high_watermark, host->now);
}

struct shard_host *shard_host_new(const struct shard_host_options *options)
{
    struct memory *memory = memory_new();
    struct shard_host *host = memory_take(memory, sizeof *host);
    host->memory = memory;
    host->names = names_new(memory);
    host_watch_init(&host->watch, memory, host->names);
    host->replication_ns = options->replication_ns;
    host->config = options->config;
    if (host->config.group_max_size == 0) {
        host->config = coordinator_config_default(host->names);
        host->config.group_coordinator_append_linger_ms = 0;
    }
    host->coordinator = new_coordinator(host);
    load(host, host->coordinator, ++host->leader_epoch);
    return host;
}

void shard_host_free(struct shard_host *host)
{
    host_watch_free(&host->watch);
    coordinator_free(host->coordinator);
    memory_free_all(host->memory);
}

name_id shard_host_name(struct shard_host *host, const char *text)
{
    return names_intern(host->names, text);
}

/* Takes what the coordinator wants done until it wants nothing more. */
static void carry_out(struct shard_host *host);

static void append(struct shard_host *host, struct group_log_batch *batch)
{
    if (host->fail_next_append != KAFKA_NONE) {
        enum kafka_error error = host->fail_next_append;
        host->fail_next_append = KAFKA_NONE;
        host->append_failed = true;
        group_log_batch_release(batch);
        coordinator_appended(host->coordinator, host->log_end_offset, error, host->now);
        return;
    }
    if (host->batch_count == host->batch_capacity) {
        uint32_t capacity = host->batch_capacity == 0 ? 64 : host->batch_capacity * 2;
        host->log = memory_resize(host->memory, host->log, sizeof(void *) * host->batch_capacity,
                                  sizeof(void *) * capacity);
        host->base_offsets =
            memory_resize(host->memory, host->base_offsets, sizeof(int64_t) * host->batch_capacity,
                          sizeof(int64_t) * capacity);
        host->batch_capacity = capacity;
    }
    host->log[host->batch_count] = batch;
    host->base_offsets[host->batch_count] = host->log_end_offset;
    host->batch_count++;
    host->log_end_offset += group_log_batch_offsets(batch);
    coordinator_appended(host->coordinator, host->log_end_offset, KAFKA_NONE, host->now);
    if (host->replication_ns == 0) {
        host->high_watermark = host->log_end_offset;
        coordinator_on_high_watermark(host->coordinator, host->high_watermark, host->now);
        return;
    }
    if (host->append_count == host->append_capacity) {
        uint32_t capacity = host->append_capacity == 0 ? 64 : host->append_capacity * 2;
        host->appends = memory_resize(host->memory, host->appends,
                                      sizeof *host->appends * host->append_capacity,
                                      sizeof *host->appends * capacity);
        host->append_capacity = capacity;
    }
    host->appends[host->append_count++] =
        (struct host_append){.end_offset = host->log_end_offset,
                             .at = host->now + host->replication_ns};
}

static void carry_out(struct shard_host *host)
{
    struct coordinator_effect effect;
    while (coordinator_take_effect(host->coordinator, &effect)) {
        if (effect.kind == COORDINATOR_APPEND) {
            append(host, effect.batch);
        } else if (effect.response != NULL) {
            CHECK(effect.token >= 1 && effect.token <= host->token_count);
            CHECK(host->responses[effect.token - 1] == NULL); /* nobody is answered twice */
            host->responses[effect.token - 1] = effect.response;
        }
    }
}

static void tell(struct shard_host *host, bool before, const struct message *request,
                 const struct message *response)
{
    if (before) host->append_failed = false;
    if (host->step != NULL) {
        host->step(host->step_self, host, before, request, response);
    } else if (before) {
        host_watch_before(&host->watch, host->coordinator);
    } else if (!host->append_failed) {
        host_watch_after(&host->watch, host->coordinator, request, response);
    }
}

void shard_host_set_topic(struct shard_host *host, const char *name, int32_t partitions,
                          const char *id)
{
    name_id topic = shard_host_name(host, name);
    int32_t at = 0;
    while (at < host->topic_count && host->topics[at].name != topic)
        at++;
    if (at == host->topic_count) {
        CHECK(at < (int32_t)ARRAY_LEN(host->topics));
        host->topic_count++;
    }
    host->topics[at] =
        (struct coordinator_topic){.name = topic,
                                   .partitions = partitions,
                                   .id = id == NULL ? NAME_NONE : shard_host_name(host, id)};
    if (partitions == 0) host->topics[at] = host->topics[--host->topic_count];
    tell(host, true, NULL, NULL);
    coordinator_set_topics(host->coordinator, host->topics, host->topic_count, host->now);
    carry_out(host);
    tell(host, false, NULL, NULL);
}

uint64_t shard_host_send(struct shard_host *host, struct message *request)
{
    if (host->token_count == host->token_capacity) {
        uint64_t capacity = host->token_capacity == 0 ? 64 : host->token_capacity * 2;
        host->responses =
            memory_resize(host->memory, host->responses, sizeof(void *) * host->token_capacity,
                          sizeof(void *) * capacity);
        host->token_capacity = capacity;
    }
    host->responses[host->token_count] = NULL;
    uint64_t token = ++host->token_count;
    tell(host, true, request, NULL);
    coordinator_handle(host->coordinator, request, token, host->now);
    carry_out(host);
    tell(host, false, request, host->responses[token - 1]);
    message_free(host->memory, request);
    return token;
}

const struct message *shard_host_response(const struct shard_host *host, uint64_t token)
{
    CHECK(token >= 1 && token <= host->token_count);
    return host->responses[token - 1];
}

static void replicate(struct shard_host *host)
{
    uint32_t done = 0;
    while (done < host->append_count && host->appends[done].at <= host->now)
        host->high_watermark = host->appends[done++].end_offset;
    memmove(host->appends, host->appends + done,
            sizeof *host->appends * (host->append_count - done));
    host->append_count -= done;
    tell(host, true, NULL, NULL);
    coordinator_on_high_watermark(host->coordinator, host->high_watermark, host->now);
    carry_out(host);
    tell(host, false, NULL, NULL);
}

void shard_host_advance(struct shard_host *host, sim_time until)
{
    for (;;) {
        sim_time timer_at = coordinator_next_timer_at(host->coordinator);
        sim_time append_at = host->append_count > 0 ? host->appends[0].at : SIM_TIME_NEVER;
        sim_time next = append_at <= timer_at ? append_at : timer_at;
        if (next > until) break;
        if (next > host->now) host->now = next;
        if (append_at <= timer_at) {
            replicate(host);
            continue;
        }
        tell(host, true, NULL, NULL);
        coordinator_run_timers(host->coordinator, host->now);
        carry_out(host);
        tell(host, false, NULL, NULL);
    }
    if (until > host->now) host->now = until;
}

static void lose_unreplicated(struct shard_host *host)
{
    while (host->batch_count > 0 &&
           host->base_offsets[host->batch_count - 1] >= host->high_watermark) {
        host->batch_count--;
        group_log_batch_release(host->log[host->batch_count]);
        host->log_end_offset = host->base_offsets[host->batch_count];
    }
}

void shard_host_fail_over(struct shard_host *host, bool lose_tail)
{
    coordinator_unload(host->coordinator, host->now);
    carry_out(host);
    coordinator_free(host->coordinator);
    if (lose_tail) lose_unreplicated(host);
    host->append_count = 0;
    host->high_watermark = host->log_end_offset;
    host->coordinator = new_coordinator(host);
    load(host, host->coordinator, ++host->leader_epoch);
    carry_out(host);
    host_watch_loaded(&host->watch, host->coordinator);
}

struct coordinator *shard_host_rebuild(struct shard_host *host)
{
    struct coordinator *coordinator = new_coordinator(host);
    load(host, coordinator, host->leader_epoch);
    return coordinator;
}
