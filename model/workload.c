#include "model/workload.h"

#include "model/key_weights.h"
#include "model/rate.h"
#include "model/record_keys.h"
#include "model/world_internal.h"
#include "sim/check.h"

/* An application hands records over in bursts of at most this length when there are many. */
#define SLOT_MIN_NS MILLISECONDS(10)
#define SLOT_MAX_NS SECONDS(1)

enum workload_event { WORKLOAD_SLOT, WORKLOAD_RECORD, WORKLOAD_RESEND };

/* Records whose send() failed, on their way to being sent again. */
struct resend {
    struct resend *next;
    partition_id partition;
    struct producer_records records;
};

struct workload {
    struct sim *sim;
    struct memory *memory;
    const struct scenario *scenario;
    const struct scenario_producer *settings;
    struct producer *producer;
    process_id process;
    entity_id entity;
    name_id topic_name;
    int32_t topic;
    int32_t partitions;
    uint64_t *weights; /* shape [partitions]; NULL without keys */
    uint64_t weight_sum;
    struct hot_key hot;       /* a fault's; share 0 = none */
    struct record_keys *keys; /* the topic is compacted; else NULL */
    int32_t factor_milli;
    sim_time stop_at;
    sim_time slot_ns;
    sim_time drawn_to; /* arrivals up to here have been counted … */
    int128 due;        /* … and this much of a record was left over, or owed */
    uint64_t records;  /* lone records so far */
    struct rng_key arrival_key;
    struct rng_key key_key;
    struct rng_key size_key;
    struct resend *resends; /* oldest first */
    struct resend **resends_end;
    uint64_t resent;  /* batches; also their tags, so that none is mixed with other records */
    bool is_constant; /* every record has the same size */
    struct workload_counts counts;
};

sim_time workload_slot_ns(const struct scenario_producer *producer, int32_t partitions)
{
    sim_time slot_ns = MILLISECONDS(producer->config.linger_ms);
    if (slot_ns < MICROSECONDS(10) * partitions) slot_ns = MICROSECONDS(10) * partitions;
    if (slot_ns < SLOT_MIN_NS) slot_ns = SLOT_MIN_NS;
    return slot_ns > SLOT_MAX_NS ? SLOT_MAX_NS : slot_ns;
}

/* At its fastest, the rate brings less than one record to a slot: each stands alone. */
static bool comes_one_by_one(const struct workload *workload)
{
    int128 peak = (int128)rate_peak_milli(&workload->settings->rate) * workload->slot_ns;
    return peak < RATE_RECORD;
}

static void update_weights(struct workload *workload, int32_t partitions)
{
    const struct scenario_producer *settings = workload->settings;
    workload->weights =
        memory_resize(workload->memory, workload->weights,
                      workload->weights == NULL ? 0
                                                : (size_t)workload->partitions * sizeof(uint64_t),
                      (size_t)partitions * sizeof(uint64_t));
    if (settings->partition_weights != NULL) {
        /* A custom partitioner knows the partitions it was written for. */
        int32_t known = workload->scenario->topics[workload->topic].partitions;
        for (int32_t p = 0; p < partitions; p++)
            workload->weights[p] = p < known ? (uint64_t)settings->partition_weights[p] : 0;
    } else {
        key_weights(workload->weights, partitions, &settings->keys, &workload->hot,
                    workload->memory);
    }
    if (workload->keys != NULL) record_keys_change(workload->keys, partitions, &workload->hot);
    workload->partitions = partitions;
    workload->weight_sum = 0;
    for (int32_t p = 0; p < partitions; p++)
        workload->weight_sum += workload->weights[p];
}

/* False: the producer's own partitioner does (KIP-794). */
static bool chooses_partitions(const struct workload *workload)
{
    const struct scenario_producer *settings = workload->settings;
    if (settings->partition_weights != NULL) return true; /* partitioner.class */
    bool is_hot = workload->hot.share_ppm > 0 && !settings->config.partitioner_ignore_keys;
    return is_hot || scenario_producer_is_keyed(settings);
}

/* The application sees a topic's new partitions when its producer does. */
static void notice_new_partitions(struct workload *workload)
{
    if (process_state(workload->sim, workload->process) == PROCESS_DEAD) return;
    int32_t known = producer_partition_count(workload->producer, workload->topic_name);
    /* 0: the topic is missing, and send() waits for it. */
    if (chooses_partitions(workload) && known > 0 && known != workload->partitions)
        update_weights(workload, known);
}

