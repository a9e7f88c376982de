#include "model/ledger_internal.h"

#include "sim/check.h"

#include <string.h>

void name_table_set(struct ledger *ledger, struct name_table *table, name_id name, uint32_t value)
{
    if (name >= table->capacity) {
        uint32_t capacity = table->capacity == 0 ? 64 : table->capacity;
        while (capacity <= name)
            capacity *= 2;
        table->values =
            memory_resize(ledger->memory, table->values, table->capacity * sizeof(*table->values),
                          capacity * sizeof(*table->values));
        table->capacity = capacity;
    }
    table->values[name] = value;
}

static void init_claims(struct ledger_claim *claims, int32_t from, int32_t to)
{
    for (int32_t p = from; p < to; p++)
        claims[p] = (struct ledger_claim){.committed = -1, .best_commit = -1};
}

/* A topic gained partitions: make room in its log table and in every group's claims. */
void ledger_grow_topic(struct ledger *ledger, int32_t t, int32_t count)
{
    struct ledger_topic *topic = &ledger->topics[t];
    int32_t old = topic->partition_count;
    ledger->delivered = NULL;
    ledger->delivered_claim = NULL;
    topic->logs = memory_resize(ledger->memory, topic->logs, (size_t)old * sizeof(*topic->logs),
                                (size_t)count * sizeof(*topic->logs));
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_claim **claims = &ledger->groups[g].claims[t];
        if (*claims == NULL) continue;
        *claims = memory_resize(ledger->memory, *claims, (size_t)old * sizeof(**claims),
                                (size_t)count * sizeof(**claims));
        init_claims(*claims, old, count);
    }
    topic->partition_count = count;
}

static void observe(void *self, const struct trace_record *record)
{
    struct ledger *ledger = self;
    uint32_t group;
    if (ledger->settling != NULL && record->kind != TRACE_ASSIGNED) ledger_begin_rest(ledger);
    switch (record->kind) {
    case TRACE_BATCH_APPENDED:
    case TRACE_BATCH_DIVERGED:
    case TRACE_LEADER_ELECTED:
    case TRACE_LOG_START:
    case TRACE_UNREADABLE:
    case TRACE_COMPACTED:
    case TRACE_CLEANED:
    case TRACE_PRODUCE_DONE: ledger_on_log_record(ledger, record); return;
    case TRACE_ARRIVAL: ledger_on_arrival(ledger, record); return;
    case TRACE_SEND_FAILED: ledger_on_send_failed(ledger, record); return;
    case TRACE_TOPIC: ledger_on_topic(ledger, record); return;
    case TRACE_PROCESS: ledger_on_process(ledger, record); return;
    case TRACE_SAMPLE: ledger_drop_settled_arrivals(ledger); return;
    }
    group = name_table_get(&ledger->group_by_name, record->field[0]);
    if (group != 0) ledger_on_group_record(ledger, &ledger->groups[group - 1], record);
}

static const uint16_t followed[] = {
    TRACE_BATCH_APPENDED,  TRACE_LEADER_ELECTED, TRACE_LOG_START,   TRACE_PRODUCE_DONE,
    TRACE_PROCESS,         TRACE_SAMPLE,         TRACE_PROCESSED,   TRACE_POSITION,
    TRACE_GROUP_STATE,     TRACE_REBALANCE,      TRACE_ASSIGNED,    TRACE_MEMBER_REMOVED,
    TRACE_COMMITTED,       TRACE_OFFSET_REMOVED, TRACE_COMMIT_SENT, TRACE_COMMIT_DONE,
    TRACE_OWNED,           TRACE_DISOWNED,       TRACE_CLIENT,      TRACE_MEMBER_ADDED,
    TRACE_COMMIT_REJECTED, TRACE_SINK,           TRACE_UNREADABLE,  TRACE_GIVEN_UP,
    TRACE_BATCH_DIVERGED,  TRACE_DELIVERED,      TRACE_REBALANCED,  TRACE_ARRIVAL,
    TRACE_SEND_FAILED,     TRACE_TOPIC,          TRACE_COMPACTED,   TRACE_CLEANED,
};

