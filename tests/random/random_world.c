#include "tests/random/random_world.h"

#include "sim/check.h"
#include "sim/rng.h"

#include <stdbool.h>
#include <string.h>

#define FAULTS_MAX 24

/* What was drawn and later lines depend on. */
struct draft {
    uint64_t seed;
    struct text *yaml;
    int partitions;
    int members;
    bool consumer_protocol;
    bool has_output; /* group h reads what g's transactions write */
    bool is_static;
    bool is_slow; /* Kafka's default timeouts */
};

/* What a choice is about, as the key of its draw. */
static uint64_t entity_of(const char *what)
{
    uint64_t hash = 5381;
    for (const char *c = what; *c != '\0'; c++)
        hash = hash * 33 + (unsigned char)*c;
    return hash;
}

static int below(const struct draft *draft, const char *what, uint64_t index, int bound)
{
    const struct rng_key key = rng_key(draft->seed, entity_of(what), RNG_TEST);
    return (int)rng_below(&key, index, (uint64_t)bound);
}

static int between(const struct draft *draft, const char *what, uint64_t index, int low, int high)
{
    return low + below(draft, what, index, high - low + 1);
}

/* True once in `odds`. */
static bool rarely(const struct draft *draft, const char *what, uint64_t index, int odds)
{
    return below(draft, what, index, odds) == 0;
}

#define PICK(draft, what, index, list) (list)[below(draft, what, index, (int)ARRAY_LEN(list))]

static void write_cluster(struct draft *draft)
{
    static const char *const latencies[] = {"{lognormal: {median: 400us, p99: 3ms}}", "1ms",
                                            "{uniform: {low: 1ms, high: 15ms}}"};
    static const char *const disks[] = {"50us", "2ms", "{uniform: {low: 0ms, high: 20ms}}"};
    text_format(draft->yaml,
                "cluster:\n"
                "  brokers: %d\n"
                "  network: {latency: %s}\n"
                "  disk: %s\n"
                "  config:\n"
                "    min.insync.replicas: 2\n"
                "    offsets.topic.num.partitions: %d\n"
                "    group.initial.rebalance.delay.ms: %d\n"
                "    replica.lag.time.max.ms: %d\n",
                between(draft, "brokers", 0, 3, 4), PICK(draft, "latency", 0, latencies),
                PICK(draft, "disk", 0, disks), between(draft, "offsets partitions", 0, 1, 5),
                rarely(draft, "initial delay", 0, 2) ? 3000 : 0,
                rarely(draft, "replica lag", 0, 2) ? 30000 : 10000);
    if (!draft->is_slow)
        text_format(draft->yaml,
                    "    group.consumer.session.timeout.ms: %d\n"
                    "    group.consumer.heartbeat.interval.ms: 2000\n",
                    between(draft, "consumer session", 0, 6, 20) * 1000);
    text_format(
        draft->yaml,
        "topics:\n"
        "  orders: {partitions: %d, retention: forever, config: {min.insync.replicas: 2}}\n",
        draft->partitions);
    if (draft->has_output)
        text_format(draft->yaml,
                    "  invoices: {partitions: %d, retention: forever, "
                    "config: {min.insync.replicas: 2}}\n",
                    between(draft, "output partitions", 0, 1, 5));
}

static void write_producer(struct draft *draft, int rate, int stop_s)
{
    bool idempotent = !rarely(draft, "idempotence", 0, 3);
    text_format(draft->yaml,
                "producers:\n"
                "  shop:\n"
                "    {topic: orders, rate: %d/s, poisson: %s, record_size: 200B, keys: {count: "
                "%d}, stop: %ds,\n"
                "     config: {acks: all, enable.idempotence: %s, linger.ms: %d, "
                "max.in.flight.requests.per.connection: %d, request.timeout.ms: %d, "
                "delivery.timeout.ms: %d, metadata.max.age.ms: %d}}\n",
                rate, rarely(draft, "poisson", 0, 2) ? "true" : "false",
                rarely(draft, "keys", 0, 3) ? 0 : 1000, stop_s, idempotent ? "true" : "false",
                rarely(draft, "linger", 0, 2) ? 0 : 100, between(draft, "in flight", 0, 1, 5),
                rarely(draft, "request timeout", 0, 2) ? 30000 : 5000,
                rarely(draft, "delivery timeout", 0, 2) ? 120000 : 60000,
                rarely(draft, "metadata age", 0, 2) ? 300000 : 20000);
}