/* What came into being in one slot, or a lone record: one trace record tells of it. */
struct arrivals {
    int32_t partition; /* -1 = no key, or several partitions */
    int64_t count;
    int64_t bytes;
    sim_time first_at;
    sim_time last_at;
    uint64_t digest; /* of how many went to which partition */
};

static struct arrivals no_arrivals(void)
{
    return (struct arrivals){.partition = -1, .first_at = SIM_TIME_NEVER};
}

static void tell_arrivals(struct workload *workload, const struct arrivals *arrivals)
{
    if (arrivals->count == 0) return;
    int32_t partition = arrivals->partition < 0 ? PARTITION_NUMBER_UNKNOWN : arrivals->partition;
    partition_id id = PARTITION_ID(workload->topic, partition);
    name_id name = process_name(workload->sim, workload->process);
    TRACE(workload->sim, TRACE_ARRIVAL, name, id, arrivals->count, arrivals->bytes,
          arrivals->first_at, arrivals->last_at, (int64_t)arrivals->digest);
    if (process_state(workload->sim, workload->process) != PROCESS_DEAD) return;
    workload->counts.down += arrivals->count;
    TRACE(workload->sim, TRACE_SEND_FAILED, name, id, arrivals->count, SEND_DOWN, KAFKA_NONE, 0, 0,
          arrivals->first_at, arrivals->last_at);
}

/* Order counts, so that the same numbers for other partitions give another digest. The factors are
 * odd and random (those of xxHash64). */
static uint64_t digest(uint64_t sum, int32_t partition, uint64_t count)
{
    sum ^= (uint64_t)partition * UINT64_C(0x9E3779B185EBCA87) + count;
    return (sum << 31 | sum >> 33) * UINT64_C(0xC2B2AE3D27D4EB4F);
}

/* Sends `count` records that came into being between two instants. partition -1 = no key. */
static void give(struct workload *workload, int32_t partition, uint64_t index, uint64_t count,
                 sim_time first_at, sim_time last_at, struct arrivals *arrivals)
{
    int64_t bytes = workload->is_constant
                        ? workload->settings->record_size_bytes.a * (int64_t)count
                        : distribution_draw_sum(&workload->settings->record_size_bytes,
                                                &workload->size_key, index, count);
    arrivals->count += (int64_t)count;
    arrivals->bytes += bytes;
    if (first_at < arrivals->first_at) arrivals->first_at = first_at;
    if (last_at > arrivals->last_at) arrivals->last_at = last_at;
    arrivals->digest = digest(arrivals->digest, partition, count);
    workload->counts.arrived += (int64_t)count;
    if (process_state(workload->sim, workload->process) == PROCESS_DEAD) return;
    /* Records are stamped by the clock of the host they were made on. */
    struct producer_records records = {
        .count = (int32_t)count,
        .bytes = bytes,
        .first_at = process_clock(workload->sim, workload->process, first_at),
        .last_at = process_clock(workload->sim, workload->process, last_at),
    };
    if (workload->keys != NULL) {
        records.number = record_keys_take(workload->keys, partition, (int64_t)count);
    }
    if (partition < 0) {
        producer_send_sticky(workload->producer, workload->topic_name, &records);
    } else {
        producer_send(workload->producer, PARTITION_ID(workload->topic, partition), &records);
    }
}

/* `count` of a slot's records belong to one partition: evenly spread over the slot. */
static void give_spread(struct workload *workload, int32_t partition, uint64_t slot, uint64_t count,
                        sim_time begin, sim_time end, struct arrivals *arrivals)
{
    if (count == 0) return;
    sim_time half_step = (end - begin) / (sim_time)(2 * count);
    uint64_t index = workload->is_constant ? 0 : rng_index(slot, (uint64_t)partition + 1);
    give(workload, partition, index, count, begin + half_step, end - half_step, arrivals);
}

/* Systematic sampling: a comb of `count` teeth, shifted by one draw, laid over the summed weights.
 */
