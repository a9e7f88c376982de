#include "tests/random/random_world.h"

#include "tests/random/random_draft.h"
#include "sim/check.h"
#include "sim/rng.h"

#include <string.h>

/* What a choice is about, as the key of its draw. */
static uint64_t entity_of(const char *what)
{
    uint64_t hash = 5381;
    for (const char *c = what; *c != '\0'; c++)
        hash = hash * 33 + (unsigned char)*c;
    return hash;
}

int draft_below(const struct draft *draft, const char *what, uint64_t index, int bound)
{
    const struct rng_key key = rng_key(draft->seed, entity_of(what), RNG_TEST);
    return (int)rng_below(&key, index, (uint64_t)bound);
}

int draft_between(const struct draft *draft, const char *what, uint64_t index, int low, int high)
{
    return low + draft_below(draft, what, index, high - low + 1);
}

bool draft_rarely(const struct draft *draft, const char *what, uint64_t index, int odds)
{
    return draft_below(draft, what, index, odds) == 0;
}

static void write_compaction(struct draft *draft)
{
    text_format(draft->yaml,
                ", cleanup.policy: %s, min.cleanable.dirty.ratio: 0.%d, delete.retention.ms: %d",
                draft->is_kept ? "compact" : "[compact, delete]",
                draft_between(draft, "dirty ratio", 0, 1, 5),
                draft_between(draft, "tombstones stay", 0, 1, 60) * 1000);
    if (draft_rarely(draft, "compaction lag", 0, 3))
        text_format(draft->yaml, ", max.compaction.lag.ms: %d",
                    draft_between(draft, "compaction lag", 1, 5, 60) * 1000);
}

static void write_orders(struct draft *draft)
{
    text_format(draft->yaml, "  orders: {partitions: %d, retention: ", draft->partitions);
    if (draft->is_kept) {
        text_append(draft->yaml, "forever");
    } else {
        text_format(draft->yaml, "%ds", draft_between(draft, "retention", 1, 10, 120));
    }
    text_format(draft->yaml, ", config: {min.insync.replicas: %d",
                draft->is_unclean && draft_rarely(draft, "in sync", 0, 2) ? 1 : 2);
    if (!draft->is_kept || draft->is_compacted)
        text_format(draft->yaml, ", segment.ms: %d",
                    draft_between(draft, "segment", 0, 1, 30) * 1000);
    if (draft->is_compacted) write_compaction(draft);
    if (draft->is_unclean) text_append(draft->yaml, ", unclean.leader.election.enable: true");
    text_append(draft->yaml, "}}\n");
}

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
                draft_between(draft, "brokers", 0, 3, 4), PICK(draft, "latency", 0, latencies),
                PICK(draft, "disk", 0, disks), draft_between(draft, "offsets partitions", 0, 1, 5),
                draft_rarely(draft, "initial delay", 0, 2) ? 3000 : 0,
                draft_rarely(draft, "replica lag", 0, 2) ? 30000 : 10000);
    if (!draft->is_slow)
        text_format(draft->yaml,
                    "    group.consumer.session.timeout.ms: %d\n"
                    "    group.consumer.heartbeat.interval.ms: 2000\n",
                    draft_between(draft, "consumer session", 0, 6, 20) * 1000);
    if (!draft->is_kept)
        text_format(draft->yaml, "    log.retention.check.interval.ms: %d\n",
                    draft_between(draft, "retention check", 0, 2, 30) * 1000);
    text_append(draft->yaml, "topics:\n");
    write_orders(draft);
    if (draft->has_pattern)
        text_format(draft->yaml,
                    "  orders-new: {partitions: %d, retention: forever, created_later: true, "
                    "config: {min.insync.replicas: 2}}\n",
                    draft_between(draft, "new partitions", 0, 1, 4));
    if (draft->has_letters) text_append(draft->yaml, "  letters: {partitions: 1}\n");
    if (draft->has_output)
        text_format(draft->yaml,
                    "  invoices: {partitions: %d, retention: forever, "
                    "config: {min.insync.replicas: 2}}\n",
                    draft_between(draft, "output partitions", 0, 1, 5));
}

