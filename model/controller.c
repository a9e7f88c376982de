#include "model/controller.h"

#include "model/cluster_internal.h"
#include "model/messages_cluster.h"
#include "sim/check.h"

#define RESPONSE_BYTES     50
#define UPDATE_ENTRY_BYTES 60

enum controller_event { CONTROLLER_SESSION = 1 /* number: broker */, CONTROLLER_REBALANCE };

struct registration {
    bool registered;
    bool shutting_down;
    uint32_t incarnation;
    connection_id connection; /* the last one it spoke on */
    uint64_t pushed;          /* version of what was sent on it */
    struct sim_timer session;
};

struct controller {
    struct cluster *cluster;
    struct sim *sim;
    process_id process;
    entity_id entity;
    struct registration *brokers;
    struct sim_timer rebalance;
};

/* ---- the metadata log -------------------------------------------------------------------- */

static void log_partition(struct controller *controller, struct partition *partition, bool unclean)
{
    const struct metadata_entry entry = {
        .kind = METADATA_PARTITION,
        .partition = partition->id,
        .topic_id = partition->topic_id,
        .leader = partition->leader,
        .leader_epoch = partition->leader_epoch,
        .partition_epoch = ++partition->partition_epoch,
        .unclean = unclean,
        .isr = partition->isr,
    };
    cluster_log_entry(controller->cluster, &entry);
}

static void log_alive(struct controller *controller)
{
    const struct metadata_entry entry = {.kind = METADATA_BROKERS,
                                         .isr = controller->cluster->alive};
    cluster_log_entry(controller->cluster, &entry);
}

static void push(struct controller *controller)
{
    struct cluster *cluster = controller->cluster;
    for (int32_t b = 0; b < cluster->broker_count; b++) {
        struct registration *broker = &controller->brokers[b];
        if (broker->connection == CONNECTION_NONE || broker->pushed == cluster->version) continue;
        struct metadata_update *update =
            MESSAGE_NEW(cluster->memory, API_METADATA_UPDATE, struct metadata_update);
        update->from_version = broker->pushed;
        update->to_version = cluster->version;
        int64_t entries = (int64_t)(cluster->version - broker->pushed);
        broker->pushed = cluster->version;
        network_send(cluster->network, broker->connection, controller->entity, &update->head,
                     RESPONSE_BYTES + entries * UPDATE_ENTRY_BYTES);
    }
}

/* ---- elections --------------------------------------------------------------------------- */

static void set_isr(struct controller *controller, struct partition *partition, uint64_t isr)
{
    uint64_t changed = partition->isr ^ isr;
    partition->isr = isr;
    for (int32_t b = 0; b < controller->cluster->broker_count; b++) {
        if ((changed & BROKER_BIT(b)) == 0) continue;
        TRACE(controller->sim, TRACE_ISR, partition_traced(partition), bit_count(isr), b,
              (isr & BROKER_BIT(b)) != 0);
    }
}

static bool may_lead(const struct controller *controller, int32_t broker, uint64_t isr)
{
    return (isr & controller->cluster->alive & BROKER_BIT(broker)) != 0 &&
           !controller->brokers[broker].shutting_down;
}

static void set_leader(struct controller *controller, struct partition *partition, int32_t leader,
                       bool unclean)
{
    partition->leader = leader;
    partition->leader_epoch++;
    if (unclean) set_isr(controller, partition, BROKER_BIT(leader));
    if (leader < 0) {
        TRACE(controller->sim, TRACE_LEADER_ELECTED, partition_traced(partition), -1,
              partition->leader_epoch, -1, false);
    }
    log_partition(controller, partition, unclean);
}

/* The leader is gone, or there was none. True if anything changed. */
static bool elect(struct controller *controller, struct partition *partition)
{
    struct cluster *cluster = controller->cluster;
    if (partition->leader >= 0 && may_lead(controller, partition->leader, partition->isr)) {
        return false;
    }
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if (!may_lead(controller, partition->brokers[i], partition->isr)) continue;
        set_leader(controller, partition, partition->brokers[i], false);
        return true;
    }
    bool unclean = cluster->topics[partition->topic].unclean_leader_election;
    for (int32_t i = 0; unclean && i < partition->replica_count; i++) {
        if (!may_lead(controller, partition->brokers[i], UINT64_MAX)) continue;
        set_leader(controller, partition, partition->brokers[i], true);
        return true;
    }
    /* A leader that is only shutting down stays until it is really gone. */
    if (partition->leader < 0 || (cluster->alive & BROKER_BIT(partition->leader)) != 0) {
        return false;
    }
    set_leader(controller, partition, -1, false);
    return true;
}

