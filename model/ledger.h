/* model/ledger.h: the omniscient book-keeper, outside the system under test.
 *
 * An observer of the trace and nothing else. For each group and partition it knows which offsets
 * were processed, how often and by whom, and derives by interval arithmetic what went wrong:
 * duplicates, skipped, lost and zombie work, lag in records and in true time, latency, stopped
 * partitions, rebalances. It accounts for every record; ledger_is_balanced proves it.
 *
 * Words: *next* is the offset the group will process next (the owner's position, moved on by what
 * it finished); lag is the log end offset minus next; true lag in time is the age of the record at
 * next. A *zombie* is a consumer that processes records of a partition the coordinator has given
 * to somebody else or taken back. */
#ifndef MODEL_LEDGER_H
#define MODEL_LEDGER_H

#include "model/findings.h"
#include "model/latency_histogram.h"
#include "model/scenario.h"
#include "sim/sim.h"

struct ledger;

/* Adds itself to the trace of `sim`. The scenario names groups, topics and their order. */
struct ledger *ledger_new(struct sim *sim, const struct scenario *scenario);

/* Closes open intervals at the present instant; afterwards the figures are final. */
void ledger_finish(struct ledger *ledger);

struct ledger_group {
    /* Rebalances begun (classic: the group entered PreparingRebalance; KIP-848: the group epoch
     * rose) after the group had first been Stable: forming it is not counted. The time runs from
     * leaving Stable until the group is Stable (or Empty) again. */
    int64_t rebalances;
    sim_time rebalance_ns_total;
    sim_time rebalance_ns_max;
    /* Sum over partitions, from their first owner on, of the time without an owner able to process:
     * nobody owns it, or its owner is restoring state, frozen or dead. */
    sim_time stopped_partition_ns;
    int64_t lag_records_max; /* summed over the group's partitions, exact, not sampled */
    sim_time lag_ns_max;     /* of the partition that is furthest behind, exact */
    int64_t lag_records_end; /* at the end of the run */
    /* Written to the group's topics: appended, less what an election took back before anybody had
     * heard of it, and less aborted transactions where the group reads committed. With what their
     * producers took for sent, or had not sent yet when they were killed. */
    int64_t produced;
    int64_t processed;            /* record processings, repeats included */
    int64_t duplicates;           /* processings of a record that had been processed before */
    int64_t effective_duplicates; /* of these, the ones an idempotent sink did not absorb */
    int64_t skipped;    /* passed over: never processed, though next or the commit is beyond */
    int64_t lost;       /* deleted by retention, or acknowledged (acks=0: sent) and lost by brokers,
                           or with their producer, unread */
    int64_t compacted;  /* removed by compaction before the group came to them */
    int64_t zombie;     /* processings by a consumer that no longer owned the partition */
    int64_t taken_back; /* acknowledged, then truncated by an election, read or not */
    int64_t copies;     /* records in the group's topics that a producer wrote again */
    int64_t commits_attempted;
    int64_t commits_failed;
    sim_time commit_latency_ns_max;
    int64_t session_timeouts;     /* members expelled for want of heartbeats */
    int64_t poll_timeouts;        /* members that left because poll() was not called in time */
    int64_t members;              /* that the coordinator knows at this instant */
    const sim_time *rebalance_ns; /* each one's length, shape [rebalance_count] */
    uint32_t rebalance_count;     /* of those that are over; overlapping ones count as one */
    const struct latency_histogram *latency_ns; /* from arrival to the end of first processing */
};

void ledger_group(const struct ledger *ledger, int32_t group, struct ledger_group *out);

/* How often one error came. */
struct ledger_error_count {
    int64_t error; /* KAFKA_NONE: an exception of the application's own code */
    int64_t count; /* 0: unused, and so are those after it */
};
#define LEDGER_ERRORS_KEPT 8

/* Legal under the configuration, but worth knowing (checkers.md, A1 to A14; A1, A2 and A5 are in
 * struct ledger_group). Each is also a finding, with its instant and its cause. */