/* Brokers refuse records without a key in a compacted topic. */
static void write_keys(struct draft *draft)
{
    if (draft->is_compacted) {
        text_format(draft->yaml, "{count: %d, tombstones: %d%%}",
                    draft_rarely(draft, "keys", 1, 2) ? 20 : 1000,
                    draft_between(draft, "tombstones", 0, 0, 20));
        return;
    }
    text_format(draft->yaml, "{count: %d}", draft_rarely(draft, "keys", 0, 3) ? 0 : 1000);
}

static void write_producer(struct draft *draft, int rate, int stop_s)
{
    bool one_ack = draft_rarely(draft, "acks", 0, 12);
    bool idempotent = !one_ack && !draft_rarely(draft, "idempotence", 0, 3);
    text_format(draft->yaml,
                "producers:\n"
                "  shop:\n"
                "    {topic: orders, rate: %d/s, poisson: %s, record_size: 200B, stop: %ds, keys: ",
                rate, draft_rarely(draft, "poisson", 0, 2) ? "true" : "false", stop_s);
    write_keys(draft);
    text_format(draft->yaml,
                ",\n"
                "     config: {acks: %s, enable.idempotence: %s, linger.ms: %d, "
                "max.in.flight.requests.per.connection: %d, request.timeout.ms: %d, "
                "delivery.timeout.ms: %d, metadata.max.age.ms: %d}}\n",
                one_ack ? "1" : "all", idempotent ? "true" : "false",
                draft_rarely(draft, "linger", 0, 2) ? 0 : 100,
                draft_between(draft, "in flight", 0, 1, 5),
                draft_rarely(draft, "request timeout", 0, 2) ? 30000 : 5000,
                draft_rarely(draft, "delivery timeout", 0, 2) ? 120000 : 60000,
                draft_rarely(draft, "metadata age", 0, 2) ? 300000 : 20000);
    if (draft->has_pattern)
        text_format(draft->yaml,
                    "  branch: {topic: orders-new, rate: %d/s, keys: {count: 0}, start: %ds, stop: "
                    "%ds, config: {acks: all}}\n",
                    draft_between(draft, "branch rate", 0, 1, 3),
                    draft_between(draft, "branch start", 0, 1, 30), stop_s);
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
                draft_between(draft, "session", 0, 6, 20) * 1000);
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
#define MODE_TRANSACTIONAL 7
#define MODE_PER_RECORD    10
#define MODE_EXTERNAL      12

/* Of applications that are drawn less often. */
static const char *const other_modes[] = {
    "{mode: async, async_retry: 500ms}",
    "{mode: sync, offsets: contiguous}",
    "{mode: sync, offsets: contiguous, on_revoke: true, drain: false}",
    "{mode: async, offsets: contiguous, on_revoke: true, on_close: true}",
    "{mode: sync, offsets: finished, interval: 2s}",
};

static const char *commit_of(const struct draft *draft, int mode)
{
    bool commits_often = mode < MODE_TRANSACTIONAL; /* and need not be anything in particular */
    if (!commits_often || !draft_rarely(draft, "other mode", 0, 5)) return modes[mode];
    return PICK(draft, "other mode", 1, other_modes);
}

/* What becomes of a record that cannot be processed. The first two pass over it in the end, and
 * soon enough for the poll interval. */
static void write_retries(struct draft *draft)
{
    static const char *const policies[] = {"bounded", "bounded", "forever", "crash"};
    if (!draft->is_poisoned) return;
    text_format(draft->yaml, ", retries: %d, retry_backoff: %dms",
                draft_between(draft, "retries", 0, 0, 2),
                draft_between(draft, "retry backoff", 0, 1, 500));
    if (draft->has_letters) {
        text_append(draft->yaml, ", retry: dead_letter, dead_letter_topic: letters");
    } else {
        text_format(draft->yaml, ", retry: %s", PICK(draft, "retry", 0, policies));
    }
}