static void deal(struct workload *workload, uint64_t slot, uint64_t count, sim_time begin,
                 sim_time end, struct arrivals *arrivals)
{
    uint64_t shift = rng_below(&workload->key_key, slot, workload->weight_sum);
    uint128 before = 0;
    uint64_t teeth_before = 0;
    for (int32_t p = 0; p < workload->partitions; p++) {
        before += workload->weights[p];
        /* The weights sum to 2^40 at most, so this fits 64 bits but for enormous slots. */
        uint64_t teeth = count < (UINT64_C(1) << 23) && workload->weight_sum <= KEY_WEIGHT_TOTAL
                             ? ((uint64_t)before * count + shift) / workload->weight_sum
                             : (uint64_t)((before * count + shift) / workload->weight_sum);
        if (p == workload->partitions - 1) teeth = count;
        producer_expect(workload->producer, PARTITION_ID(workload->topic, p + 8),
                        PARTITION_ID(workload->topic, p + 4));
        give_spread(workload, p, slot, teeth - teeth_before, begin, end, arrivals);
        teeth_before = teeth;
    }
}

/* A Poisson process split by keys is one Poisson process per partition. */
static void deal_poisson(struct workload *workload, uint64_t slot, int128 amount, sim_time begin,
                         sim_time end, struct arrivals *arrivals)
{
    for (int32_t p = 0; p < workload->partitions; p++) {
        uint64_t mean_micro = (uint64_t)(amount * (int128)workload->weights[p] /
                                         (int128)workload->weight_sum / (RATE_RECORD / 1000000));
        uint64_t count =
            poisson_draw(mean_micro, &workload->arrival_key, rng_index(slot, (uint64_t)p));
        give_spread(workload, p, slot, count, begin, end, arrivals);
    }
}

/* What the rate brings between two instants, under the present factor. */
static int128 amount_between(const struct workload *workload, sim_time begin, sim_time end)
{
    const struct scenario_rate *rate = &workload->settings->rate;
    return (rate_amount(rate, end) - rate_amount(rate, begin)) * workload->factor_milli / 1000;
}

/* How many records `amount` makes, with what was left over before. */
static uint64_t draw_count(struct workload *workload, uint64_t slot, int128 amount)
{
    if (workload->settings->poisson) {
        return poisson_draw((uint64_t)(amount / (RATE_RECORD / 1000000)), &workload->arrival_key,
                            slot);
    }
    workload->due += amount;
    uint64_t count = workload->due < 0 ? 0 : (uint64_t)(workload->due / RATE_RECORD);
    workload->due -= (int128)count * RATE_RECORD;
    return count;
}

/* Everything that arrived since the last look, as one slot's worth. */
static void draw_slot(struct workload *workload, sim_time now)
{
    sim_time begin = workload->drawn_to;
    workload->drawn_to = now;
    int128 amount = amount_between(workload, begin, now);
    /* A factor that changes within a slot cuts it in two, so the begin is part of the key. */
    uint64_t slot = (uint64_t)begin;
    struct arrivals arrivals = no_arrivals();
    notice_new_partitions(workload);
    if (workload->settings->poisson && workload->weights != NULL) {
        deal_poisson(workload, slot, amount, begin, now, &arrivals);
    } else {
        uint64_t count = draw_count(workload, slot, amount);
        if (workload->weights == NULL || count == 0) {
            give_spread(workload, -1, slot, count, begin, now, &arrivals);
        } else {
            deal(workload, slot, count, begin, now, &arrivals);
        }
    }
    tell_arrivals(workload, &arrivals);
}

static void on_slot(struct workload *workload)
{
    sim_time now = sim_now(workload->sim);
    draw_slot(workload, now);
    if (now >= workload->stop_at) return;
    sim_time next = now + workload->slot_ns - now % workload->slot_ns;
    sim_post(workload->sim, next < workload->stop_at ? next : workload->stop_at, PHASE_ARRIVAL,
             workload->entity, workload->entity, WORKLOAD_SLOT, 0, NULL);
}

/* Posts the next lone record: when the rate has brought what is still missing to it. */
static void post_next_record(struct workload *workload)
{
    if (workload->factor_milli <= 0) return;
    int128 missing = -workload->due * 1000 / workload->factor_milli;
    sim_time at =
        rate_reaches(&workload->settings->rate, workload->drawn_to, missing, workload->stop_at);
    if (at >= workload->stop_at) return;
    sim_post(workload->sim, at, PHASE_ARRIVAL, workload->entity, workload->entity, WORKLOAD_RECORD,
             workload->records, NULL);
}

