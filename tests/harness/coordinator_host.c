#include "tests/harness/coordinator_host.h"

#include "model/coordinator/shard.h"

#include "sim/check.h"

#include <string.h>

static name_id count_member_ids(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                                uint32_t index)
{
    struct coordinator_host *host = self;
    (void)group;
    (void)prefix;
    return names_format(host->names, "m%d%02u", (int)leader_epoch, index + 1);
}

void host_init(struct coordinator_host *host, member_id_maker *make_member_id, void *self)
{
    *host = (struct coordinator_host){.memory = memory_new()};
    host->names = names_new(host->memory);
    host_watch_init(&host->watch, host->memory, host->names);
    host->config = coordinator_config_default(host->names);
    host->coordinator = coordinator_new(&(struct coordinator_options){
        .memory = host->memory,
        .names = host->names,
        .config = &host->config,
        .make_member_id = make_member_id != NULL ? make_member_id : count_member_ids,
        .make_member_id_self = make_member_id != NULL ? self : host,
    });
}

void host_start(struct coordinator_host *host)
{
    coordinator_start_loading(host->coordinator, 0, host->now);
    coordinator_finish_loading(host->coordinator, 0, 0, host->now);
}

void host_free(struct coordinator_host *host)
{
    host_watch_free(&host->watch);
    coordinator_free(host->coordinator);
    memory_free_all(host->memory);
}

static void keep_reply(struct coordinator_host *host, uint64_t token, struct message *message)
{
    if (host->reply_count == host->reply_capacity) {
        uint32_t capacity = host->reply_capacity == 0 ? 16 : host->reply_capacity * 2;
        host->replies = memory_resize(host->memory, host->replies,
                                      sizeof(*host->replies) * host->reply_capacity,
                                      sizeof(*host->replies) * capacity);
        host->reply_capacity = capacity;
    }
    host->replies[host->reply_count++] =
        (struct host_reply){.token = token, .at = host->now, .message = message};
}

static void append(struct coordinator_host *host, struct group_log_batch *batch)
{
    if (host->append_error != KAFKA_NONE) {
        group_log_batch_release(batch);
        coordinator_appended(host->coordinator, -1, host->append_error, host->now);
        return;
    }
    if (host->batch_count == host->batch_capacity) {
        uint32_t capacity = host->batch_capacity == 0 ? 16 : host->batch_capacity * 2;
        host->log =
            memory_resize(host->memory, host->log, sizeof(*host->log) * host->batch_capacity,
                          sizeof(*host->log) * capacity);
        host->batch_capacity = capacity;
    }
    host->log[host->batch_count++] =
        (struct host_batch){.batch = batch, .base_offset = host->log_end_offset};
    host->log_end_offset += group_log_batch_offsets(batch);
    coordinator_appended(host->coordinator, host->log_end_offset, KAFKA_NONE, host->now);
    if (!host->high_watermark_held) host_set_high_watermark(host, host->log_end_offset);
}

static void look(struct coordinator_host *host, bool before, const struct message *request,
                 const struct message *response)
{
    if (host->step != NULL) {
        host->step(host->step_self, host->coordinator, before, request, response);
    } else if (before) {
        host_watch_before(&host->watch, host->coordinator);
    } else if (host->append_error == KAFKA_NONE) {
        /* A failed append takes back what the step has done. */
        host_watch_after(&host->watch, host->coordinator, request, response);
    }
}

void host_set_high_watermark(struct coordinator_host *host, int64_t offset)
{
    host->high_watermark = offset;
    /* With a synchronous log it moves within the step that appended. */
    if (host->high_watermark_held) look(host, true, NULL, NULL);
    coordinator_on_high_watermark(host->coordinator, offset, host->now);
    if (!host->high_watermark_held) return;
    host_drain(host);
    look(host, false, NULL, NULL);
}

void host_drain(struct coordinator_host *host)
{
    struct coordinator_effect effect;
    while (coordinator_take_effect(host->coordinator, &effect)) {
        if (effect.kind == COORDINATOR_APPEND) {
            append(host, effect.batch);
        } else {
            keep_reply(host, effect.token, effect.response);
        }
    }
}

void host_advance(struct coordinator_host *host, sim_time at)
{
    for (;;) {
        sim_time next_at = coordinator_next_timer_at(host->coordinator);
        if (next_at > at) break;
        if (next_at > host->now) host->now = next_at;
        look(host, true, NULL, NULL);
        while (coordinator_run_timer(host->coordinator, next_at))
            host_drain(host);
        look(host, false, NULL, NULL);
    }
    CHECK(at >= host->now);
    host->now = at;
}