static void write_process(struct draft *draft, bool with_workers)
{
    static const char *const records[] = {"1ms", "2ms", "{exponential: {mean: 2ms}}", "3ms"};
    static const char *const batches[] = {"0ms", "0ms", "100ms",
                                          "{uniform: {low: 0ms, high: 500ms}}"};
    static const char *const sinks[] = {"0ms", "0ms", "20ms", "{exponential: {mean: 50ms}}"};
    text_format(draft->yaml, "    process: {per_record: %s, per_batch: %s, sink: %s, restore: %s",
                PICK(draft, "per record", 0, records), PICK(draft, "per batch", 0, batches),
                PICK(draft, "sink", 0, sinks), draft_rarely(draft, "restore", 0, 4) ? "2s" : "0s");
    if (draft_rarely(draft, "sink idempotence", 0, 6))
        text_append(draft->yaml, ", sink_idempotent: true");
    write_retries(draft);
    if (!draft->has_output && (with_workers || draft_rarely(draft, "workers", 0, 8)))
        text_format(draft->yaml, ", workers: %d, queue_limit: 500",
                    draft_between(draft, "worker count", 0, 1, 4));
    text_append(draft->yaml, "}\n");
}

/* The records that come into being while nobody works must be worked off in the end. */
static int draw_rate(const struct draft *draft, int mode)
{
    return mode == MODE_PER_RECORD ? draft_between(draft, "rate", 0, 1, 4)
                                   : draft_between(draft, "rate", 0, 2, 40);
}

static void write_group(struct draft *draft, int mode)
{
    static const char *const resets[] = {"latest", "by_duration:PT20S"};
    text_format(draft->yaml,
                "groups:\n"
                "  g:\n"
                "    %s\n"
                "    members: %d\n"
                "    start_spread: {uniform: {low: 0s, high: %ds}}\n"
                "    config:\n"
                "      auto.offset.reset: %s\n"
                "      max.poll.records: %d\n"
                "      isolation.level: %s\n",
                draft->has_pattern ? "topic_pattern: orders.*" : "topics: orders", draft->members,
                draft_between(draft, "start spread", 0, 0, 20),
                draft_rarely(draft, "reset", 0, 8) ? PICK(draft, "reset", 1, resets) : "earliest",
                draft_rarely(draft, "poll records", 0, 2) ? 500 : 50,
                draft_rarely(draft, "isolation", 0, 2) ? "read_committed" : "read_uncommitted");
    write_strategy(draft);
    if (draft->is_static) text_append(draft->yaml, "      group.instance.id: '${POD_NAME}'\n");
    if (!draft->is_slow)
        text_format(draft->yaml,
                    "      max.poll.interval.ms: %d\n"
                    "      request.timeout.ms: %d\n"
                    "      metadata.max.age.ms: 20000\n"
                    "      auto.commit.interval.ms: %d\n",
                    draft_between(draft, "poll interval", 0, 15, 60) * 1000,
                    draft_rarely(draft, "client timeout", 0, 2) ? 30000 : 10000,
                    draft_between(draft, "commit interval", 0, 1, 5) * 1000);
    const char *commit = commit_of(draft, mode);
    write_process(draft, strstr(commit, "offsets") != NULL);
    text_format(draft->yaml, "    commit: %s\n", commit);
    if (draft->has_output)
        text_format(draft->yaml,
                    "    output: {topic: invoices, config: {transaction.timeout.ms: %ds}}\n",
                    draft_between(draft, "transaction timeout", 0, 10, 60));
    text_format(draft->yaml,
                "    deployment: {startup: %ds, termination: %ds, "
                "restart_backoff: 2s, restart_backoff_max: 10s, max_unavailable: %d, kind: %s}\n",
                draft_between(draft, "startup", 0, 1, 5),
                draft_between(draft, "termination", 0, 0, 5),
                draft_between(draft, "unavailable", 0, 1, 2),
                draft_rarely(draft, "deployment", 0, 4) ? "Deployment" : "StatefulSet");
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
                draft_between(draft, "readers", 0, 1, 3));
}

