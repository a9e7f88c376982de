#include "model/consumer/consumer.h"

#include "model/consumer/internal.h"
#include "sim/check.h"

void consumer_note(struct consumer *consumer, enum client_event event, int64_t number,
                   enum kafka_error error, const char *text)
{
    TRACE(consumer->sim, TRACE_CLIENT, consumer->group, consumer->member, event,
          consumer->classic.generation.id, consumer->classic.generation.member_id, number, error,
          text == NULL ? NAME_NONE : names_intern(consumer->names, text));
}

bool consumer_subscribes(const struct consumer *consumer)
{
    return !consumer->options.group->assign_all;
}

bool consumer_is_848(const struct consumer *consumer)
{
    return consumer_subscribes(consumer) &&
           consumer->config->group_protocol == GROUP_PROTOCOL_CONSUMER;
}

bool consumer_is_classic(const struct consumer *consumer)
{
    return consumer_subscribes(consumer) &&
           consumer->config->group_protocol == GROUP_PROTOCOL_CLASSIC;
}

sim_time consumer_backoff(struct consumer *consumer, enum backoff_subject subject, uint32_t attempt)
{
    return backoff_ns(&consumer->retry_backoff, subject, attempt, consumer->backoff_draws++);
}

void consumer_enter_client(struct consumer *consumer)
{
    network_client_set_polling(consumer->network, true);
}

void consumer_leave_client(struct consumer *consumer)
{
    network_client_set_polling(consumer->network, false);
    sim_timer_cancel(consumer->sim, &consumer->wake);
}

void consumer_wake_at(struct consumer *consumer, sim_time at)
{
    sim_timer_set(consumer->sim, &consumer->wake, at);
}

/* ---- what wakes A ---- */

void consumer_wake_application(struct consumer *consumer)
{
    if (consumer->commit_sync.is_active) {
        commit_sync_step(consumer);
    } else if (consumer->activity == ACTIVITY_POLL) {
        poll_wake(consumer);
    } else if (consumer->activity == ACTIVITY_CLOSE) {
        close_step(consumer);
    }
}

static void on_progress(void *context)
{
    struct consumer *consumer = context;
    if (consumer_is_848(consumer)) consumer_member_run(consumer);
    consumer_wake_application(consumer);
}

static void on_readable(void *context)
{
    struct consumer *consumer = context;
    if (consumer_is_classic(consumer)) heartbeat_thread_on_readable(consumer);
}

static void on_disconnected(void *context, int32_t channel)
{
    coordinator_on_disconnect(context, channel);
}

static void start_polling(struct consumer *consumer)
{
    const struct consumer_config *config = consumer->config;
    consumer_note(consumer, CLIENT_FIRST_POLL, 0, KAFKA_NONE, NULL);
    consumer->committer.auto_commit_at =
        sim_now(consumer->sim) + MILLISECONDS(config->auto_commit_interval_ms);
    client_metadata_request_update(consumer->metadata);
    output_open(consumer);
    poll_begin(consumer);
}

static void handle(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim;
    struct consumer *consumer = self;
    switch (event->kind) {
    case EVENT_WAKE:
        /* A blocked thread is inside the client, which reads its sockets before it returns. */
        network_client_poll(consumer->network);
        consumer_wake_application(consumer);
        break;
    case EVENT_STARTED: start_polling(consumer); break;
    case EVENT_RESTORED: listener_restored(consumer); break;
    case EVENT_COMMIT_AGAIN: commit_again(consumer); break;
    case EVENT_OUT_OF_MEMORY: consumer_end(consumer, CONSUMER_EXIT_OUT_OF_MEMORY); break;
    default: application_on_timer(consumer, event); break;
    }
}

/* ---- life ---- */

static void forget(struct consumer *consumer)
{
    network_client_reset(consumer->network);
    client_metadata_reset(consumer->metadata);
    pattern_reset(consumer);
    sim_timer_cancel(consumer->sim, &consumer->wake);
    sim_timer_cancel(consumer->sim, &consumer->listener.restore);
    consumer->listener.has_thrown = consumer->listener.is_pausing = false;
    classic_member_reset(consumer);
    consumer_member_reset(consumer);
    application_reset(consumer);
    committer_reset(consumer);
    coordinator_reset(consumer);
    positions_reset(consumer);
    fetcher_reset(consumer);
    consumer->poll = (struct poll){0};
    consumer->closing = (struct closing){0};
    consumer->activity = ACTIVITY_DOWN;
}

