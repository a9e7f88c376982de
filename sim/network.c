#include "sim/network.h"

#include "sim/connection.h"

#include <assert.h>

static_assert(sizeof(struct connection) == CONNECTION_BYTES, "a connection fills one cache line");

#define FIRST_CAPACITY  64u
#define DEFAULT_LATENCY MICROSECONDS(500)

/* Ends in a process's list are named connection index * 2 + side. */
static connection_id end_name(const struct network *network, const struct connection *connection,
                              unsigned side)
{
    return (connection_id)(connection - network->connection) * 2 + side;
}

static struct end_rest *end_by_name(const struct network *network, connection_id name)
{
    return &network->rest[name / 2].end[name & 1];
}

static void list_add(struct network *network, const struct connection *connection, unsigned side)
{
    struct end_rest *end = end_rest(network, connection, side);
    struct process *process = &network->sim->process[end_process(network, &connection->end[side])];
    connection_id name = end_name(network, connection, side);
    end->prev = 0;
    end->next = process->first_connection;
    if (end->next != 0) end_by_name(network, end->next)->prev = name;
    process->first_connection = name;
    process->connection_count++;
}

static void list_remove(struct network *network, const struct connection *connection, unsigned side)
{
    const struct end_rest *end = end_rest(network, connection, side);
    struct process *process = &network->sim->process[end_process(network, &connection->end[side])];
    if (end->prev == 0) {
        process->first_connection = end->next;
    } else {
        end_by_name(network, end->prev)->next = end->next;
    }
    if (end->next != 0) end_by_name(network, end->next)->prev = end->prev;
    process->connection_count--;
}

void connection_visit(struct network *network, process_id process, end_visitor *visit,
                      const void *argument)
{
    connection_id name = network->sim->process[process].first_connection;
    while (name != 0) {
        connection_id next = end_by_name(network, name)->next;
        visit(network, &network->connection[name / 2], name & 1, argument);
        name = next;
    }
}

connection_id connection_name(const struct network *network, const struct connection *connection)
{
    connection_id index = (connection_id)(connection - network->connection);
    return (connection->generation & GENERATION_MASK) << CONNECTION_INDEX_BITS | index;
}

struct connection *connection_find(const struct network *network, connection_id id)
{
    connection_id index = id & CONNECTION_INDEX_MASK;
    if (index == 0 || index >= network->count) return NULL;
    struct connection *connection = &network->connection[index];
    if (!connection->is_used || connection_name(network, connection) != id) return NULL;
    return connection;
}

static void grow(struct network *network)
{
    struct memory *memory = network->sim->memory;
    size_t size = network->capacity * sizeof *network->connection;
    network->connection = memory_resize(memory, network->connection, size, 2 * size);
    size = network->capacity * sizeof *network->rest;
    network->rest = memory_resize(memory, network->rest, size, 2 * size);
    network->capacity *= 2;
    network->sim->queue.connections = network->connection;
}

static struct connection *connection_new(struct network *network)
{
    connection_id index = network->free;
    if (index != 0) {
        network->free = network->rest[index].next_free;
    } else {
        if (network->count == network->capacity) {
            grow(network);
        }
        index = network->count++;
        CHECK(index <= CONNECTION_INDEX_MASK);
    }
    struct connection *connection = &network->connection[index];
    *connection = (struct connection){.generation = connection->generation, .is_used = true};
    network->rest[index] = (struct connection_rest){.next_free = 0};
    return connection;
}

static void free_doomed(struct network *network)
{
    struct connection *connection = connection_find(network, network->doomed);
    network->doomed = CONNECTION_NONE;
    if (connection == NULL) return;
    connection_id index = (connection_id)(connection - network->connection);
    connection->is_used = false;
    connection->generation++;
    network->rest[index].next_free = network->free;
    network->free = index;
}

/* Out of the lists at once; the record goes when the next one is doomed, so that the handler of the
 * last event can still ask who the peer was. */
void connection_free_if_closed(struct network *network, struct connection *connection)
{
    if (!connection->end[CLIENT].is_closed || !connection->end[SERVER].is_closed) return;
    for (unsigned side = CLIENT; side <= SERVER; side++) {
        transmission_forget(network, connection, side);
        list_remove(network, connection, side);
    }
    free_doomed(network);
    network->doomed = connection_name(network, connection);
}

static unsigned side_of(const struct connection *connection, entity_id entity)
{
    if (connection->end[CLIENT].entity == entity) return CLIENT;
    CHECK(connection->end[SERVER].entity == entity);
    return SERVER;
}

