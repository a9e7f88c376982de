#include "model/admin.h"

#include "model/client/network_client.h"
#include "model/messages_group.h"
#include "model/world_internal.h"
#include "sim/check.h"

#define RETRY_BACKOFF_NS MILLISECONDS(100) /* retry.backoff.ms of the admin client */
#define ATTEMPTS_MAX     50
#define REQUEST_TIMEOUT  SECONDS(30)

/* One command on its way: find the coordinator, ask it, perhaps again. */
struct command {
    struct admin *admin;
    struct command *next_free;
    int32_t group;
    enum { COMMAND_RESET_OFFSETS, COMMAND_DELETE_GROUP, COMMAND_DELETE_OFFSETS } kind;
    int64_t offset; /* COMMAND_RESET_OFFSETS */
    int32_t topic;  /* COMMAND_DELETE_OFFSETS */
    int32_t attempts;
    uint32_t number;
};

struct admin {
    struct world *world;
    struct network_client *client;
    entity_id entity;
    struct command **commands; /* by number, from 1 */
    uint32_t command_count;
    struct command *free;
};

static void find_coordinator(struct command *command);

static name_id group_name(const struct command *command)
{
    struct world *world = command->admin->world;
    return names_intern(sim_names(world->sim), world->scenario->groups[command->group].name);
}

static void finish(struct command *command)
{
    command->next_free = command->admin->free;
    command->admin->free = command;
}

static void try_again(struct command *command)
{
    struct admin *admin = command->admin;
    if (++command->attempts >= ATTEMPTS_MAX) {
        finish(command);
        return;
    }
    struct sim *sim = admin->world->sim;
    sim_post(sim, sim_now(sim) + RETRY_BACKOFF_NS, PHASE_TIMER, admin->entity, admin->entity, 0,
             command->number, NULL);
}

static bool is_retriable(enum kafka_error error)
{
    return error == KAFKA_NOT_COORDINATOR || error == KAFKA_COORDINATOR_NOT_AVAILABLE ||
           error == KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
}

/* What the coordinator answered; of several partitions, for the first. */
static enum kafka_error answer_of(const struct command *command, const void *response)
{
    const struct delete_groups_response *deleted = response;
    const struct offset_delete_response *offsets = response;
    const struct offset_commit_response *committed = response;
    switch (command->kind) {
    case COMMAND_DELETE_GROUP: return deleted->groups[0].error;
    case COMMAND_DELETE_OFFSETS: return offsets->error;
    case COMMAND_RESET_OFFSETS: break;
    }
    return committed->offset_count == 0 ? KAFKA_NONE : committed->offsets[0].error;
}

static void on_done(void *context, const struct request_result *result)
{
    struct command *command = context;
    enum kafka_error error = KAFKA_COORDINATOR_NOT_AVAILABLE;
    if (result->outcome == REQUEST_ANSWERED) error = answer_of(command, result->response);
    if (is_retriable(error)) {
        try_again(command);
    } else {
        finish(command);
    }
}

static struct message *delete_request(struct command *command)
{
    struct memory *memory = command->admin->world->memory;
    struct delete_groups_request *request =
        MESSAGE_NEW(memory, API_DELETE_GROUPS, struct delete_groups_request);
    request->groups = MESSAGE_ARRAY(memory, &request->head, name_id, 1);
    request->groups[0] = group_name(command);
    request->group_count = 1;
    return &request->head;
}

static struct message *delete_offsets_request(struct command *command)
{
    const struct world *world = command->admin->world;
    struct memory *memory = world->memory;
    struct offset_delete_request *request =
        MESSAGE_NEW(memory, API_OFFSET_DELETE, struct offset_delete_request);
    int32_t count = cluster_partition_count(world->cluster, command->topic);
    request->group = group_name(command);
    request->partition_count = count;
    request->partitions = MESSAGE_ARRAY(memory, &request->head, struct topic_partition, count);
    for (int32_t p = 0; p < count; p++)
        request->partitions[p] =
            (struct topic_partition){cluster_topic_name(world->cluster, command->topic), p};
    return &request->head;
}

static int64_t clamped(const struct partition_offsets *offsets, int64_t wanted)
{
    if (wanted == OFFSET_TO_LATEST || wanted > offsets->high_watermark)
        return offsets->high_watermark;
    if (wanted == OFFSET_TO_EARLIEST || wanted < offsets->log_start) return offsets->log_start;
    return wanted;
}