void consumer_end(struct consumer *consumer, enum consumer_exit exit)
{
    CHECK(consumer->activity != ACTIVITY_DOWN);
    application_die(consumer);
    subscription_clear(consumer, exit == CONSUMER_EXIT_CLOSED ? OWNERSHIP_CLOSED : OWNERSHIP_DIED);
    if (exit == CONSUMER_EXIT_CLOSED) consumer_note(consumer, CLIENT_CLOSED, 0, KAFKA_NONE, NULL);
    process_kill(consumer->sim, consumer->options.process);
    forget(consumer);
    if (consumer->options.on_exit != NULL) {
        consumer->options.on_exit(consumer->options.context, consumer, exit);
    }
}

void consumer_throw(struct consumer *consumer, enum kafka_error error, const char *text)
{
    if (consumer->closing.stage != CLOSE_NONE && consumer->closing.stage != CLOSE_WANTED) return;
    consumer_note(consumer, CLIENT_FATAL, 0, error, text);
    consumer->closing.stage = CLOSE_WANTED;
    consumer->closing.exit = CONSUMER_EXIT_FATAL;
    close_begin(consumer);
}

void consumer_start(struct consumer *consumer, sim_time startup_ns)
{
    CHECK(consumer->activity == ACTIVITY_DOWN);
    CHECK(process_state(consumer->sim, consumer->options.process) == PROCESS_RUNNING);
    consumer->incarnation = process_incarnation(consumer->sim, consumer->options.process);
    consumer->activity = ACTIVITY_STARTING;
    consumer_note(consumer, CLIENT_STARTED, consumer->incarnation, KAFKA_NONE, NULL);
    sim_post(consumer->sim, sim_now(consumer->sim) + startup_ns, PHASE_TIMER, consumer->thread,
             consumer->thread, EVENT_STARTED, 0, NULL);
}

void consumer_close(struct consumer *consumer)
{
    if (consumer->activity == ACTIVITY_DOWN || consumer->closing.stage != CLOSE_NONE) return;
    consumer->closing.stage = CLOSE_WANTED;
    consumer->closing.exit = CONSUMER_EXIT_CLOSED;
    if (consumer->activity == ACTIVITY_STARTING) {
        consumer_end(consumer, CONSUMER_EXIT_CLOSED);
    } else if (consumer->activity == ACTIVITY_POLL && !consumer->commit_sync.is_active) {
        close_begin(consumer); /* wakeup(): poll() throws WakeupException */
    }
}

void consumer_kill(struct consumer *consumer, bool host)
{
    if (consumer->activity == ACTIVITY_DOWN) return;
    if (host && consumer->options.host != NAME_NONE) {
        application_die(consumer);
        host_kill(consumer->sim, consumer->options.host);
    }
    consumer_end(consumer, CONSUMER_EXIT_KILLED);
}

/* ---- questions ---- */

name_id consumer_name(const struct consumer *consumer)
{
    return consumer->member;
}

process_id consumer_process(const struct consumer *consumer)
{
    return consumer->options.process;
}

bool consumer_is_up(const struct consumer *consumer)
{
    return consumer->activity != ACTIVITY_DOWN;
}

bool consumer_is_ready(const struct consumer *consumer)
{
    if (!consumer->poll.has_polled_once || consumer->closing.stage != CLOSE_NONE) return false;
    if (consumer_is_848(consumer)) return consumer->consumer_member.state == CONSUMER_STABLE;
    return !consumer_subscribes(consumer) || consumer->classic.state == MEMBER_STABLE;
}

bool consumer_is_group_leader(const struct consumer *consumer)
{
    return consumer->classic.is_leader && consumer->classic.state != MEMBER_UNJOINED;
}

name_id consumer_member_id(const struct consumer *consumer)
{
    return consumer->classic.generation.member_id;
}

int32_t consumer_generation(const struct consumer *consumer)
{
    return consumer->classic.generation.id;
}