/* The host has the bytes of a connection attempt. Its kernel completes the handshake by itself, be
 * the process frozen or not. True: tell the server. */
static bool accept_connection(struct network *network, struct connection *connection)
{
    const struct end *server = &connection->end[SERVER];
    if (network->sim->process[end_process(network, server)].state == PROCESS_DEAD) {
        transmission_send(network, connection, SERVER, WIRE_REFUSED, NULL, 0);
        connection->end[SERVER].is_closed = true;
        connection_free_if_closed(network, connection);
        return false;
    }
    connection->is_accepted = true;
    transmission_send(network, connection, SERVER, WIRE_OPENED, NULL, 0);
    return true;
}

/* Bytes for an end that is closed. If its host died with the connection and is up again, its kernel
 * answers with a reset: that is how the survivor learns of it. */
static void arrive_at_closed(struct network *network, struct connection *connection, unsigned from,
                             const struct event *event)
{
    transmission_release(network, event->pointer);
    if (connection->end[1 - from].is_silent && !connection->end[from].is_closed) {
        transmission_reset(network, connection, 1 - from, true);
    }
}

static bool network_arrive(struct network *network, struct event *event)
{
    if (event->kind < WIRE_CONNECT) return true; /* arrived before, read after a thaw */
    uint32_t ordinal = (uint32_t)(event->number >> ORDINAL_SHIFT);
    connection_id id = (connection_id)event->number;
    struct connection *connection = connection_find(network, id);
    if (connection == NULL || id == network->doomed ||
        (connection->is_reset && event->kind != WIRE_RESET)) {
        transmission_release(network, event->pointer);
        return false;
    }
    unsigned from = side_of(connection, event->from);
    if (!transmission_arrives(network, connection, from, event->kind, ordinal, event->pointer)) {
        return false;
    }
    if (connection->end[1 - from].is_closed) {
        arrive_at_closed(network, connection, from, event);
        return false;
    }
    event->number = id;
    switch ((enum wire_kind)event->kind) {
    case WIRE_CONNECT:
        event->kind = NETWORK_ACCEPTED;
        return accept_connection(network, connection);
    case WIRE_OPENED: event->kind = NETWORK_OPENED; return true;
    case WIRE_REFUSED: event->kind = NETWORK_REFUSED; return true;
    case WIRE_MESSAGE: event->kind = NETWORK_MESSAGE; return true;
    case WIRE_CLOSE: /* and */
    case WIRE_RESET: event->kind = NETWORK_CLOSED; return true;
    }
    CHECK(false && "only the kinds above travel");
    return false;
}

static void network_drop(struct network *network, struct event *event)
{
    transmission_release(network, event->pointer);
}

static bool network_deliver(struct network *network, struct event *event)
{
    connection_id id = (connection_id)event->number;
    struct connection *connection = connection_find(network, id);
    unsigned side = connection == NULL ? CLIENT : side_of(connection, event->to);
    if (connection == NULL || connection->end[side].is_closed ||
        (connection->is_reset && event->kind == NETWORK_MESSAGE)) {
        network_drop(network, event);
        return false;
    }
    if (event->kind == NETWORK_OPENED) connection->is_opened = true;
    if (event->kind == NETWORK_CLOSED || event->kind == NETWORK_REFUSED) {
        connection->end[side].is_closed = true;
        connection_free_if_closed(network, connection);
    }
    return true;
}

/* Closes one end on behalf of its owner or of the kernel of a dead owner. */
static void close_end(struct network *network, struct connection *connection, unsigned side)
{
    struct end *end = &connection->end[side];
    const struct end *other = &connection->end[1 - side];
    end->is_closed = true;
    if (side == CLIENT && !connection->is_accepted) {
        connection->end[SERVER].is_closed = true; /* it never heard of this connection */
    } else if (!other->is_closed && !connection->is_reset) {
        transmission_send(network, connection, side, WIRE_CLOSE, NULL, 0);
    }
    connection_free_if_closed(network, connection);
}

static void end_died(struct network *network, struct connection *connection, unsigned side,
                     const void *argument)
{
    const bool *with_host = argument;
    struct end *end = &connection->end[side];
    if (end->is_closed || (side == SERVER && !connection->is_accepted)) return;
    if (!*with_host) {
        close_end(network, connection, side);
        return;
    }
    end->is_closed = true;
    end->is_silent = true;
    transmission_forget(network, connection, side); /* was in the memory of the dead host */
    connection_free_if_closed(network, connection);
}