static void on_record(struct workload *workload, uint64_t number)
{
    if (number != workload->records) return; /* the factor changed: it was posted again */
    sim_time now = sim_now(workload->sim);
    workload->records++;
    workload->drawn_to = now;
    workload->due = -(int128)RATE_RECORD;
    if (workload->settings->poisson) {
        struct distribution gap = {.kind = DISTRIBUTION_EXPONENTIAL, .a = RATE_RECORD};
        workload->due = -(int128)distribution_draw(&gap, &workload->arrival_key, workload->records);
    }
    notice_new_partitions(workload);
    int32_t partition = -1;
    if (workload->weights != NULL) {
        uint64_t drawn = rng_below(&workload->key_key, number, workload->weight_sum);
        partition = 0;
        while (drawn >= workload->weights[partition])
            drawn -= workload->weights[partition++];
    }
    struct arrivals arrivals = no_arrivals();
    give(workload, partition, number, 1, now, now, &arrivals);
    arrivals.partition = partition;
    tell_arrivals(workload, &arrivals);
    post_next_record(workload);
}

/* The callback of a failed send() asks for it; the application's thread does it. */
static void post_resend(struct workload *workload, const struct producer_outcome *outcome)
{
    struct resend *resend = memory_take(workload->memory, sizeof(*resend));
    resend->next = NULL;
    resend->partition = outcome->partition;
    resend->records = (struct producer_records){.count = outcome->count,
                                                .bytes = outcome->bytes,
                                                .first_at = outcome->first_at,
                                                .last_at = outcome->last_at,
                                                .tag = ++workload->resent,
                                                .number = outcome->number};
    if (workload->resends == NULL) workload->resends_end = &workload->resends;
    *workload->resends_end = resend;
    workload->resends_end = &resend->next;
    sim_post(workload->sim, sim_now(workload->sim), PHASE_TIMER, workload->entity, workload->entity,
             WORKLOAD_RESEND, 0, NULL);
}

/* To the same partition even without a key, so that the ledger can tell copies from originals. */
static void on_resend(struct workload *workload)
{
    struct resend *resend = workload->resends;
    if (resend == NULL) return; /* the process died meanwhile */
    workload->resends = resend->next;
    if (PARTITION_NUMBER(resend->partition) == PARTITION_NUMBER_UNKNOWN) {
        producer_send_sticky(workload->producer, workload->topic_name, &resend->records);
    } else {
        producer_send(workload->producer, resend->partition, &resend->records);
    }
    memory_give(workload->memory, resend, sizeof(*resend));
}

static void on_event(struct sim *sim, void *self, const struct sim_event *event)
{
    (void)sim;
    switch ((enum workload_event)event->kind) {
    case WORKLOAD_SLOT: on_slot(self); return;
    case WORKLOAD_RECORD: on_record(self, event->number); return;
    case WORKLOAD_RESEND: on_resend(self); return;
    }
}

static void on_done(void *self, const struct producer_outcome *outcome)
{
    struct workload *workload = self;
    if (outcome->error == KAFKA_NONE) {
        workload->counts.acknowledged += outcome->count;
    } else if (workload->settings->resend) {
        post_resend(workload, outcome);
    } else {
        workload->counts.failed += outcome->count;
    }
}

static void start(struct workload *workload)
{
    sim_time start_at = workload->settings->start_at;
    workload->drawn_to = start_at;
    if (comes_one_by_one(workload)) {
        /* The first record is due half way to a whole one, so that T seconds bring R × T. */
        workload->due = -(int128)(RATE_RECORD / 2);
        if (workload->settings->poisson) {
            struct distribution gap = {.kind = DISTRIBUTION_EXPONENTIAL, .a = RATE_RECORD};
            workload->due = -(int128)distribution_draw(&gap, &workload->arrival_key, 0);
        }
        post_next_record(workload);
        return;
    }
    workload->due = RATE_RECORD / 2;
    if (start_at >= workload->stop_at) return;
    sim_post(workload->sim, start_at, PHASE_ARRIVAL, workload->entity, workload->entity,
             WORKLOAD_SLOT, 0, NULL);
}

