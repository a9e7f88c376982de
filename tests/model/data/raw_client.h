/* tests/model/data/raw_client.h: a client that sends one request at a time to a broker and keeps
 * the last response. */
#ifndef TESTS_MODEL_DATA_RAW_CLIENT_H
#define TESTS_MODEL_DATA_RAW_CLIENT_H

#include "tests/model/data/data_world.h"

struct raw_client {
    struct data_world *world;
    entity_id entity;
    process_id process;
    connection_id connection;
    bool open;
    struct message *response; /* NULL = none since the last request */
    sim_time answered_at;
    bool closed;
    /* A reader: sends the next fetch at once after each response. */
    bool reads;
    partition_id partition;
    int64_t offset;
    int32_t session_id;
    int32_t session_epoch;
    bool may_idle;
    int32_t min_bytes;
    enum isolation_level isolation;
    int64_t aborted_records;
    int64_t records;
    int32_t responses;
    sim_time data_at[2000]; /* when responses with records came */
    int64_t data_end[2000];
    int32_t data_count;
};

static inline void raw_send(struct raw_client *client, struct message *request)
{
    struct memory *memory = sim_memory(client->world->sim);
    message_free(memory, client->response);
    client->response = NULL;
    network_send(client->world->network, client->connection, client->entity, request, 100);
}

static inline void raw_fetch(struct raw_client *client)
{
    struct memory *memory = sim_memory(client->world->sim);
    struct fetch_request *request = MESSAGE_NEW(memory, API_FETCH, struct fetch_request);
    request->max_wait_ms = 500;
    request->min_bytes = client->min_bytes;
    request->max_bytes = 50 << 20;
    request->isolation = client->isolation;
    request->session_id = client->session_id;
    request->session_epoch = client->session_epoch;
    request->may_idle = client->may_idle;
    request->partitions = MESSAGE_ARRAY(memory, &request->head, struct fetch_partition, 1);
    request->partitions[0] =
        (struct fetch_partition){client->partition, 0, 1 << 20, client->offset, -1};
    request->partition_count = 1;
    raw_send(client, &request->head);
}

static inline void raw_on_fetched(struct raw_client *client)
{
    const void *body = client->response;
    const struct fetch_response *response = body;
    assert_int_equal(response->error, KAFKA_NONE);
    client->responses++;
    client->session_id = response->session_id;
    client->session_epoch++;
    int64_t before = client->offset;
    for (int32_t i = 0; i < response->slice_count; i++) {
        const struct batch_slice *slice = &response->slices[i];
        assert_true(slice->base_offset >= client->offset);
        client->offset = slice->base_offset + slice->count;
        if (slice->control) continue;
        client->records += slice->count;
        if (slice->aborted) client->aborted_records += slice->count;
    }
    if (client->offset > before && client->data_count < 2000) {
        client->data_at[client->data_count] = client->answered_at;
        client->data_end[client->data_count++] = client->offset;
    }
    raw_fetch(client);
}

static inline void raw_handler(struct sim *sim, void *self, const struct sim_event *event)
{
    struct raw_client *client = self;
    if (event->kind == NETWORK_OPENED) {
        client->open = true;
        if (client->reads) raw_fetch(client);
    } else if (event->kind == NETWORK_MESSAGE) {
        message_free(sim_memory(sim), client->response);
        client->response = event->pointer;
        client->answered_at = sim_now(sim);
        if (client->reads) raw_on_fetched(client);
    } else if (event->kind == NETWORK_CLOSED || event->kind == NETWORK_REFUSED) {
        client->closed = true;
    }
}

/* Connects at once; the connection is open a round trip later. */
static inline struct raw_client *raw_client_new(struct data_world *w, const char *name,
                                                int32_t broker)
{
    struct raw_client *client = calloc(1, sizeof *client);
    name_id id = names_intern(sim_names(w->sim), name);
    client->world = w;
    client->process = process_add(w->sim, id, id);
    client->entity = sim_add_entity(w->sim, id, client->process, raw_handler, client);
    client->min_bytes = 1;
    process_start(w->sim, client->process);
    client->connection =
        network_connect(w->network, client->entity, cluster_broker_entity(w->cluster, broker));
    return client;
}

/* Reads partition 0 of the topic from its leader, from offset 0. */
static inline struct raw_client *raw_reader_new(struct data_world *w, const char *name,
                                                bool may_idle, enum isolation_level isolation)
{
    partition_id partition = PARTITION_ID(0, 0);
    struct raw_client *client = raw_client_new(w, name, cluster_leader(w->cluster, partition));
    client->reads = true;
    client->partition = partition;
    client->may_idle = may_idle;
    client->isolation = isolation;
    return client;
}

#endif
