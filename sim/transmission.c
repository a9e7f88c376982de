#include "sim/connection.h"
#include "sim/fixed.h"

/* Linux: TCP_TIMEOUT_INIT, TCP_RTO_MIN and TCP_RTO_MAX. Links here are far faster than the least
 * retransmission timeout, so that is what a first loss costs. */
#define TIMEOUT_CONNECT SECONDS(1)
#define TIMEOUT_LEAST   MILLISECONDS(200)
#define TIMEOUT_LARGEST SECONDS(120)

void transmission_release(struct network *network, void *message)
{
    if (message != NULL && network->release != NULL) network->release(network->context, message);
}

static sim_time first_timeout(uint16_t kind)
{
    return kind == WIRE_CONNECT || kind == WIRE_OPENED || kind == WIRE_REFUSED ? TIMEOUT_CONNECT
                                                                               : TIMEOUT_LEAST;
}

static sim_time next_timeout(sim_time timeout)
{
    return timeout > TIMEOUT_LARGEST / 2 ? TIMEOUT_LARGEST : 2 * timeout;
}

/* Names the message drawn for: the connection by the instant it was asked for, the message by its
 * ordinal, and how often this direction was sent again. */
static uint64_t draw_index(const struct network *network, const struct connection *connection,
                           unsigned side, uint32_t ordinal)
{
    uint64_t resent =
        connection->end[side].has_past ? end_rest(network, connection, side)->resent : 0;
    return (uint64_t)connection->connected_at * XXH_WORD_1 + (resent << 32) + ordinal;
}

/* Delay by the faults of the link: what they add, and a retransmission timeout for every loss. Each
 * fault has draws of its own, named by the instant it began, so that no other fault can move them.
 */
static sim_time fault_delay(const struct network *network, uint32_t link, uint16_t kind,
                            uint64_t pair_hash, uint64_t index)
{
    uint64_t seed = network->sim->options.seed;
    sim_time delay = 0;
    const struct fault *fault;
    for (network_fault_id id = network->link[link].first_fault; id != 0; id = fault->next) {
        fault = &network->fault[id];
        uint64_t entity = pair_hash + (uint64_t)fault->began_at * XXH_WORD_3;
        if (fault->has_latency) {
            struct rng_key key = rng_key(seed, entity, RNG_NETWORK_LATENCY);
            delay += distribution_draw(&fault->extra_latency, &key, index);
        }
        if (fault->loss_ppm == 0) continue;
        struct rng_key key = rng_key(seed, entity, RNG_NETWORK_LOSS);
        struct rng rng = rng_start(&key, index);
        sim_time timeout = first_timeout(kind);
        while (rng_next_below(&rng, 1000000) < fault->loss_ppm && timeout < TIMEOUT_LARGEST) {
            delay += timeout;
            timeout = next_timeout(timeout);
        }
    }
    return delay;
}

/* How long a message sent now is on its way. */
static sim_time draw_latency(const struct network *network, const struct connection *connection,
                             unsigned side, uint16_t kind, uint32_t ordinal)
{
    const struct sim *sim = network->sim;
    const struct end *from = &connection->end[side];
    bool is_constant = network->latency.kind == DISTRIBUTION_CONSTANT;
    if (is_constant && from->link == 0) return network->latency.a;

    uint64_t pair_hash = sim->entity[from->entity].name_hash * XXH_WORD_1 +
                         sim->entity[connection->end[1 - side].entity].name_hash;
    uint64_t index = draw_index(network, connection, side, ordinal);
    struct rng_key key = rng_key(sim->options.seed, pair_hash, RNG_NETWORK_LATENCY);
    sim_time latency = distribution_draw(&network->latency, &key, index);
    if (from->link != 0) latency += fault_delay(network, from->link, kind, pair_hash, index);
    return latency;
}

static void post(struct network *network, const struct connection *connection, unsigned side,
                 sim_time at, uint16_t kind, uint32_t ordinal, void *message)
{
    struct sim *sim = network->sim;
    enum sim_phase phase =
        at == sim->now && sim->phase > PHASE_MESSAGE ? sim->phase : PHASE_MESSAGE;
    uint64_t number = (uint64_t)ordinal << ORDINAL_SHIFT | connection_name(network, connection);
    sim_post(sim, at, phase, connection->end[side].entity, connection->end[1 - side].entity, kind,
             number, message);
}

/* Puts a message on the wire at `start`. */
static void transmit(struct network *network, struct connection *connection, unsigned side,
                     sim_time start, uint16_t kind, uint32_t ordinal, void *message,
                     int64_t size_bytes)
{
    struct end *from = &connection->end[side];
    if (network->bandwidth > 0 && size_bytes > 0) {
        struct end_rest *rest = end_rest(network, connection, side);
        if (start < rest->wire_free_at) start = rest->wire_free_at;
        start += (sim_time)((int128)size_bytes * SECONDS(1) / network->bandwidth);
        rest->wire_free_at = start;
    }
    sim_time at = start + draw_latency(network, connection, side, kind, ordinal);
    if (at < from->arrives_at) at = from->arrives_at;
    from->arrives_at = at;
    post(network, connection, side, at, kind, ordinal, message);
}

