/* tests/harness/group_checks.h: all checkers of a coordinator's groups around a host's steps. */
#ifndef TESTS_HARNESS_GROUP_CHECKS_H
#define TESTS_HARNESS_GROUP_CHECKS_H

#include "model/coordinator/classic_checks.h"
#include "model/coordinator/consumer_checks.h"
#include "tests/harness/coordinator_host.h"

#define GROUP_VIOLATION_TEXT 160

struct group_checks {
    struct coordinator_host *host;
    struct classic_checks *classic;
    struct consumer_checks *consumer;
    int64_t violations;
    char first[GROUP_VIOLATION_TEXT]; /* "I6 of g: ..."; "" while there is none */
    bool classic_noticed[CLASSIC_INVARIANT_COUNT];
    bool consumer_noticed[CONSUMER_INVARIANT_COUNT];
};

/* Looks at every step of the host from here on. */
void group_checks_attach(struct group_checks *checks, struct coordinator_host *host);
void group_checks_detach(struct group_checks *checks);
/* I11, both from the whole log. Only with a synchronous log: an open batch is not in it. */
void group_checks_rebuild(struct group_checks *checks);
/* host_fail_over, and the checkers know. */
void group_checks_fail_over(struct group_checks *checks, sim_time at);

#endif