/* A broker leaves: out of every ISR it shares, and its leaderships move. */
static void move_away(struct controller *controller, int32_t broker)
{
    struct cluster *cluster = controller->cluster;
    for (int32_t t = 0; t < cluster->topic_count; t++) {
        for (int32_t p = 0; p < cluster->topics[t].partition_count; p++) {
            struct partition *partition = cluster->topics[t].partitions[p];
            uint64_t rest = partition->isr & ~BROKER_BIT(broker);
            bool shrunk = rest != 0 && rest != partition->isr;
            /* A partition whose only live member it is stays with it. */
            if (shrunk && (rest & cluster->alive) == 0) shrunk = false;
            if (shrunk) set_isr(controller, partition, rest);
            bool moved = partition->leader == broker && elect(controller, partition);
            if (shrunk && !moved) log_partition(controller, partition, false);
        }
    }
}

static void fence(struct controller *controller, int32_t broker)
{
    struct cluster *cluster = controller->cluster;
    controller->brokers[broker].registered = false;
    sim_timer_cancel(controller->sim, &controller->brokers[broker].session);
    if ((cluster->alive & BROKER_BIT(broker)) == 0) return; /* it never came so far */
    cluster->alive &= ~BROKER_BIT(broker);
    log_alive(controller);
    move_away(controller, broker);
    push(controller);
}

static void unfence(struct controller *controller, int32_t broker)
{
    struct cluster *cluster = controller->cluster;
    if ((cluster->alive & BROKER_BIT(broker)) != 0) return;
    cluster->alive |= BROKER_BIT(broker);
    log_alive(controller);
    for (int32_t t = 0; t < cluster->topic_count; t++) {
        for (int32_t p = 0; p < cluster->topics[t].partition_count; p++) {
            struct partition *partition = cluster->topics[t].partitions[p];
            if (partition->leader < 0) elect(controller, partition);
        }
    }
    push(controller);
}

static void rebalance_leaders(struct controller *controller)
{
    struct cluster *cluster = controller->cluster;
    for (int32_t t = 0; t < cluster->topic_count; t++) {
        for (int32_t p = 0; p < cluster->topics[t].partition_count; p++) {
            struct partition *partition = cluster->topics[t].partitions[p];
            int32_t preferred = partition->brokers[0];
            if (partition->leader == preferred || partition->leader < 0) continue;
            if (!may_lead(controller, preferred, partition->isr)) continue;
            set_leader(controller, partition, preferred, false);
        }
    }
    push(controller);
    sim_timer_set(controller->sim, &controller->rebalance,
                  sim_now(controller->sim) +
                      SECONDS(cluster->config->leader_imbalance_check_interval_seconds));
}

bool controller_elect(struct cluster *cluster, partition_id id, bool unclean)
{
    struct controller *controller = cluster->controller;
    struct partition *partition = cluster_partition(cluster, id);
    if (partition == NULL) return false;
    int32_t chosen = -1;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        int32_t broker = partition->brokers[i];
        bool in_sync = (partition->isr & BROKER_BIT(broker)) != 0;
        if (broker == partition->leader || (!unclean && !in_sync)) continue;
        if (!may_lead(controller, broker, UINT64_MAX)) continue;
        /* Unclean: the first outside the ISR, else the first at all. */
        if (chosen < 0 || (unclean && !in_sync)) chosen = broker;
        if (!unclean || !in_sync) break;
    }
    if (chosen < 0) return false;
    set_leader(controller, partition, chosen, unclean);
    push(controller);
    return true;
}

/* Partitions from the present count on, their leaders elected. */
static void add_partitions(struct cluster *cluster, struct topic *topic, int32_t partitions)
{
    int32_t first = topic->partition_count;
    cluster_grow_topic(cluster, topic, partitions);
    const struct metadata_entry entry = {.kind = METADATA_PARTITION_COUNT,
                                         .partition = PARTITION_ID(topic->index, first),
                                         .topic_id = topic->id,
                                         .count = partitions};
    cluster_log_entry(cluster, &entry);
    struct controller *controller = cluster->controller;
    for (int32_t p = first; p < partitions; p++) {
        struct partition *partition = topic->partitions[p];
        /* Dealt to all brokers; those that are down are not in sync. */
        uint64_t isr = partition->isr & cluster->alive;
        if (isr != 0) partition->isr = isr;
        partition->leader = -1;
        partition->leader_epoch = -1;
        if (!elect(controller, partition)) log_partition(controller, partition, false);
    }
    push(controller);
}

