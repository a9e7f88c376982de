/* tests/random/random_draft.h: what the parts of the generator share. */
#ifndef TESTS_RANDOM_RANDOM_DRAFT_H
#define TESTS_RANDOM_RANDOM_DRAFT_H

#include "tools/text.h"

#include <stdbool.h>
#include <stdint.h>

/* What was drawn and later lines depend on. */
struct draft {
    uint64_t seed;
    struct text *yaml;
    int partitions;
    int members;
    bool consumer_protocol;
    bool has_output; /* group h reads what g's transactions write */
    bool is_static;
    bool is_slow;     /* Kafka's default timeouts */
    bool is_unclean;  /* of orders, replicas may lead that lack records */
    bool is_kept;     /* orders: until the end of the run */
    bool is_poisoned; /* some records cannot be processed */
    bool has_letters; /* … and go to a topic of their own, which group d reads */
    bool has_readers; /* group r reads orders by assign() */
    bool has_operator;
    bool is_compacted; /* of orders, the last record of each key is kept, and what is not cleaned */
    bool is_deleted;   /* orders, and in most worlds created again */
    bool has_pattern;  /* group g finds orders-new when it is created */
};

int draft_below(const struct draft *draft, const char *what, uint64_t index, int bound);
int draft_between(const struct draft *draft, const char *what, uint64_t index, int low, int high);
/* True once in `odds`. */
bool draft_rarely(const struct draft *draft, const char *what, uint64_t index, int odds);

#define PICK(draft, what, index, list)                                                             \
    (list)[draft_below(draft, what, index, (int)(sizeof(list) / sizeof((list)[0])))]

/* random_timeline.c: the faults, until `quiet_s`. */
void draft_write_timeline(struct draft *draft, int quiet_s);

#endif