struct ledger_anomalies {
    int64_t poll_skips;       /* A3: times that a consumer's polls left out what others had taken */
    int64_t poll_rewinds;     /* A4: times that a consumer's polls went back in a partition */
    int64_t rejected_commits; /* A6: partitions of commits that the coordinator refused … */
    struct ledger_error_count rejected_by_error[LEDGER_ERRORS_KEPT]; /* … by error */
    int64_t commit_rewinds; /* A7: committed offsets that went down */
    int64_t offset_resets;  /* A8: positions set without a valid committed offset */
    int64_t moves; /* partitions that changed hands from one rest of the group to the next */
    int64_t moved_needlessly; /* A9: of these, the ones that a balanced assignment need not move */
    int64_t imbalance;        /* A10: most less fewest partitions of a member at rest, the worst */
    sim_time rest_ns;         /* … the group's longest rest, */
    int64_t load_most;        /* and what came in for the busiest member in it */
    int64_t load_least;       /* and for the idlest, in records */
    int64_t rebalances_by_cause[REBALANCE_CAUSE_COUNT]; /* A11: by enum rebalance_cause */
    /* A12: that the one before brought about (by link: the findings). */
    int64_t cascaded_rebalances;
    int64_t generations_reused; /* join phases that ended with a number given out before */
    /* A13, per partition, which is what Kafka orders by: no key is reordered without being counted.
     */
    int64_t reordered;         /* times that processing went back in a partition … */
    int64_t reordered_records; /* … and the records processed after later ones */
    int64_t out_of_order;      /* records processed after younger ones, over all partitions */
    /* Records of a partition that was added, processed while older ones, perhaps of the same keys,
     * were waiting in the partition these keys had before. */
    int64_t overtaken;
    sim_time forming_ns; /* E7 of the catalogue: from the first join to the first rest; -1 = none */
    int64_t fatal_errors; /* consumers that ended with an exception … */
    struct ledger_error_count fatal_by_error[LEDGER_ERRORS_KEPT]; /* … by error */
    int64_t exceptions_caught; /* and exceptions that the application polled on after */
    int64_t waiting;           /* A14: not processed when the run ended */
};

void ledger_anomalies(const struct ledger *ledger, int32_t group, struct ledger_anomalies *out);
/* Repeats, losses and zombie work by cause, and the single findings in the order they were made. */
const struct finding_totals *ledger_finding_totals(const struct ledger *ledger, int32_t group);
const struct findings *ledger_findings(const struct ledger *ledger);

struct ledger_partition {
    int64_t log_start_offset;
    int64_t log_end_offset;
    int64_t next_offset;      /* 0 before the group first set a position */
    int64_t committed_offset; /* -1 = none */
    int64_t lag_records;      /* log end offset - next */
    int64_t lag_committed; /* log end offset - committed: what an exporter shows; -1 = no commit */
    sim_time lag_ns;       /* age of the record at next; 0 when there is none */
    name_id owner;         /* consumer that holds it, in its own view; NAME_NONE = nobody */
    int32_t owners;        /* how many hold it */
    name_id assigned;      /* member the coordinator gave it to; NAME_NONE = nobody */
    bool stopped;          /* no owner able to process */
};

bool ledger_subscribes(const struct ledger *ledger, int32_t group, int32_t topic);
/* Partitions the ledger has seen of a topic: at least the scenario's count. */
int32_t ledger_partition_count(const struct ledger *ledger, int32_t topic);
void ledger_partition(const struct ledger *ledger, int32_t group, int32_t topic, int32_t partition,
                      struct ledger_partition *out);
int64_t ledger_group_lag_records(const struct ledger *ledger, int32_t group);

/* What one of the scenario's producers was asked to send, to the record: arrived = acknowledged +
 * failed + unsent + unheard + down + pending, and with acks=0 acknowledged = appended + diverged +
 * dropped + travelling. */
struct ledger_producer {
    int64_t arrived;
    int64_t acknowledged; /* told to be written; acks=0: taken for sent */
    int64_t failed; /* their send() failed for good; perhaps they are in the log all the same */
    int64_t resent; /* failed, and sent again by the application */
    struct ledger_error_count failed_by_error[LEDGER_ERRORS_KEPT]; /* … both, in records */
    int64_t unsent;     /* in the memory of the process when it was killed */
    int64_t unheard;    /* sent, and not answered when it was killed: perhaps they are in the log */
    int64_t down;       /* came while there was no process */
    int64_t pending;    /* waiting in the producer, or for an answer */
    int64_t appended;   /* as brokers wrote them, copies included */
    int64_t dropped;    /* acks=0: lost on the way, or refused, without anybody's knowing … */
    int64_t diverged;   /* … or given to a leader that had been deposed */
    int64_t travelling; /* … or neither written nor lost yet */
};

/* `producer` counts as in the scenario. */
void ledger_producer(const struct ledger *ledger, int32_t producer, struct ledger_producer *out);

/* Every record appended is processed, skipped, lost, compacted away or still waiting: true, or a
 * bug in Cohort. */
bool ledger_is_balanced(const struct ledger *ledger);

#endif