static void init_group(struct ledger *ledger, int32_t g)
{
    const struct scenario *scenario = ledger->scenario;
    struct ledger_group_state *group = &ledger->groups[g];
    group->scenario = &scenario->groups[g];
    group->has_workers = group->scenario->process.workers > 0;
    for (int32_t i = 0; i < group->scenario->override_count; i++)
        group->has_workers |= group->scenario->overrides[i].process.workers > 0;
    group->latency = latency_histogram_new(ledger->memory);
    group->figures.latency_ns = group->latency;
    group->unstable_since = SIM_TIME_NEVER;
    group->rest_since = SIM_TIME_NEVER;
    group->forming_since = SIM_TIME_NEVER;
    group->anomalies.forming_ns = -1;
    size_t topic_count = (size_t)scenario->topic_count;
    group->claims = memory_keep(ledger->memory, sizeof(*group->claims) * (topic_count + 1));
    for (int32_t i = 0; i < group->scenario->topic_count; i++) {
        for (int32_t t = 0; t < scenario->topic_count; t++) {
            if (strcmp(group->scenario->topics[i], scenario->topics[t].name) != 0) continue;
            int32_t count = ledger->topics[t].partition_count;
            size_t size = (size_t)count * sizeof(struct ledger_claim);
            group->claims[t] = memory_take(ledger->memory, size);
            init_claims(group->claims[t], 0, count);
        }
    }
    name_id name = names_intern(sim_names(ledger->sim), group->scenario->name);
    name_table_set(ledger, &ledger->group_by_name, name, (uint32_t)g + 1);
}

struct ledger *ledger_new(struct sim *sim, const struct scenario *scenario)
{
    struct memory *memory = sim_memory(sim);
    struct ledger *ledger = memory_keep(memory, sizeof(*ledger));
    ledger->sim = sim;
    ledger->memory = memory;
    ledger->scenario = scenario;
    ledger->topics =
        memory_keep(memory, sizeof(*ledger->topics) * ((size_t)scenario->topic_count + 1));
    ledger->groups =
        memory_keep(memory, sizeof(*ledger->groups) * ((size_t)scenario->group_count + 1));
    for (int32_t t = 0; t < scenario->topic_count; t++) {
        int32_t count = scenario->topics[t].partitions;
        ledger->topics[t].partition_count = count;
        ledger->topics[t].logs =
            memory_take(memory, (size_t)count * sizeof(*ledger->topics[t].logs));
    }
    for (int32_t g = 0; g < scenario->group_count; g++)
        init_group(ledger, g);
    ledger_init_producers(ledger);
    bool *interest = memory_keep(memory, TRACE_KIND_COUNT * sizeof(*interest));
    for (size_t i = 0; i < ARRAY_LEN(followed); i++)
        interest[followed[i]] = true;
    trace_observe(sim_trace(sim), observe, ledger, interest);
    return ledger;
}

static int64_t total_of(const struct ledger_group_state *group, enum finding_kind kind)
{
    int64_t total = 0;
    for (int32_t cause = 0; cause < FINDING_CAUSE_COUNT; cause++)
        total += group->totals.records[kind][cause];
    return total;
}

void ledger_finish(struct ledger *ledger)
{
    if (ledger->finished) return;
    ledger->finished = true;
    sim_time now = sim_now(ledger->sim);
    if (ledger->settling != NULL) ledger_begin_rest(ledger);
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        struct ledger_group_state *group = &ledger->groups[g];
        struct ledger_group *figures = &group->figures;
        ledger_close_stopped(ledger, group);
        ledger_end_rest(ledger, group);
        if (group->unstable_since != SIM_TIME_NEVER) ledger_end_rebalance(ledger, group);
        figures->lag_records_end = group->lag;
        for (int32_t i = 0; i < ledger_shelf_count(ledger); i++) {
            const struct ledger_topic *topic = ledger_shelf(ledger, i);
            const struct ledger_claim *claims = ledger_shelf_claims(ledger, i, g);
            if (claims == NULL) continue;
            for (int32_t p = 0; p < topic->partition_count; p++) {
                sim_time age = ledger_age(&topic->logs[p], &claims[p], now);
                if (age > figures->lag_ns_max) figures->lag_ns_max = age;
                ledger_settle_claim(ledger, group, ledger_shelf_partition(ledger, i, p),
                                    &topic->logs[p], &claims[p]);
            }
        }
        figures->skipped = total_of(group, FINDING_SKIPPED);
        figures->lost = total_of(group, FINDING_LOST);
        figures->compacted = total_of(group, FINDING_COMPACTED);
    }
}

void ledger_group(const struct ledger *ledger, int32_t group, struct ledger_group *out)
{
    CHECK(group >= 0 && group < ledger->scenario->group_count);
    *out = ledger->groups[group].figures;
}