static void write_strategy(struct draft *draft)
{
    static const char *const strategies[] = {"range",
                                             "roundrobin",
                                             "sticky",
                                             "cooperative-sticky",
                                             "cooperative-sticky",
                                             "[range, cooperative-sticky]"};
    static const char *const assignors[] = {"none", "uniform", "range"};
    if (draft->consumer_protocol) {
        text_format(draft->yaml,
                    "      group.protocol: consumer\n"
                    "      group.remote.assignor: %s\n",
                    PICK(draft, "remote assignor", 0, assignors));
        return;
    }
    text_format(draft->yaml, "      partition.assignment.strategy: %s\n",
                PICK(draft, "strategy", 0, strategies));
    if (draft->is_slow) return;
    text_format(draft->yaml,
                "      session.timeout.ms: %d\n"
                "      heartbeat.interval.ms: 2000\n",
                between(draft, "session", 0, 6, 20) * 1000);
}

/* Modes that commit only what was processed come first and most often. */
static const char *const modes[] = {
    "{mode: auto}",
    "{mode: auto}",
    "{mode: sync}",
    "{mode: sync, on_revoke: true, on_close: true}",
    "{mode: sync, interval: 5s}",
    "{mode: async}",
    "{mode: async, on_revoke: true, on_close: true}",
    "{mode: transactional}",
    "{mode: transactional}",
    "{mode: transactional}",
    "{mode: per_record}",
    "{mode: on_revoke}",
    "{mode: external}",
    "{mode: none}",
    "{mode: sync, order: before_sink}",
};
#define MODE_PER_RECORD 10

static void write_process(struct draft *draft)
{
    static const char *const records[] = {"1ms", "2ms", "{exponential: {mean: 2ms}}", "3ms"};
    static const char *const batches[] = {"0ms", "0ms", "100ms",
                                          "{uniform: {low: 0ms, high: 500ms}}"};
    static const char *const sinks[] = {"0ms", "0ms", "20ms", "{exponential: {mean: 50ms}}"};
    text_format(draft->yaml, "    process: {per_record: %s, per_batch: %s, sink: %s, restore: %s",
                PICK(draft, "per record", 0, records), PICK(draft, "per batch", 0, batches),
                PICK(draft, "sink", 0, sinks), rarely(draft, "restore", 0, 4) ? "2s" : "0s");
    if (!draft->has_output && rarely(draft, "workers", 0, 8))
        text_format(draft->yaml, ", workers: %d, queue_limit: 500",
                    between(draft, "worker count", 0, 1, 4));
    text_append(draft->yaml, "}\n");
}

/* The records that come into being while nobody works must be worked off in the end. */
static int draw_rate(const struct draft *draft, int mode)
{
    return mode == MODE_PER_RECORD ? between(draft, "rate", 0, 1, 4)
                                   : between(draft, "rate", 0, 2, 40);
}

static void write_group(struct draft *draft, int mode)
{
    text_format(draft->yaml,
                "groups:\n"
                "  g:\n"
                "    topics: orders\n"
                "    members: %d\n"
                "    start_spread: {uniform: {low: 0s, high: %ds}}\n"
                "    config:\n"
                "      auto.offset.reset: earliest\n"
                "      max.poll.records: %d\n"
                "      isolation.level: %s\n",
                draft->members, between(draft, "start spread", 0, 0, 20),
                rarely(draft, "poll records", 0, 2) ? 500 : 50,
                rarely(draft, "isolation", 0, 2) ? "read_committed" : "read_uncommitted");
    write_strategy(draft);
    if (draft->is_static) text_append(draft->yaml, "      group.instance.id: '${POD_NAME}'\n");
    if (!draft->is_slow)
        text_format(draft->yaml,
                    "      max.poll.interval.ms: %d\n"
                    "      request.timeout.ms: %d\n"
                    "      metadata.max.age.ms: 20000\n"
                    "      auto.commit.interval.ms: %d\n",
                    between(draft, "poll interval", 0, 15, 60) * 1000,
                    rarely(draft, "client timeout", 0, 2) ? 30000 : 10000,
                    between(draft, "commit interval", 0, 1, 5) * 1000);
    write_process(draft);
    text_format(draft->yaml, "    commit: %s\n", modes[mode]);
    if (draft->has_output)
        text_format(draft->yaml,
                    "    output: {topic: invoices, config: {transaction.timeout.ms: %ds}}\n",
                    between(draft, "transaction timeout", 0, 10, 60));
    text_format(draft->yaml,
                "    deployment: {startup: %ds, termination: %ds, "
                "restart_backoff: 2s, restart_backoff_max: 10s, max_unavailable: %d}\n",
                between(draft, "startup", 0, 1, 5), between(draft, "termination", 0, 0, 5),
                between(draft, "unavailable", 0, 1, 2));
}

/* Whoever reads the output must see each record's result once. */
static void write_reader(struct draft *draft)
{
    text_format(draft->yaml,
                "  h:\n"
                "    topics: invoices\n"
                "    members: %d\n"
                "    config: {auto.offset.reset: earliest, isolation.level: read_committed, "
                "max.poll.interval.ms: 30s, session.timeout.ms: 10s}\n"
                "    commit: {mode: sync}\n",
                between(draft, "readers", 0, 1, 3));
}

