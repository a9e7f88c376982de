/* tests/consumer/story.h: a scenario as text, run, and what its clients did, as text.
 *
 * A story is written as YAML, with constant latencies so that every instant can be worked out by
 * hand, and read back as lines of milliseconds:
 *
 *     5000 c-1 JOINING
 *     5004 group g Empty -> PreparingRebalance, generation 0
 *     5006 c-1 owns orders-0
 *     5017 c-1 commit AUTO of 1: NONE
 */
#ifndef TESTS_CONSUMER_STORY_H
#define TESTS_CONSUMER_STORY_H

#include "model/ledger.h"
#include "model/world.h"

struct story;

/* Loads and runs a scenario to its end; a mistake in it, a violated invariant or a ledger that does
 * not balance fails the test. */
struct story *story_run(const char *yaml);

/* The usual one, in pieces of YAML. One way takes a millisecond, brokers and disks take no time,
 * appends to __consumer_offsets linger 10 ms. Group g reads topic orders from the beginning; its
 * members' first poll() is at 1,000 ms; who dies stays dead. */
struct story_options {
    const char *duration;   /* NULL = 60s */
    const char *brokers;    /* NULL = 1 */
    const char *partitions; /* NULL = 1 */
    const char *rate;       /* NULL = 10/s */
    const char *members;    /* NULL = 1 */
    const char *strategy;   /* NULL = range */
    const char *config;     /* further settings, "max.poll.records: 10" */
    const char *process;    /* "per_record: 1ms" */
    const char *commit;     /* NULL = mode: auto */
    const char *timeline;   /* "{at: 30s, stop: g-1}" */
};
struct story *story_of(const struct story_options *options);
#define STORY(...) story_of(&(struct story_options){__VA_ARGS__})

void story_free(struct story *story);

/* Which kinds of lines are wanted. */
enum story_lines {
    STORY_CLIENT = 1 << 0, /* what clients did */
    STORY_GROUP = 1 << 1,  /* states of the group */
    STORY_OWNED = 1 << 2,
    STORY_COMMITS = 1 << 3, /* as the client saw them end */
    STORY_POSITIONS = 1 << 4,
    STORY_PROCESSED = 1 << 5,
    STORY_REQUESTS = 1 << 6, /* of the group, as the coordinator answered them */
    STORY_SINK = 1 << 7,
    STORY_DELIVERED = 1 << 8,
    STORY_COORDINATOR = 1 << 10, /* took over groups, and how long it read their log */
    STORY_TARGET = 1 << 9,       /* KIP-848: whom the coordinator means to have each partition */
};
/* The lines of these kinds in [from_ms, to_ms), of one member ("" = all), must be this text. */
void expect_story(struct story *story, unsigned lines, const char *member, int64_t from_ms,
                  int64_t to_ms, const char *text);

/* Every line of every kind is the same, to the nanosecond. */
void expect_same_story(const struct story *a, const struct story *b);

/* Lines that contain both texts. */
int story_count(struct story *story, unsigned lines, const char *a, const char *b);
/* Milliseconds of the first such line at or after from_ms; -1 if there is none. */
int64_t story_when(struct story *story, unsigned lines, int64_t from_ms, const char *a,
                   const char *b);

struct ledger_group story_ledger(struct story *story, int32_t group);
struct sim_statistics story_statistics(struct story *story);

#endif
