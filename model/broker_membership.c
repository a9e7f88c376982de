#include "model/broker_internal.h"

#include "sim/check.h"

/* A broker and the controller: registration, heartbeats, changes of ISRs, and the metadata updates
 * that come back on the same connection (BrokerLifecycleManager, AlterPartitionManager). */

#define SMALL_REQUEST_BYTES 100
#define ALTER_ENTRY_BYTES   40

static sim_time controller_timeout_ns(const struct broker *broker)
{
    return MILLISECONDS(broker->cluster->config->broker_session_timeout_ms) / 2;
}

static void send(struct broker *broker, struct message *request, int64_t size_bytes)
{
    broker_link_send(&broker->controller_link, request, size_bytes, controller_timeout_ns(broker));
}

static void send_registration(struct broker *broker)
{
    struct broker_registration_request *request =
        MESSAGE_NEW(broker->memory, API_BROKER_REGISTRATION, struct broker_registration_request);
    request->broker = broker->id;
    request->incarnation = broker->incarnation;
    request->metadata_version = broker->version;
    send(broker, &request->head, SMALL_REQUEST_BYTES);
}

static void send_heartbeat(struct broker *broker)
{
    struct broker_heartbeat_request *request =
        MESSAGE_NEW(broker->memory, API_BROKER_HEARTBEAT, struct broker_heartbeat_request);
    request->broker = broker->id;
    request->incarnation = broker->incarnation;
    request->metadata_version = broker->version;
    request->want_shut_down = broker->shutting_down;
    broker->heartbeat_due = false;
    send(broker, &request->head, SMALL_REQUEST_BYTES);
}

static void send_alterations(struct broker *broker)
{
    uint32_t count = broker->altering.count;
    struct alter_partition_request *request =
        MESSAGE_NEW(broker->memory, API_ALTER_PARTITION, struct alter_partition_request);
    request->broker = broker->id;
    request->partitions =
        MESSAGE_ARRAY(broker->memory, &request->head, struct alter_partition_entry, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct replica *replica = broker->altering.items[i];
        if (!replica->is_leader || !replica->altering) continue;
        request->partitions[request->partition_count++] =
            (struct alter_partition_entry){replica->partition->id, replica->partition->topic_id,
                                           replica->leader_epoch, replica->partition_epoch,
                                           replica->wanted_isr};
    }
    broker->altering.count = 0;
    if (request->partition_count == 0) {
        message_free(broker->memory, &request->head);
        return;
    }
    send(broker, &request->head,
         SMALL_REQUEST_BYTES + (int64_t)request->partition_count * ALTER_ENTRY_BYTES);
}

void membership_flush(struct broker *broker)
{
    const struct broker_link *link = &broker->controller_link;
    if (!broker->running || link->awaiting || link->request != NULL) return;
    if (!broker->registered) {
        if (broker->heartbeat_due) {
            broker->heartbeat_due = false;
            send_registration(broker);
        }
    } else if (broker->altering.count > 0) {
        send_alterations(broker);
    } else if (broker->heartbeat_due) {
        send_heartbeat(broker);
    }
}

void membership_heartbeat(struct broker *broker)
{
    broker->heartbeat_due = true;
    sim_timer_set(broker->sim, &broker->heartbeat,
                  sim_now(broker->sim) +
                      MILLISECONDS(broker->cluster->config->broker_heartbeat_interval_ms));
    membership_flush(broker);
}

/* ISR changes that were not taken over may be asked for again. */
static void alteration_failed(struct broker *broker, const struct replica *only)
{
    for (uint32_t i = 0; i < broker->replicas.count; i++) {
        struct replica *replica = broker->replicas.items[i];
        if (!replica->altering || (only != NULL && replica != only)) continue;
        replica->altering = false;
        replica->joining = 0;
        replica_retry_joins(broker);
    }
}

static void on_alter_response(struct broker *broker, const struct alter_partition_response *r)
{
    for (int32_t i = 0; i < r->refused_count; i++) {
        const struct partition *partition = cluster_partition(broker->cluster, r->refused[i]);
        if (partition == NULL) continue; /* deleted meanwhile */
        const struct replica *replica = cluster_replica(broker->cluster, partition, broker->id);
        if (replica != NULL) alteration_failed(broker, replica);
    }
}

static void on_response(struct broker_link *link, struct message *message)
{
    struct broker *broker = link->broker;
    if (message == NULL) {
        alteration_failed(broker, NULL);
        broker->heartbeat_due = true; /* tell the controller as soon as it can be reached */
        return;
    }
    const void *body = message;
    if (message->api == API_METADATA_UPDATE) {
        const struct metadata_update *update = body;
        if (broker->has_learned) broker_apply_metadata(broker, update->to_version);
    } else if (message->api == API_BROKER_REGISTRATION) {
        const struct broker_registration_response *response = body;
        broker->registered = response->accepted;
        if (response->accepted) {
            broker->heartbeat_due = true;
            if (!broker->has_learned) broker_learn_everything(broker);
        }
    } else if (message->api == API_BROKER_HEARTBEAT) {
        const struct broker_heartbeat_response *response = body;
        if (!response->registered) {
            broker->registered = false;
            broker->heartbeat_due = true;
        }
        if (response->should_shut_down && broker->shutting_down) {
            message_free(broker->memory, message);
            broker_stopped(broker);
            return;
        }
    } else if (message->api == API_ALTER_PARTITION) {
        on_alter_response(broker, body);
    }
    message_free(broker->memory, message);
}

static void on_ready(struct broker_link *link)
{
    membership_flush(link->broker);
}

void membership_init(struct broker *broker)
{
    sim_timer_init(&broker->heartbeat, broker->entity, BROKER_HEARTBEAT_DUE, 0);
    broker->registered = false;
    broker->heartbeat_due = false;
    broker->has_learned = false;
}

/* Needs the controller's entity, so it comes after controller_new. */
void membership_start(struct broker *broker)
{
    struct broker_link *link = &broker->controller_link;
    broker_link_init(link, broker, controller_entity(broker->cluster->controller),
                     LINK_NUMBER_CONTROLLER);
    link->on_response = on_response;
    link->on_ready = on_ready;
    if (broker->incarnation == 1) {
        /* The run begins with a cluster that has long been up: registered, everybody knows all. */
        broker->registered = true;
        broker_learn_everything(broker);
    }
    membership_heartbeat(broker);
}