/* Whoever is given its share by assign() has no zombies: an offset in the sink is exactly once. */
static void write_assigned(struct draft *draft)
{
    static const char *const commits[] = {"external", "external", "sync", "auto", "async", "none"};
    text_format(draft->yaml,
                "  r:\n"
                "    topics: orders\n"
                "    members: %d\n"
                "    assign: true\n"
                "    config: {auto.offset.reset: earliest, max.poll.records: %d, "
                "auto.commit.interval.ms: 2s, isolation.level: %s}\n"
                "    process: {per_record: 1ms, sink: %s}\n"
                "    commit: {mode: %s}\n"
                "    deployment: {startup: 1s, restart_backoff: 2s, restart_backoff_max: 10s}\n",
                draft_between(draft, "assigned", 0, 1, 3),
                draft_rarely(draft, "assigned poll", 0, 2) ? 500 : 20,
                draft_rarely(draft, "assigned isolation", 0, 2) ? "read_committed"
                                                                : "read_uncommitted",
                draft_rarely(draft, "assigned sink", 0, 2) ? "0ms" : "30ms",
                PICK(draft, "assigned commit", 0, commits));
}

static void write_letter_reader(struct draft *draft)
{
    text_append(draft->yaml, "  d:\n"
                             "    topics: letters\n"
                             "    members: 1\n"
                             "    config: {auto.offset.reset: earliest}\n"
                             "    commit: {mode: sync}\n");
}

void random_world_write(uint64_t seed, struct text *yaml)
{
    struct draft draft = {.seed = seed, .yaml = yaml};
    draft.partitions = draft_between(&draft, "partitions", 0, 1, 8);
    draft.members = draft_between(&draft, "members", 0, 1, 6);
    int mode = draft_below(&draft, "mode", 0, (int)ARRAY_LEN(modes));
    draft.consumer_protocol = draft_rarely(&draft, "protocol", 0, 3);
    bool is_transactional = strcmp(modes[mode], "{mode: transactional}") == 0;
    draft.has_output = is_transactional && !draft_rarely(&draft, "output", 0, 3);
    draft.is_static = draft_rarely(&draft, "static", 0, 4);
    draft.is_slow = draft_rarely(&draft, "defaults", 0, 8);
    draft.is_unclean = draft_rarely(&draft, "unclean", 0, 8);
    draft.is_kept = !draft_rarely(&draft, "retention", 0, 8);
    draft.is_poisoned = draft_rarely(&draft, "poison", 0, 6);
    draft.has_letters = draft.is_poisoned && draft_rarely(&draft, "letters", 0, 2);
    draft.has_readers = draft_rarely(&draft, "assigned", 1, 6);
    draft.has_operator =
        mode != MODE_EXTERNAL && !is_transactional && draft_rarely(&draft, "operator", 0, 10);
    draft.is_compacted = draft_rarely(&draft, "compaction", 0, 10);
    /* A static leader of the classic protocol that is away does not notice what becomes of topics
     * (classic-consumer.md, section 4). */
    bool notices = draft.consumer_protocol || !draft.is_static;
    draft.is_deleted = notices && draft_rarely(&draft, "deletion", 0, 10);
    draft.has_pattern = notices && draft_rarely(&draft, "pattern", 0, 10);
    int quiet_s = draft_between(&draft, "quiet", 0, 60, 300);
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
    if (draft.has_readers) write_assigned(&draft);
    if (draft.has_letters) write_letter_reader(&draft);
    draft_write_timeline(&draft, quiet_s);
}