static void process_died(struct network *network, process_id process, bool with_host)
{
    connection_visit(network, process, end_died, &with_host);
}

static void resume_towards(struct network *network, struct connection *connection, unsigned side,
                           const void *argument)
{
    (void)argument;
    transmission_resume(network, connection, 1 - side);
}

static void host_started(struct network *network, process_id process)
{
    connection_visit(network, process, resume_towards, NULL);
}

struct network *network_new(struct sim *sim, network_release *release, void *context)
{
    CHECK(sim->network.network == NULL);
    struct network *network = memory_keep(sim->memory, sizeof *network);
    network->sim = sim;
    network->release = release;
    network->context = context;
    network->capacity = FIRST_CAPACITY;
    network->connection = memory_take(sim->memory, network->capacity * sizeof *network->connection);
    network->rest = memory_take(sim->memory, network->capacity * sizeof *network->rest);
    sim->queue.connections = network->connection;
    network->count = 1;
    network->latency = (struct distribution){.kind = DISTRIBUTION_CONSTANT, .a = DEFAULT_LATENCY};
    sim->network = (struct network_hooks){
        .network = network,
        .arrive = network_arrive,
        .deliver = network_deliver,
        .drop = network_drop,
        .process_died = process_died,
        .host_started = host_started,
    };
    return network;
}

void network_set_latency(struct network *network, const struct distribution *latency_ns)
{
    network->latency = *latency_ns;
    distribution_prepare(&network->latency);
}

void network_set_bandwidth(struct network *network, int64_t bytes_per_second)
{
    CHECK(bytes_per_second >= 0);
    network->bandwidth = bytes_per_second;
}

connection_id network_connect(struct network *network, entity_id client, entity_id server)
{
    const struct sim *sim = network->sim;
    CHECK(client != server && client < sim->entity_count && server < sim->entity_count);
    CHECK(sim->entity[client].state != PROCESS_DEAD);
    struct connection *connection = connection_new(network);
    connection->connected_at = sim->now;
    const entity_id entity[] = {[CLIENT] = client, [SERVER] = server};
    for (unsigned side = CLIENT; side <= SERVER; side++) {
        process_id here = sim->entity[entity[side]].process;
        process_id there = sim->entity[entity[1 - side]].process;
        connection->end[side].entity = entity[side];
        connection->end[side].link = link_find(network, here, there) & LINK_MASK;
        end_rest(network, connection, side)->lost_at = SIM_TIME_NEVER;
        list_add(network, connection, side);
    }
    transmission_send(network, connection, CLIENT, WIRE_CONNECT, NULL, 0);
    return connection_name(network, connection);
}

void network_send(struct network *network, connection_id id, entity_id from, void *message,
                  int64_t size_bytes)
{
    struct connection *connection = connection_find(network, id);
    unsigned side = connection == NULL ? CLIENT : side_of(connection, from);
    if (connection == NULL || connection->is_reset || connection->end[side].is_closed) {
        transmission_release(network, message);
        return;
    }
    transmission_send(network, connection, side, WIRE_MESSAGE, message, size_bytes);
}

void network_close(struct network *network, connection_id id, entity_id from)
{
    struct connection *connection = connection_find(network, id);
    if (connection == NULL) return;
    unsigned side = side_of(connection, from);
    if (!connection->end[side].is_closed) close_end(network, connection, side);
}

bool network_is_open(const struct network *network, connection_id id)
{
    const struct connection *connection = connection_find(network, id);
    if (connection == NULL || !connection->is_opened) return false;
    return !connection->end[CLIENT].is_closed || !connection->end[SERVER].is_closed;
}

bool network_end_is_open(const struct network *network, connection_id id, entity_id of)
{
    const struct connection *connection = connection_find(network, id);
    if (connection == NULL || !connection->is_accepted) return false;
    unsigned side = side_of(connection, of);
    return !connection->end[side].is_closed && (side == SERVER || connection->is_opened);
}

bool network_is_stuck(const struct network *network, connection_id id, entity_id of)
{
    const struct connection *connection = connection_find(network, id);
    if (connection == NULL) return false;
    return end_rest(network, connection, side_of(connection, of))->lost_at != SIM_TIME_NEVER;
}

entity_id network_peer(const struct network *network, connection_id id, entity_id of)
{
    const struct connection *connection = connection_find(network, id);
    if (connection == NULL) return ENTITY_NONE;
    return connection->end[1 - side_of(connection, of)].entity;
}