int32_t consumer_owned_count(const struct consumer *consumer)
{
    return consumer->subscription.count;
}

int64_t consumer_position(const struct consumer *consumer, partition_id partition)
{
    const struct owned_partition *owned = owned_find(consumer, partition);
    return owned == NULL ? -1 : owned->position;
}

/* ---- construction ---- */

static void add_network(struct consumer *consumer)
{
    const struct consumer_config *config = consumer->config;
    consumer->network = network_client_new(&(struct network_client_options){
        .sim = consumer->sim,
        .network = consumer->options.network,
        .process = consumer->options.process,
        .name = names_format(consumer->names, "%s/network",
                             names_text(consumer->names, consumer->member)),
        .cluster = consumer->options.cluster,
        .reconnect_backoff_ms = config->reconnect_backoff_ms,
        .reconnect_backoff_max_ms = config->reconnect_backoff_max_ms,
        .connection_setup_timeout_ms = config->socket_connection_setup_timeout_ms,
        .connection_setup_timeout_max_ms = config->socket_connection_setup_timeout_max_ms,
        .always_polling = consumer_is_848(consumer), /* the background thread */
        .on_readable = on_readable,
        .on_progress = on_progress,
        .on_disconnected = on_disconnected,
        .context = consumer,
    });
    consumer->metadata = client_metadata_new(&(struct client_metadata_options){
        .sim = consumer->sim,
        .network = consumer->network,
        .name = consumer->member,
        .metadata_max_age_ms = config->metadata_max_age_ms,
        .retry_backoff_ms = config->retry_backoff_ms,
        .retry_backoff_max_ms = config->retry_backoff_max_ms,
        .request_timeout_ms = config->request_timeout_ms,
        .all_topics = pattern_is_used(consumer),
    });
    for (int32_t i = 0; i < consumer->topic_count; i++) {
        client_metadata_add_topic(consumer->metadata, consumer->topics[i]);
    }
}

static name_id instance_of(struct names *names, const struct consumer_options *options)
{
    const struct consumer_config *config = &options->group->config;
    if (!config->static_membership) return NAME_NONE;
    if (config->group_instance_id == NULL) return options->member;
    return names_intern(names, config->group_instance_id);
}

struct consumer *consumer_new(const struct consumer_options *options)
{
    struct memory *memory = sim_memory(options->sim);
    struct names *names = sim_names(options->sim);
    const struct scenario_group *group = options->group;
    struct consumer *consumer = memory_keep(memory, sizeof *consumer);
    consumer->options = *options;
    consumer->config = &group->config;
    consumer->sim = options->sim;
    consumer->memory = memory;
    consumer->names = names;
    consumer->group = names_intern(names, group->name);
    consumer->member = options->member;
    consumer->auto_commits = group->config.enable_auto_commit && group->commit.mode == COMMIT_AUTO;
    consumer->client_id = options->member;
    consumer->instance = instance_of(names, options);
    consumer->topic_count = group->topic_count;
    consumer->topics = memory_keep(memory, sizeof(name_id) * (size_t)group->topic_count);
    for (int32_t i = 0; i < group->topic_count; i++) {
        consumer->topics[i] = names_intern(names, group->topics[i]);
    }
    consumer->retry_backoff =
        (struct backoff){group->config.retry_backoff_ms, group->config.retry_backoff_max_ms,
                         sim_rng_key(options->sim, options->member, RNG_BACKOFF)};
    consumer->thread =
        sim_add_entity(options->sim, options->member, options->process, handle, consumer);
    sim_timer_init(&consumer->wake, consumer->thread, EVENT_WAKE, 0);
    sim_timer_init_running_time(&consumer->listener.restore, consumer->thread, EVENT_RESTORED, 0);
    add_network(consumer);
    consumer->fetcher.broker_count = cluster_broker_count(options->cluster);
    consumer->fetcher.brokers =
        memory_keep(memory, sizeof(struct broker_fetch) * (size_t)consumer->fetcher.broker_count);
    classic_member_init(consumer);
    consumer_member_init(consumer);
    application_init(consumer);
    forget(consumer);
    return consumer;
}
