/* model/consumer/application.h: what is done with records: the application's loop body, the work on
 * one range of records, and the pool of workers. Private to the consumer. */
#ifndef MODEL_CONSUMER_APPLICATION_H
#define MODEL_CONSUMER_APPLICATION_H

#include "model/consumer/consumer.h"
#include "model/consumer/offsets.h"
#include "model/trace_kinds.h"

/* Records of one partition without a gap. */
struct work_range {
    partition_id partition;
    int32_t topic_id;
    int64_t base_offset;
    int32_t count;
    int64_t bytes;
    uint64_t ownership;
    int32_t generation; /* under which they were delivered */
};

/* The partition as records tell of it. */
static inline int64_t work_range_traced(const struct work_range *range)
{
    return PARTITION_IN(range->topic_id, range->partition);
}

struct batch {
    struct work_range *ranges;
    int32_t count;
    int32_t capacity;
};

/* One hand's work: A's own, or a worker's. It takes steps: a run of records without a poison
 * record, or one record where each is committed by itself. */
struct work {
    uint64_t number; /* 0 = A's own, else of the worker */
    bool is_busy;
    struct work_range range; /* what is left of it, the step included */
    int32_t step_count;      /* records of the step; 0 = none under way */
    bool is_poison;          /* the step is one record that fails */
    int32_t attempts;        /* failed, at the poison record */
    bool waits_for_dead_letter;
    bool is_dead_letter; /* it is written: the poison record is dealt with */
    sim_time begun_at;
    sim_time length_ns;     /* of the step, at the speed of the host */
    sim_time elapsed_ns;    /* of it, before the last start */
    sim_time started_at;    /* the clock runs since; SIM_TIME_NEVER = stalled */
    sim_time frozen_ns;     /* of the process, at that instant */
    struct sim_timer timer; /* running time: the end of the step */
    struct sim_timer retry; /* back-off before the next attempt */
};

enum work_key_kind { WORK_KEY_RECORD, WORK_KEY_BATCH, WORK_KEY_SINK, WORK_KEY_COUNT };
/* For draws that belong to records: their index is the offset. */
struct rng_key work_key(const struct consumer *consumer, partition_id partition,
                        enum work_key_kind kind);
void work_init(struct consumer *consumer, struct work *work, uint64_t number);
/* Takes the first step of a range. */
void work_begin(struct consumer *consumer, struct work *work, const struct work_range *range);
/* Goes on with the range after application_step_done. */
void work_continue(struct consumer *consumer, struct work *work);
void work_stall(struct consumer *consumer, struct work *work);
void work_unstall(struct consumer *consumer, struct work *work);
/* The process dies: emits what was finished of the step. */
void work_die(struct consumer *consumer, struct work *work);
void work_reset(struct consumer *consumer, struct work *work);
void work_on_timer(struct consumer *consumer, struct work *work, bool is_retry);
/* Called by work.c. A step ended: its records were processed, or given up and passed over. */
void application_step_done(struct consumer *consumer, struct work *work,
                           const struct work_range *done, bool is_processed);

/* Number 0 or of a worker. */
struct work *work_of(struct consumer *consumer, uint64_t number);

/* ---- pool.c: workers ---- */

struct worker {
    struct work work;
    bool is_taken;
    partition_id partition; /* of the range it has */
    bool waits_for_sink;
    struct work_range done; /* on its way to the sink */
    struct sim_timer sink_timer;
};
struct pool {
    struct worker *workers;
    int32_t size;             /* 0 = A works itself */
    struct work_range *queue; /* a ring */
    int32_t first;
    int32_t queued;
    int32_t capacity;
    int64_t queued_records;
    bool is_pausing;
    struct offsets finished; /* highest end of a finished range, by partition */
    struct offsets taken;    /* end of what was handed over, by partition */
    continuation *drained;   /* somebody waits for all of it */
};
/* Hands the batch over. */
void pool_submit(struct consumer *consumer);
void pool_step_done(struct consumer *consumer, struct work *work, const struct work_range *done,
                    bool is_processed);
void pool_sink_answered(struct consumer *consumer, uint64_t number);
void pool_sink_recovered(struct consumer *consumer);
/* What the application commits, as commit.offsets says. */
void pool_offsets(struct consumer *consumer, struct offsets *offsets);
bool pool_is_idle(const struct consumer *consumer);
/* Goes on with `then` when it is; call it only when it is not. */
void pool_drain(struct consumer *consumer, continuation *then);
void pool_stall(struct consumer *consumer, bool stalled);
void pool_die(struct consumer *consumer);
void pool_reset(struct consumer *consumer);
void pool_init(struct consumer *consumer);

/* ---- output.c: the application's own producer ---- */

enum output_stage {
    OUTPUT_IDLE,
    OUTPUT_STARTING,
    OUTPUT_WRITING,
    OUTPUT_SENDING_OFFSETS,
    OUTPUT_COMMITTING,
    OUTPUT_ABORTING,
};
struct producer;
struct producer_config;
struct output {
    struct producer *producer; /* NULL = writes nothing */
    const struct producer_config *config;
    enum output_stage stage;
    bool is_posted;
    enum kafka_error error;
    name_id topic;        /* NAME_NONE = no output records */
    int64_t record_bytes; /* of the records written last */
    struct batch failed;  /* WRITING: what is to be sent once more */
    bool is_sent;         /* WRITING: the records are the producer's */
    uint64_t commit_number;
    int32_t offset_count;
    sim_time started_at;
    continuation *then;
};
bool output_is_transactional(const struct consumer *consumer);
bool output_has_topic(const struct consumer *consumer);
/* A record for each that is done; with output.flush, `then` goes on when all are acknowledged. */
void output_write(struct consumer *consumer, continuation *then);
/* The application starts: initTransactions(), which ends what its predecessor left open. The
 * consumer is polled meanwhile; the first batch waits for it. */
void output_open(struct consumer *consumer);
/* Begins a transaction. */
void output_begin(struct consumer *consumer, continuation *then);
/* Ends it with the offsets of the batch; whether it was committed or aborted, `then` polls again.
 */
void output_commit(struct consumer *consumer, continuation *then);
void output_step(struct consumer *consumer);
void output_dead_letter(struct consumer *consumer, struct work *work);
void output_reset(struct consumer *consumer);
void output_init(struct consumer *consumer);

/* ---- application.c ---- */

enum batch_stage { STAGE_PROCESS, STAGE_OUTPUT, STAGE_SINK, STAGE_COMMIT, STAGE_COUNT };

struct application {
    struct batch batch;         /* as poll() returned it */
    struct batch done;          /* what has been processed since the last sink call */
    struct work_range given_up; /* the last step's, if it was; count 0 = not so */
    int32_t next_range;
    int32_t stage; /* index in the order of stages */
    bool per_batch_is_paid;
    bool commits_per_record;
    bool has_sink;
    struct work work;
    struct pool pool;
    struct output output;
    struct sim_timer sink_timer;
    bool waits_for_sink;
    int32_t stalls;
    int64_t records_bytes;   /* in hand */
    sim_time last_commit_at; /* of the application's own */
    uint64_t *topic_hashes;  /* by topic index */
};

void application_add_range(struct consumer *consumer, struct batch *batch,
                           const struct work_range *range);
void application_take(struct consumer *consumer);
/* What the application's own commits say. */
void application_offsets(struct consumer *consumer, struct offsets *offsets);
void application_on_timer(struct consumer *consumer, const struct sim_event *event);
/* The process dies: emits what was finished of the step under way. */
void application_die(struct consumer *consumer);
void application_reset(struct consumer *consumer);
void application_init(struct consumer *consumer);

#endif
