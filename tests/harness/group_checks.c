#include "tests/harness/group_checks.h"

#include <stdio.h>

static void note(struct group_checks *checks, const char *invariant, name_id group,
                 const char *what)
{
    if (checks->violations++ > 0) return;
    snprintf(checks->first, sizeof(checks->first), "%s of %s at %lld ms: %s", invariant,
             names_text(checks->host->names, group),
             (long long)(checks->host->now / MILLISECONDS(1)), what);
}

static void on_classic(void *self, enum classic_invariant invariant, name_id group,
                       const char *what)
{
    struct group_checks *checks = self;
    checks->classic_noticed[invariant] = true;
    note(checks, classic_invariant_name(invariant), group, what);
}

static void on_consumer(void *self, enum consumer_invariant invariant, name_id group,
                        const char *what)
{
    struct group_checks *checks = self;
    checks->consumer_noticed[invariant] = true;
    note(checks, consumer_invariant_name(invariant), group, what);
}

static void on_step(void *self, const struct coordinator *coordinator, bool before,
                    const struct message *request, const struct message *response)
{
    struct group_checks *checks = self;
    if (coordinator_state(coordinator) != COORDINATOR_ACTIVE) return;
    if (before) {
        classic_checks_before(checks->classic, coordinator);
        consumer_checks_before(checks->consumer, coordinator);
    } else {
        classic_checks_after(checks->classic, coordinator, request, response);
        consumer_checks_after(checks->consumer, coordinator, request, response);
    }
}

void group_checks_attach(struct group_checks *checks, struct coordinator_host *host)
{
    *checks = (struct group_checks){.host = host};
    checks->classic = classic_checks_new(host->memory, host->names, on_classic, checks);
    checks->consumer = consumer_checks_new(host->memory, host->names, on_consumer, checks);
    host->step = on_step;
    host->step_self = checks;
}

void group_checks_detach(struct group_checks *checks)
{
    checks->host->step = NULL;
    classic_checks_free(checks->classic);
    consumer_checks_free(checks->consumer);
}

void group_checks_rebuild(struct group_checks *checks)
{
    struct coordinator *rebuilt = host_rebuild(checks->host, false);
    classic_checks_rebuilt(checks->classic, checks->host->coordinator, rebuilt);
    consumer_checks_rebuilt(checks->consumer, checks->host->coordinator, rebuilt);
    coordinator_free(rebuilt);
}

void group_checks_fail_over(struct group_checks *checks, sim_time at)
{
    host_fail_over(checks->host, at);
    classic_checks_failed_over(checks->classic);
}