void host_request(struct coordinator_host *host, sim_time at, uint64_t token,
                  struct message *request)
{
    host_advance(host, at);
    uint32_t replies_before = host->reply_count;
    look(host, true, request, NULL);
    coordinator_handle(host->coordinator, request, token, at);
    host_drain(host);
    const struct message *response = NULL;
    for (uint32_t i = replies_before; i < host->reply_count; i++) {
        if (host->replies[i].token == token) response = host->replies[i].message;
    }
    look(host, false, request, response);
    message_free(host->memory, request);
    host_advance(host, at);
}

void host_set_topics(struct coordinator_host *host, sim_time at,
                     const struct coordinator_topic *topics, int32_t count)
{
    host_advance(host, at);
    look(host, true, NULL, NULL);
    coordinator_set_topics(host->coordinator, topics, count, at);
    host_drain(host);
    look(host, false, NULL, NULL);
    host_advance(host, at);
}

bool host_take_reply(struct coordinator_host *host, struct host_reply *reply)
{
    if (host->reply_count == 0) return false;
    *reply = host->replies[0];
    host->reply_count--;
    memmove(host->replies, host->replies + 1, sizeof(*host->replies) * host->reply_count);
    return true;
}

struct message *host_reply_to(struct coordinator_host *host, uint64_t token)
{
    for (uint32_t i = 0; i < host->reply_count; i++) {
        if (host->replies[i].token != token) continue;
        struct message *message = host->replies[i].message;
        host->reply_count--;
        memmove(&host->replies[i], &host->replies[i + 1],
                sizeof(*host->replies) * (host->reply_count - i));
        return message;
    }
    return NULL;
}

static void load_log(const struct coordinator_host *host, struct coordinator *coordinator,
                     int32_t leader_epoch, sim_time now)
{
    coordinator_start_loading(coordinator, leader_epoch, now);
    for (uint32_t i = 0; i < host->batch_count; i++) {
        coordinator_load_batch(coordinator, host->log[i].batch, host->log[i].base_offset);
    }
    coordinator_finish_loading(coordinator, host->log_end_offset, host->log_end_offset, now);
}

void host_fail_over(struct coordinator_host *host, sim_time at)
{
    host_advance(host, at);
    int32_t leader_epoch = host->coordinator->leader_epoch;
    coordinator_unload(host->coordinator, at);
    host_drain(host);
    load_log(host, host->coordinator, leader_epoch + 1, at);
    host->high_watermark = host->log_end_offset;
    host_drain(host);
    host_watch_loaded(&host->watch, host->coordinator);
}

void host_lose_tail(struct coordinator_host *host)
{
    while (host->batch_count > 0) {
        struct host_batch *last = &host->log[host->batch_count - 1];
        if (last->base_offset < host->high_watermark) break;
        host->log_end_offset = last->base_offset;
        group_log_batch_release(last->batch);
        host->batch_count--;
    }
}

static bool is_last_of_key(const struct coordinator_host *host, uint32_t batch, uint32_t index)
{
    const struct group_record *record = &host->log[batch].batch->records[index];
    for (uint32_t b = batch; b < host->batch_count; b++) {
        const struct group_log_batch *later = host->log[b].batch;
        for (uint32_t i = b == batch ? index + 1 : 0; i < later->record_count; i++) {
            if (group_record_same_key(record, &later->records[i])) return false;
        }
    }
    return true;
}

static void load_compacted(const struct coordinator_host *host, struct coordinator *coordinator)
{
    coordinator_start_loading(coordinator, host->coordinator->leader_epoch, host->now);
    for (uint32_t b = 0; b < host->batch_count; b++) {
        const struct group_log_batch *batch = host->log[b].batch;
        for (uint32_t i = 0; i < batch->record_count; i++) {
            if (!is_last_of_key(host, b, i)) continue;
            struct group_log_batch one = {.producer_id = -1,
                                          .records = &batch->records[i],
                                          .record_count = 1};
            coordinator_load_batch(coordinator, &one, host->log[b].base_offset + i);
        }
    }
    coordinator_finish_loading(coordinator, host->log_end_offset, host->log_end_offset, host->now);
}

struct coordinator *host_rebuild(struct coordinator_host *host, bool compacted)
{
    host->rebuild_config = host->config;
    host->rebuild_config.group_max_size = INT32_MAX;
    struct coordinator_options options = host->coordinator->options;
    options.config = &host->rebuild_config;
    struct coordinator *coordinator = coordinator_new(&options);
    coordinator_set_topics(coordinator, host->coordinator->topics, host->coordinator->topic_count,
                           host->now);
    if (compacted) {
        load_compacted(host, coordinator);
    } else {
        load_log(host, coordinator, host->coordinator->leader_epoch, host->now);
    }
    return coordinator;
}

name_id host_name(struct coordinator_host *host, const char *text)
{
    return text == NULL ? NAME_NONE : names_intern(host->names, text);
}