/* Keeps a message out of the event queue, in its place by ordinal. Its size is not kept: what is
 * sent again takes no bandwidth, for beside the timeouts that would not be seen. */
static void keep_waiting(struct network *network, struct connection *connection, unsigned side,
                         uint16_t kind, uint32_t ordinal, void *message, bool is_lost)
{
    struct end_rest *from = end_rest(network, connection, side);
    connection->end[side].has_past = true;
    if (is_lost && from->lost_at == SIM_TIME_NEVER) from->lost_at = network->sim->now;
    struct waiting *waiting = memory_take(network->sim->memory, sizeof *waiting);
    *waiting =
        (struct waiting){.message = message, .ordinal = ordinal, .kind = kind, .is_lost = is_lost};
    struct waiting **place = &from->waiting;
    while (*place != NULL && (*place)->ordinal <= ordinal)
        place = &(*place)->next;
    waiting->next = *place;
    *place = waiting;
}

static bool is_unreachable(const struct network *network, const struct connection *connection,
                           unsigned side)
{
    return end_is_cut(network, &connection->end[side]) ||
           host_of_end_is_down(network, &connection->end[1 - side]);
}

void transmission_send(struct network *network, struct connection *connection, unsigned side,
                       uint16_t kind, void *message, int64_t size_bytes)
{
    struct end *from = &connection->end[side];
    CHECK(from->sent < ORDINAL_NONE);
    uint32_t ordinal = from->sent++;
    if (end_is_cut(network, from)) {
        keep_waiting(network, connection, side, kind, ordinal, message, true);
    } else {
        transmit(network, connection, side, network->sim->now, kind, ordinal, message, size_bytes);
    }
}

void transmission_reset(struct network *network, struct connection *connection, unsigned side,
                        bool delayed)
{
    sim_time latency =
        delayed ? draw_latency(network, connection, side, WIRE_RESET, ORDINAL_NONE) : 0;
    post(network, connection, side, network->sim->now + latency, WIRE_RESET, ORDINAL_NONE, NULL);
}

bool transmission_arrives(struct network *network, struct connection *connection, unsigned side,
                          uint16_t kind, uint32_t ordinal, void *message)
{
    struct end *from = &connection->end[side];
    if (is_unreachable(network, connection, side)) {
        keep_waiting(network, connection, side, kind, ordinal, message, true);
        return false;
    }
    if (ordinal == ORDINAL_NONE) return true;
    if (ordinal != from->received) {
        keep_waiting(network, connection, side, kind, ordinal, message, false);
        return false;
    }
    from->received++;
    if (!from->has_past) return true;
    struct end_rest *rest = end_rest(network, connection, side);
    /* The next one may have come before its turn; it arrives now, and then lets its successor in.
     */
    struct waiting *next = rest->waiting;
    if (next != NULL && !next->is_lost && next->ordinal == from->received) {
        rest->waiting = next->next;
        post(network, connection, side, network->sim->now, next->kind, next->ordinal,
             next->message);
        memory_give(network->sim->memory, next, sizeof *next);
    }
    return true;
}

/* TCP's rule: the first lost message is tried again after the retransmission timeout, which doubles
 * with each failure. So after a cut has healed it takes until the next try, which may be minutes
 * away; then everything lost goes at once. */
void transmission_resume(struct network *network, struct connection *connection, unsigned side)
{
    struct end_rest *from = end_rest(network, connection, side);
    if (from->lost_at == SIM_TIME_NEVER || is_unreachable(network, connection, side)) return;
    struct waiting **place = &from->waiting;
    while (*place != NULL && !(*place)->is_lost)
        place = &(*place)->next;
    if (*place == NULL) return;

    sim_time now = network->sim->now;
    sim_time timeout = first_timeout((*place)->kind);
    sim_time start = from->lost_at + timeout;
    while (start < now) {
        timeout = next_timeout(timeout);
        start += timeout;
    }
    from->resent++;
    from->lost_at = SIM_TIME_NEVER;
    while (*place != NULL) {
        struct waiting *waiting = *place;
        if (!waiting->is_lost) {
            place = &waiting->next;
            continue;
        }
        *place = waiting->next;
        transmit(network, connection, side, start, waiting->kind, waiting->ordinal,
                 waiting->message, 0);
        memory_give(network->sim->memory, waiting, sizeof *waiting);
    }
}

void transmission_forget(struct network *network, struct connection *connection, unsigned side)
{
    struct end_rest *from = end_rest(network, connection, side);
    while (from->waiting != NULL) {
        struct waiting *waiting = from->waiting;
        from->waiting = waiting->next;
        transmission_release(network, waiting->message);
        memory_give(network->sim->memory, waiting, sizeof *waiting);
    }
    from->lost_at = SIM_TIME_NEVER;
}