/* Seconds that the number'th fault lasts. */
static int length(const struct draft *draft, uint64_t number, int low, int high)
{
    return between(draft, "length", number, low, high);
}

static const char *a_broker(const struct draft *draft, uint64_t number)
{
    static const char *const brokers[] = {"broker 0",         "broker 1",   "broker 2",
                                          "coordinator of g", "any broker", "leader of orders-0"};
    return PICK(draft, "broker", number, brokers);
}

static const char *a_side(const struct draft *draft, uint64_t number)
{
    static const char *const sides[] = {"any 1 of g",       "g",        "broker 0",
                                        "coordinator of g", "broker 1", "producer shop"};
    return PICK(draft, "side", number, sides);
}

static const char *other_side(const struct draft *draft, uint64_t number)
{
    static const char *const sides[] = {"brokers", "broker 1", "broker 2", "coordinator of g",
                                        "leader of orders-0"};
    return PICK(draft, "other side", number, sides);
}

static const char *flag(const struct draft *draft, const char *what, uint64_t number)
{
    return rarely(draft, what, number, 2) ? "true" : "false";
}

static void write_member_fault(struct draft *draft, uint64_t n)
{
    struct text *yaml = draft->yaml;
    switch (below(draft, "member fault", n, 9)) {
    case 0:
        text_format(yaml, "crash: any 1 of g, for: %ds, host: %s", length(draft, n, 1, 60),
                    flag(draft, "host", n));
        return;
    case 1: text_append(yaml, draft->members > 1 ? "crash: any 2 of g" : "crash: g"); return;
    case 2: text_format(yaml, "pause: any 1 of g, for: %ds", length(draft, n, 1, 80)); return;
    case 3: text_format(yaml, "stall: any 1 of g, for: %ds", length(draft, n, 1, 80)); return;
    case 4: text_append(yaml, "restart: any 1 of g"); return;
    case 5: text_append(yaml, "rolling_restart: g"); return;
    case 6: text_format(yaml, "scale: g, to: %d", between(draft, "scale", n, 1, 7)); return;
    case 7: text_format(yaml, "stop: any 1 of g, for: %ds", length(draft, n, 1, 60)); return;
    case 8:
        text_format(yaml, "slow: any 1 of g, factor: %d, for: %ds",
                    between(draft, "factor", n, 2, 50), length(draft, n, 1, 40));
        return;
    }
}

static void write_broker_fault(struct draft *draft, uint64_t n)
{
    struct text *yaml = draft->yaml;
    const char *broker = a_broker(draft, n);
    switch (below(draft, "broker fault", n, 8)) {
    case 0:
    case 1:
        text_format(yaml, "crash: %s, for: %ds, host: %s", broker, length(draft, n, 1, 60),
                    flag(draft, "host", n));
        return;
    case 2: text_format(yaml, "stop: %s, for: %ds", broker, length(draft, n, 1, 40)); return;
    case 3: text_format(yaml, "restart: %s", broker); return;
    case 4: text_format(yaml, "pause: %s, for: %ds", broker, length(draft, n, 1, 40)); return;
    case 5: text_format(yaml, "disk_stall: %s, for: %ds", broker, length(draft, n, 1, 20)); return;
    case 6:
        text_format(yaml, "elect: orders-%d", below(draft, "partition", n, draft->partitions));
        return;
    case 7: text_append(yaml, "elect: topic orders"); return;
    }
}

static void write_network_fault(struct draft *draft, uint64_t n)
{
    struct text *yaml = draft->yaml;
    const char *side = a_side(draft, n);
    const char *other = other_side(draft, n);
    switch (below(draft, "network fault", n, 5)) {
    case 0:
    case 1:
        text_format(yaml, "cut: %s, to: %s, one_way: %s, for: %ds", side, other,
                    flag(draft, "one way", n), length(draft, n, 1, 60));
        return;
    case 2:
        text_format(yaml, "delay: %s, to: %s, by: {uniform: {low: 10ms, high: %dms}}, for: %ds",
                    side, other, between(draft, "delay", n, 20, 4000), length(draft, n, 1, 60));
        return;
    case 3:
        text_format(yaml, "delay: %s, to: %s, loss: 1/%d, for: %ds", side, other,
                    between(draft, "loss", n, 2, 50), length(draft, n, 1, 60));
        return;
    case 4: text_format(yaml, "reset_connections: %s, to: %s", side, other); return;
    }
}