struct workload *workload_new(struct sim *sim, struct network *network, struct cluster *cluster,
                              const struct scenario *scenario, int32_t index)
{
    struct workload *workload = memory_keep(sim_memory(sim), sizeof(*workload));
    const struct scenario_producer *settings = &scenario->producers[index];
    struct names *names = sim_names(sim);
    name_id name = names_intern(names, settings->name);
    workload->sim = sim;
    workload->memory = sim_memory(sim);
    workload->scenario = scenario;
    workload->settings = settings;
    workload->factor_milli = 1000;
    workload->is_constant = settings->record_size_bytes.kind == DISTRIBUTION_CONSTANT &&
                            settings->record_size_bytes.a <= INT32_MAX;
    workload->stop_at =
        settings->stop_at < scenario->duration_ns ? settings->stop_at : scenario->duration_ns;
    workload->process = process_add(sim, name, name);
    workload->topic_name = names_intern(names, settings->topic);
    workload->topic = cluster_topic_find(cluster, workload->topic_name);
    workload->arrival_key = sim_rng_key(sim, name, RNG_ARRIVAL);
    workload->key_key = sim_rng_key(sim, name, RNG_KEY);
    workload->size_key = sim_rng_key(sim, name, RNG_RECORD_SIZE);
    if (scenario->topics[workload->topic].compact) {
        workload->keys = record_keys_new(sim, name, settings);
    }
    process_start(sim, workload->process);
    workload->producer = producer_new(&(struct producer_options){
        .sim = sim,
        .network = network,
        .cluster = cluster,
        .process = workload->process,
        .name = name,
        .config = &settings->config,
        .keys = workload->keys,
        .on_done = on_done,
        .self = workload,
    });
    /* Records come into being whatever becomes of the process that is to send them. */
    name_id entity = names_format(names, "workload of %s", settings->name);
    workload->entity = sim_add_entity(sim, entity, PROCESS_NONE, on_event, workload);
    int32_t partitions = scenario->topics[workload->topic].partitions;
    workload->slot_ns = workload_slot_ns(settings, partitions);
    if (chooses_partitions(workload)) update_weights(workload, partitions);
    start(workload);
    return workload;
}

void workload_kill(struct workload *workload, bool host)
{
    if (process_state(workload->sim, workload->process) == PROCESS_DEAD) return;
    name_id name = process_name(workload->sim, workload->process);
    if (host) {
        host_kill(workload->sim, name);
    } else {
        process_kill(workload->sim, workload->process);
    }
    world_emit_process(workload->sim, workload->process);
    workload->counts.died += producer_pending(workload->producer);
    producer_died(workload->producer);
    while (workload->resends != NULL) {
        struct resend *resend = workload->resends;
        workload->resends = resend->next;
        workload->counts.died += resend->records.count;
        TRACE(workload->sim, TRACE_SEND_FAILED, name, resend->partition, resend->records.count,
              SEND_UNSENT, KAFKA_NONE, 0, 0, resend->records.first_at, resend->records.last_at);
        memory_give(workload->memory, resend, sizeof(*resend));
    }
}

void workload_restart(struct workload *workload)
{
    if (process_state(workload->sim, workload->process) != PROCESS_DEAD) return;
    process_start(workload->sim, workload->process);
    world_emit_process(workload->sim, workload->process);
}

process_id workload_process(const struct workload *workload)
{
    return workload->process;
}

struct producer *workload_producer(const struct workload *workload)
{
    return workload->producer;
}

struct workload_counts workload_counts(const struct workload *workload)
{
    struct workload_counts counts = workload->counts;
    counts.pending = producer_pending(workload->producer);
    return counts;
}

void workload_set_rate_factor(struct workload *workload, int32_t factor_milli)
{
    sim_time now = sim_now(workload->sim);
    if (now < workload->settings->start_at || now >= workload->stop_at) {
        workload->factor_milli = factor_milli;
        return;
    }
    if (comes_one_by_one(workload)) {
        workload->due += amount_between(workload, workload->drawn_to, now);
        if (workload->due > 0) workload->due = 0;
        workload->drawn_to = now;
        workload->factor_milli = factor_milli;
        workload->records++; /* the record that was posted is not the next one any more */
        post_next_record(workload);
        return;
    }
    draw_slot(workload, now);
    workload->factor_milli = factor_milli;
}

void workload_set_hot_key(struct workload *workload, const char *key, int32_t share_ppm,
                          int32_t salt)
{
    workload->hot = (struct hot_key){.key = key, .share_ppm = share_ppm, .salt = salt};
    if (chooses_partitions(workload)) {
        int32_t partitions = workload->partitions > 0
                                 ? workload->partitions
                                 : workload->scenario->topics[workload->topic].partitions;
        update_weights(workload, partitions);
    }
}