void ledger_anomalies(const struct ledger *ledger, int32_t group, struct ledger_anomalies *out)
{
    *out = ledger->groups[group].anomalies;
}

const struct finding_totals *ledger_finding_totals(const struct ledger *ledger, int32_t group)
{
    return &ledger->groups[group].totals;
}

const struct findings *ledger_findings(const struct ledger *ledger)
{
    return &ledger->findings;
}

int64_t ledger_group_lag_records(const struct ledger *ledger, int32_t group)
{
    return ledger->groups[group].lag;
}

bool ledger_subscribes(const struct ledger *ledger, int32_t group, int32_t topic)
{
    return ledger->groups[group].claims[topic] != NULL;
}

int32_t ledger_partition_count(const struct ledger *ledger, int32_t topic)
{
    return ledger->topics[topic].partition_count;
}

void ledger_partition(const struct ledger *ledger, int32_t group, int32_t topic, int32_t partition,
                      struct ledger_partition *out)
{
    const struct ledger_log *log = &ledger->topics[topic].logs[partition];
    CHECK(ledger->groups[group].claims[topic] != NULL);
    const struct ledger_claim *claim = &ledger->groups[group].claims[topic][partition];
    *out = (struct ledger_partition){
        .log_start_offset = log->start,
        .log_end_offset = log->end,
        .next_offset = claim->next,
        .committed_offset = claim->committed,
        .lag_records = claim->lag,
        .lag_committed = claim->committed < 0 ? -1 : log->end - claim->committed,
        .lag_ns = ledger_age(log, claim, sim_now(ledger->sim)),
        .owner = claim->owner_count == 0 ? NAME_NONE : claim->owners[claim->owner_count - 1].member,
        .owners = (int32_t)claim->owner_count,
        .assigned = claim->assigned,
        .stopped = !claim->ever_owned || !claim->able,
    };
}

static int64_t unprocessed_of(const struct ledger_log *log, const struct ledger_claim *claim)
{
    int64_t sum = 0;
    struct ledger_piece piece;
    for (int64_t at = 0; ledger_next_piece(log, claim, at, &piece); at = piece.to)
        sum += piece.to - piece.from;
    return sum;
}

static bool causes_add_up(const struct ledger_group_state *group)
{
    return total_of(group, FINDING_DUPLICATE) == group->figures.duplicates &&
           total_of(group, FINDING_ZOMBIE) == group->figures.zombie;
}

/* To the record: what was written is processed, passed over, lost, compacted away, or waiting. */
static bool is_conserved(const struct ledger_group_state *group)
{
    const struct ledger_group *figures = &group->figures;
    return figures->produced == group->first_processed + figures->skipped + figures->lost +
                                    figures->compacted + group->anomalies.waiting;
}

bool ledger_is_balanced(const struct ledger *ledger)
{
    int64_t in_logs = 0;
    for (int32_t i = 0; i < ledger_shelf_count(ledger); i++) {
        const struct ledger_topic *topic = ledger_shelf(ledger, i);
        for (int32_t p = 0; p < topic->partition_count; p++)
            in_logs += topic->logs[p].end;
    }
    if (in_logs != ledger->appended - ledger->truncated) return false;
    if (!ledger_producers_balance(ledger)) return false;
    for (int32_t g = 0; g < ledger->scenario->group_count; g++) {
        const struct ledger_group_state *group = &ledger->groups[g];
        int64_t covered = 0;
        for (int32_t i = 0; i < ledger_shelf_count(ledger); i++) {
            const struct ledger_topic *topic = ledger_shelf(ledger, i);
            const struct ledger_claim *claims = ledger_shelf_claims(ledger, i, g);
            for (int32_t p = 0; claims != NULL && p < topic->partition_count; p++) {
                const struct ledger_claim *claim = &claims[p];
                const struct ledger_log *log = &topic->logs[p];
                if (!interval_set_is_consistent(&claim->processed)) return false;
                int64_t processed = interval_set_covered(&claim->processed, 0, log->end);
                if (processed + unprocessed_of(log, claim) != log->end) return false;
                covered += processed;
            }
        }
        if (covered != group->first_processed + group->unreadable - group->forgotten) return false;
        if (!causes_add_up(group)) return false;
        if (ledger->finished && !is_conserved(group)) return false;
        if (group->figures.processed != group->first_processed + group->figures.duplicates)
            return false;
    }
    return true;
}
