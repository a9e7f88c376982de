#include "sim/connection.h"

#define FIRST_CAPACITY 16u

static uint32_t slot_of(const struct network *network, process_id from, process_id to)
{
    uint64_t pair = (uint64_t)from << 32 | to;
    uint32_t mask = network->link_slots - 1;
    uint32_t slot = (uint32_t)(pair * XXH_WORD_1 >> 32) & mask;
    for (;; slot = (slot + 1) & mask) {
        const struct link *link = &network->link[network->link_slot[slot]];
        if (network->link_slot[slot] == 0 || (link->from == from && link->to == to)) return slot;
    }
}

uint32_t link_find(const struct network *network, process_id from, process_id to)
{
    if (network->link_count == 0) return 0;
    return network->link_slot[slot_of(network, from, to)];
}

/* Twice as many slots as links, so that a search ends soon. */
static void grow_links(struct network *network)
{
    struct memory *memory = network->sim->memory;
    uint32_t capacity = network->link_capacity == 0 ? FIRST_CAPACITY : 2 * network->link_capacity;
    network->link =
        memory_resize(memory, network->link, network->link_capacity * sizeof *network->link,
                      capacity * sizeof *network->link);
    memory_give(memory, network->link_slot, network->link_slots * sizeof *network->link_slot);
    network->link_capacity = capacity;
    network->link_slots = 2 * capacity;
    network->link_slot = memory_take(memory, network->link_slots * sizeof *network->link_slot);
    if (network->link_count == 0) network->link_count = 1; /* 0 is none */
    for (uint32_t link = 1; link < network->link_count; link++) {
        uint32_t slot = slot_of(network, network->link[link].from, network->link[link].to);
        network->link_slot[slot] = link;
    }
}

static void attach(struct network *network, struct connection *connection, unsigned side,
                   const void *argument)
{
    const struct link *link = argument;
    for (int turn = 0; turn < 2; turn++, side = 1 - side) {
        struct end *end = &connection->end[side];
        if (end_process(network, end) == link->from &&
            end_process(network, &connection->end[1 - side]) == link->to) {
            end->link = (uint32_t)(link - network->link) & LINK_MASK;
        }
    }
}

/* Of two processes the one with fewer connections: a client has a handful, a broker thousands. */
static process_id fewer_connections(const struct network *network, process_id a, process_id b)
{
    const struct process *process = network->sim->process;
    return process[a].connection_count <= process[b].connection_count ? a : b;
}

static uint32_t link_make(struct network *network, process_id from, process_id to)
{
    uint32_t found = link_find(network, from, to);
    if (found != 0) return found;
    if (network->link_count == network->link_capacity) grow_links(network);
    uint32_t slot = slot_of(network, from, to);
    uint32_t link = network->link_count++;
    CHECK(link <= LINK_MASK);
    network->link_slot[slot] = link;
    network->link[link] = (struct link){.from = from, .to = to};
    connection_visit(network, fewer_connections(network, from, to), attach, &network->link[link]);
    return link;
}

static network_fault_id fault_new(struct network *network)
{
    network_fault_id id = network->free_fault;
    if (id != 0) {
        network->free_fault = network->fault[id].next;
        return id;
    }
    if (network->fault_count == network->fault_capacity) {
        uint32_t capacity =
            network->fault_capacity == 0 ? FIRST_CAPACITY : 2 * network->fault_capacity;
        network->fault = memory_resize(network->sim->memory, network->fault,
                                       network->fault_capacity * sizeof *network->fault,
                                       capacity * sizeof *network->fault);
        network->fault_capacity = capacity;
        if (network->fault_count == 0) network->fault_count = 1; /* 0 is none */
    }
    return network->fault_count++;
}

network_fault_id network_fault_add(struct network *network, process_id from, process_id to,
                                   const struct network_fault *fault)
{
    const struct sim *sim = network->sim;
    CHECK(from < sim->process_count && to < sim->process_count && from != to);
    CHECK(fault->loss_ppm <= 1000000);
    uint32_t link = link_make(network, from, to);
    network_fault_id id = fault_new(network);
    struct fault *added = &network->fault[id];
    *added = (struct fault){
        .began_at = sim->now,
        .has_latency = fault->extra_latency_ns != NULL,
        .is_used = true,
        .is_cut = fault->cut,
        .loss_ppm = fault->loss_ppm,
        .link = link,
        .next = network->link[link].first_fault,
    };
    if (added->has_latency) {
        added->extra_latency = *fault->extra_latency_ns;
        distribution_prepare(&added->extra_latency);
    }
    network->link[link].first_fault = id;
    if (fault->cut) network->link[link].cuts++;
    return id;
}

static void resume(struct network *network, struct connection *connection, unsigned side,
                   const void *argument)
{
    const uint32_t *link = argument;
    for (int turn = 0; turn < 2; turn++, side = 1 - side) {
        if (connection->end[side].link == *link) transmission_resume(network, connection, side);
    }
}

void network_fault_remove(struct network *network, network_fault_id id)
{
    CHECK(id != 0 && id < network->fault_count && network->fault[id].is_used);
    struct fault *removed = &network->fault[id];
    uint32_t number = removed->link;
    struct link *link = &network->link[number];
    network_fault_id *place = &link->first_fault;
    while (*place != id)
        place = &network->fault[*place].next;
    *place = removed->next;
    removed->is_used = false;
    removed->next = network->free_fault;
    network->free_fault = id;
    if (removed->is_cut && --link->cuts == 0) {
        connection_visit(network, fewer_connections(network, link->from, link->to), resume,
                         &number);
    }
}

/* Both ends hear of it at once, as if somebody between them had sent a reset to each. */
static void reset_one(struct network *network, struct connection *connection, unsigned side,
                      const void *argument)
{
    const process_id *peer = argument;
    if (end_process(network, &connection->end[1 - side]) != *peer || connection->is_reset) return;
    connection->is_reset = true;
    if (!connection->is_accepted) connection->end[SERVER].is_closed = true;
    for (unsigned end = CLIENT; end <= SERVER; end++) {
        transmission_forget(network, connection, end);
        if (!connection->end[end].is_closed) {
            transmission_reset(network, connection, 1 - end, false);
        }
    }
}

void network_reset(struct network *network, process_id a, process_id b)
{
    process_id walked = fewer_connections(network, a, b);
    process_id peer = walked == a ? b : a;
    connection_visit(network, walked, reset_one, &peer);
}