static void write_other_fault(struct draft *draft, uint64_t n)
{
    struct text *yaml = draft->yaml;
    switch (below(draft, "other fault", n, 3)) {
    case 0: text_format(yaml, "sink_outage: g, for: %ds", length(draft, n, 1, 60)); return;
    case 1:
        text_format(yaml, "burst: shop, factor: %d, for: %ds", between(draft, "factor", n, 2, 8),
                    length(draft, n, 1, 15));
        return;
    case 2:
        text_format(yaml, "hot_key: shop, key: k, share: %d%%, for: %ds",
                    between(draft, "share", n, 20, 100), length(draft, n, 5, 60));
        return;
    }
}

static void write_fault(struct draft *draft, uint64_t n, int first_s, int last_s)
{
    static const char *const states[] = {"PreparingRebalance", "CompletingRebalance", "Stable"};
    static const char *const consumer_states[] = {"Assigning", "Reconciling", "Stable"};
    static const char *const victims[] = {"any 1 of g", "coordinator of g", "g"};
    struct text *yaml = draft->yaml;
    int at_ms = between(draft, "at", n, first_s * 1000, last_s * 1000);
    if (rarely(draft, "when", n, 10)) {
        /* In the rare windows that random instants hardly ever hit. */
        text_format(yaml,
                    "  - {when: {group: g, state: %s, skip: %d}, at: %dms, crash: %s, for: %ds}\n",
                    draft->consumer_protocol ? PICK(draft, "state", n, consumer_states)
                                             : PICK(draft, "state", n, states),
                    below(draft, "skip", n, 4), at_ms, PICK(draft, "victim", n, victims),
                    length(draft, n, 1, 30));
        return;
    }
    text_format(yaml, "  - {at: %dms, ", at_ms);
    int kind = below(draft, "kind", n, 10);
    if (kind < 4) {
        write_member_fault(draft, n);
    } else if (kind < 7) {
        write_broker_fault(draft, n);
    } else if (kind < 9) {
        write_network_fault(draft, n);
    } else {
        write_other_fault(draft, n);
    }
    text_append(yaml, "}\n");
}

/* Operations that `quiet` does not undo are undone before it. */
static void write_timeline(struct draft *draft, int quiet_s)
{
    int first_s = rarely(draft, "early", 0, 3) ? 1 : 30;
    text_append(draft->yaml, "timeline:\n");
    if (draft->has_output)
        text_format(draft->yaml,
                    "  - {at: %ds, crash: any 1 of h, for: 5s}\n"
                    "  - {at: %ds, pause: any 1 of h, for: 20s}\n",
                    between(draft, "reader fault", 0, first_s, quiet_s - 10),
                    between(draft, "reader fault", 1, first_s, quiet_s - 10));
    int faults = between(draft, "faults", 0, 1, FAULTS_MAX);
    for (int n = 0; n < faults; n++)
        write_fault(draft, (uint64_t)n, first_s, quiet_s - 10);
    /* A static leader of the classic protocol that is away does not notice new partitions when it
     * comes back (classic-consumer.md, section 4). */
    if ((draft->consumer_protocol || !draft->is_static) && rarely(draft, "growth", 0, 4))
        text_format(draft->yaml, "  - {at: %ds, add_partitions: orders, to: %d}\n",
                    between(draft, "growth at", 0, first_s, quiet_s - 10),
                    draft->partitions + between(draft, "more partitions", 0, 1, 4));
    text_format(draft->yaml,
                "  - {at: %ds, scale: g, to: %d}\n"
                "  - {at: %ds, quiet: true}\n",
                quiet_s - 5, draft->members, quiet_s);
}

void random_world_write(uint64_t seed, struct text *yaml)
{
    struct draft draft = {.seed = seed, .yaml = yaml};
    draft.partitions = between(&draft, "partitions", 0, 1, 8);
    draft.members = between(&draft, "members", 0, 1, 6);
    int mode = below(&draft, "mode", 0, (int)ARRAY_LEN(modes));
    draft.consumer_protocol = rarely(&draft, "protocol", 0, 3);
    draft.has_output =
        strcmp(modes[mode], "{mode: transactional}") == 0 && !rarely(&draft, "output", 0, 3);
    draft.is_static = rarely(&draft, "static", 0, 4);
    draft.is_slow = rarely(&draft, "defaults", 0, 8);
    int quiet_s = between(&draft, "quiet", 0, 60, 300);
    /* L1 allows a poll interval and two sessions; then the backlog, and the stops of producers. */
    int rest_s = draft.is_slow ? 700 : 320;
    text_format(yaml,
                "scenario: 1\n"
                "name: random-%llu\n"
                "seed: %llu\n"
                "duration: %ds\n",
                (unsigned long long)seed, (unsigned long long)seed, quiet_s + rest_s);
    write_cluster(&draft);
    write_producer(&draft, draw_rate(&draft, mode), quiet_s + 20);
    write_group(&draft, mode);
    if (draft.has_output) write_reader(&draft);
    write_timeline(&draft, quiet_s);
}