void cluster_add_partitions(struct cluster *cluster, int32_t index, int32_t partitions)
{
    struct topic *topic = &cluster->topics[index];
    if (topic->exists && partitions > topic->partition_count)
        add_partitions(cluster, topic, partitions);
}

static void tell_topic(struct cluster *cluster, const struct topic *topic, int32_t partitions)
{
    TRACE(cluster->sim, TRACE_TOPIC, topic->name,
          PARTITION_IN(topic->id, PARTITION_ID(topic->index, 0)), partitions, topic->exists);
}

/* ReplicationControlManager.deleteTopic: the records that make up the topic go at once; brokers
 * delete their replicas when they hear of it. */
void cluster_delete_topic(struct cluster *cluster, int32_t index)
{
    struct topic *topic = &cluster->topics[index];
    if (!topic->exists || topic->internal) return;
    int32_t partitions = topic->partition_count;
    topic->exists = false;
    topic->partition_count = 0;
    const struct metadata_entry entry = {.kind = METADATA_TOPIC_DELETED,
                                         .partition = PARTITION_ID(index, 0),
                                         .topic_id = topic->id};
    cluster_log_entry(cluster, &entry);
    tell_topic(cluster, topic, partitions);
    push(cluster->controller);
}

void cluster_create_topic(struct cluster *cluster, int32_t index, int32_t partitions)
{
    struct topic *topic = &cluster->topics[index];
    if (topic->exists) return;
    topic->exists = true;
    topic->id++;
    tell_topic(cluster, topic, partitions);
    add_partitions(cluster, topic, partitions);
}

/* ---- requests ---------------------------------------------------------------------------- */

static void respond(struct controller *controller, const struct sim_event *event,
                    struct message *response, const struct message *request)
{
    response->correlation = request->correlation;
    network_send(controller->cluster->network, (connection_id)event->number, controller->entity,
                 response, RESPONSE_BYTES);
}

static void keep_session(struct controller *controller, int32_t broker)
{
    sim_timer_set(controller->sim, &controller->brokers[broker].session,
                  sim_now(controller->sim) +
                      MILLISECONDS(controller->cluster->config->broker_session_timeout_ms));
}

static void spoke_on(struct registration *broker, connection_id connection, uint64_t version)
{
    if (broker->connection == connection) return;
    broker->connection = connection;
    broker->pushed = version;
}

static void on_registration(struct controller *controller, const struct sim_event *event,
                            const struct broker_registration_request *request)
{
    struct registration *broker = &controller->brokers[request->broker];
    /* DUPLICATE_BROKER_REGISTRATION until the session of the incarnation before has expired. */
    bool accepted = !broker->registered || broker->incarnation == request->incarnation;
    if (accepted) {
        broker->registered = true;
        broker->shutting_down = false;
        broker->incarnation = request->incarnation;
        keep_session(controller, request->broker);
        spoke_on(broker, (connection_id)event->number, request->metadata_version);
    }
    struct broker_registration_response *response =
        MESSAGE_NEW(controller->cluster->memory, API_BROKER_REGISTRATION,
                    struct broker_registration_response);
    response->accepted = accepted;
    respond(controller, event, &response->head, &request->head);
    push(controller);
}

/* Controlled shutdown: the leaderships move at the first heartbeat that asks for it. The broker may
 * exit at the next one, when the others have had time to hear of it (BrokerHeartbeatManager waits
 * for their metadata offsets); partitions that nobody else can lead do not hold it up. */
static bool shut_down(struct controller *controller, int32_t id)
{
    struct registration *broker = &controller->brokers[id];
    bool may_exit = broker->shutting_down;
    broker->shutting_down = true;
    if (may_exit) {
        fence(controller, id);
    } else {
        move_away(controller, id);
    }
    return may_exit;
}

static void on_heartbeat(struct controller *controller, const struct sim_event *event,
                         const struct broker_heartbeat_request *request)
{
    struct registration *broker = &controller->brokers[request->broker];
    struct broker_heartbeat_response *response =
        MESSAGE_NEW(controller->cluster->memory, API_BROKER_HEARTBEAT,
                    struct broker_heartbeat_response);
    response->registered = broker->registered && broker->incarnation == request->incarnation;
    if (response->registered) {
        keep_session(controller, request->broker);
        spoke_on(broker, (connection_id)event->number, request->metadata_version);
        if (request->want_shut_down) {
            response->should_shut_down = shut_down(controller, request->broker);
        } else if (request->metadata_version >= broker->pushed) {
            unfence(controller, request->broker); /* it has caught up with the metadata log */
        }
    }
    respond(controller, event, &response->head, &request->head);
    push(controller);
}