static struct message *reset_request(struct command *command)
{
    struct world *world = command->admin->world;
    struct memory *memory = world->memory;
    const struct scenario_group *group = &world->scenario->groups[command->group];
    struct offset_commit_request *request =
        MESSAGE_NEW(memory, API_OFFSET_COMMIT, struct offset_commit_request);
    request->version = 9;
    request->group = group_name(command);
    request->member = NAME_EMPTY;
    request->generation = -1;
    request->retention_time_ms = -1;
    int32_t count = 0;
    for (int32_t i = 0; i < group->topic_count; i++) {
        name_id name = names_intern(sim_names(world->sim), group->topics[i]);
        int32_t topic = cluster_topic_find(world->cluster, name);
        count += cluster_partition_count(world->cluster, topic);
    }
    request->offsets = MESSAGE_ARRAY(memory, &request->head, struct offset_entry, count);
    for (int32_t i = 0; i < group->topic_count; i++) {
        name_id name = names_intern(sim_names(world->sim), group->topics[i]);
        int32_t topic = cluster_topic_find(world->cluster, name);
        for (int32_t p = 0; p < cluster_partition_count(world->cluster, topic); p++) {
            struct partition_offsets offsets =
                cluster_offsets(world->cluster, PARTITION_ID(topic, p));
            request->offsets[request->offset_count++] = (struct offset_entry){
                .partition = {name, p},
                .offset = clamped(&offsets, command->offset),
                .leader_epoch = -1,
                .metadata = NAME_EMPTY,
            };
        }
    }
    return &request->head;
}

static void send(struct command *command, int32_t channel, struct message *message,
                 request_handler *handler)
{
    network_client_send(command->admin->client, &(struct outgoing_request){
                                                    .channel = channel,
                                                    .message = message,
                                                    .size_bytes = 256,
                                                    .timeout_ns = REQUEST_TIMEOUT,
                                                    .handler = handler,
                                                    .context = command,
                                                });
}

static struct message *request_of(struct command *command)
{
    switch (command->kind) {
    case COMMAND_DELETE_GROUP: return delete_request(command);
    case COMMAND_DELETE_OFFSETS: return delete_offsets_request(command);
    case COMMAND_RESET_OFFSETS: break;
    }
    return reset_request(command);
}

static void on_coordinator(void *context, const struct request_result *result)
{
    struct command *command = context;
    const struct find_coordinator_response *response =
        (const struct find_coordinator_response *)result->response;
    if (result->outcome != REQUEST_ANSWERED || response->error != KAFKA_NONE) {
        try_again(command);
        return;
    }
    send(command, CHANNEL_DATA(response->node), request_of(command), on_done);
}

static void find_coordinator(struct command *command)
{
    struct admin *admin = command->admin;
    int32_t channel = network_client_least_loaded(admin->client);
    if (channel == CHANNEL_NONE) {
        try_again(command);
        return;
    }
    struct find_coordinator_request *request =
        MESSAGE_NEW(admin->world->memory, API_FIND_COORDINATOR, struct find_coordinator_request);
    request->key = group_name(command);
    send(command, channel, &request->head, on_coordinator);
}

static void on_event(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim;
    struct admin *admin = self;
    find_coordinator(admin->commands[event->number - 1]);
}

static void start(struct admin *admin, struct command wanted)
{
    struct memory *memory = admin->world->memory;
    struct command *command = admin->free;
    if (command != NULL) {
        admin->free = command->next_free;
        wanted.number = command->number;
    } else {
        command = memory_keep(memory, sizeof(*command));
        size_t size = sizeof(struct command *);
        admin->commands = memory_resize(memory, admin->commands, admin->command_count * size,
                                        (admin->command_count + 1) * size);
        admin->commands[admin->command_count] = command;
        wanted.number = ++admin->command_count;
    }
    wanted.admin = admin;
    *command = wanted;
    find_coordinator(command);
}

void admin_reset_offsets(struct admin *admin, int32_t group, int64_t offset)
{
    start(admin, (struct command){.group = group, .offset = offset});
}

void admin_delete_group(struct admin *admin, int32_t group)
{
    start(admin, (struct command){.group = group, .kind = COMMAND_DELETE_GROUP});
}

void admin_delete_offsets(struct admin *admin, int32_t group, int32_t topic)
{
    start(admin, (struct command){.group = group, .kind = COMMAND_DELETE_OFFSETS, .topic = topic});
}

struct admin *admin_new(struct world *world)
{
    struct sim *sim = world->sim;
    struct admin *admin = memory_keep(world->memory, sizeof(*admin));
    admin->world = world;
    name_id name = names_intern(sim_names(sim), "admin");
    process_id process = process_add(sim, name, name);
    process_start(sim, process);
    admin->entity = sim_add_entity(sim, name, process, on_event, admin);
    admin->client = network_client_new(&(struct network_client_options){
        .sim = sim,
        .network = world->network,
        .process = process,
        .name = name,
        .cluster = world->cluster,
        .reconnect_backoff_ms = 50,
        .reconnect_backoff_max_ms = 1000,
        .connection_setup_timeout_ms = 10000,
        .connection_setup_timeout_max_ms = 30000,
        .always_polling = true,
        .context = admin,
    });
    return admin;
}