static bool alter(struct controller *controller, int32_t broker,
                  const struct alter_partition_entry *asked)
{
    const struct cluster *cluster = controller->cluster;
    struct partition *partition = cluster_partition(cluster, asked->partition);
    if (partition == NULL || partition->topic_id != asked->topic_id) return false;
    if (partition->leader != broker || partition->leader_epoch != asked->leader_epoch ||
        partition->partition_epoch != asked->partition_epoch) {
        return false; /* FENCED_LEADER_EPOCH, INVALID_UPDATE_VERSION */
    }
    uint64_t joining = asked->isr & ~partition->isr;
    for (int32_t b = 0; b < cluster->broker_count; b++) {
        if ((joining & BROKER_BIT(b)) != 0 && !may_lead(controller, b, UINT64_MAX)) {
            return false; /* INELIGIBLE_REPLICA: fenced, or shutting down */
        }
    }
    set_isr(controller, partition, asked->isr);
    log_partition(controller, partition, false);
    return true;
}

static void on_alter(struct controller *controller, const struct sim_event *event,
                     const struct alter_partition_request *request)
{
    struct memory *memory = controller->cluster->memory;
    struct alter_partition_response *response =
        MESSAGE_NEW(memory, API_ALTER_PARTITION, struct alter_partition_response);
    response->refused =
        MESSAGE_ARRAY(memory, &response->head, partition_id, request->partition_count);
    for (int32_t i = 0; i < request->partition_count; i++) {
        if (alter(controller, request->broker, &request->partitions[i])) continue;
        response->refused[response->refused_count++] = request->partitions[i].partition;
    }
    respond(controller, event, &response->head, &request->head);
    push(controller);
}

static void on_closed(struct controller *controller, connection_id connection)
{
    network_close(controller->cluster->network, connection, controller->entity);
    for (int32_t b = 0; b < controller->cluster->broker_count; b++) {
        if (controller->brokers[b].connection == connection) {
            controller->brokers[b].connection = CONNECTION_NONE;
        }
    }
}

static void on_message(struct controller *controller, const struct sim_event *event)
{
    struct message *message = event->pointer;
    const void *body = message;
    if (message->api == API_BROKER_REGISTRATION) {
        on_registration(controller, event, body);
    } else if (message->api == API_BROKER_HEARTBEAT) {
        on_heartbeat(controller, event, body);
    } else if (message->api == API_ALTER_PARTITION) {
        on_alter(controller, event, body);
    }
    message_free(controller->cluster->memory, message);
}

static void controller_handler(struct sim *sim, void *self, const struct sim_event *event)
{
    struct controller *controller = self;
    (void)sim;
    if (event->kind == NETWORK_MESSAGE) {
        on_message(controller, event);
    } else if (event->kind == NETWORK_CLOSED) {
        on_closed(controller, (connection_id)event->number);
    } else if (event->kind == CONTROLLER_SESSION) {
        fence(controller, (int32_t)event->number);
    } else if (event->kind == CONTROLLER_REBALANCE) {
        rebalance_leaders(controller);
    }
}

struct controller *controller_new(struct cluster *cluster)
{
    struct controller *controller = memory_keep(cluster->memory, sizeof *controller);
    name_id name = names_intern(sim_names(cluster->sim), "controller");
    controller->cluster = cluster;
    controller->sim = cluster->sim;
    controller->process = process_add(cluster->sim, name, name);
    controller->entity =
        sim_add_entity(cluster->sim, name, controller->process, controller_handler, controller);
    process_start(cluster->sim, controller->process);
    controller->brokers =
        memory_keep(cluster->memory, (size_t)cluster->broker_count * sizeof *controller->brokers);
    for (int32_t b = 0; b < cluster->broker_count; b++) {
        struct registration *broker = &controller->brokers[b];
        sim_timer_init(&broker->session, controller->entity, CONTROLLER_SESSION, (uint64_t)b);
        broker->registered = true;
        broker->incarnation = 1;
        keep_session(controller, b);
    }
    sim_timer_init(&controller->rebalance, controller->entity, CONTROLLER_REBALANCE, 0);
    if (cluster->config->auto_leader_rebalance_enable) {
        sim_timer_set(cluster->sim, &controller->rebalance,
                      SECONDS(cluster->config->leader_imbalance_check_interval_seconds));
    }
    return controller;
}

entity_id controller_entity(const struct controller *controller)
{
    return controller->entity;
}

process_id controller_process(const struct controller *controller)
{
    return controller->process;
}
