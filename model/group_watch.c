#include "model/group_watch.h"

#include "model/coordinator/classic_checks.h"
#include "model/coordinator/consumer_checks.h"

struct group_watch {
    const struct group_watcher *watcher;
    struct classic_checks *classic;
    struct consumer_checks *consumer;
    bool is_looking; /* between before and after */
};

static void on_classic(void *self, enum classic_invariant invariant, name_id group,
                       const char *what)
{
    const struct group_watch *watch = self;
    watch->watcher->tell(watch->watcher->self, classic_invariant_name(invariant), group, what);
}

static void on_consumer(void *self, enum consumer_invariant invariant, name_id group,
                        const char *what)
{
    const struct group_watch *watch = self;
    watch->watcher->tell(watch->watcher->self, consumer_invariant_name(invariant), group, what);
}

struct group_watch *group_watch_new(const struct group_watcher *watcher, struct memory *memory,
                                    struct names *names)
{
    struct group_watch *watch = memory_take(memory, sizeof *watch);
    *watch = (struct group_watch){.watcher = watcher};
    watch->classic = classic_checks_new(memory, names, on_classic, watch);
    watch->consumer = consumer_checks_new(memory, names, on_consumer, watch);
    return watch;
}

void group_watch_free(struct group_watch *watch, struct memory *memory)
{
    if (watch == NULL) return;
    classic_checks_free(watch->classic);
    consumer_checks_free(watch->consumer);
    memory_give(memory, watch, sizeof *watch);
}

void group_watch_before(struct group_watch *watch, const struct coordinator *coordinator)
{
    if (watch == NULL) return;
    watch->is_looking = coordinator_state(coordinator) == COORDINATOR_ACTIVE;
    if (!watch->is_looking) return;
    classic_checks_before(watch->classic, coordinator);
    consumer_checks_before(watch->consumer, coordinator);
}

void group_watch_after(struct group_watch *watch, const struct coordinator *coordinator,
                       const struct message *request, const struct message *response)
{
    if (watch == NULL || !watch->is_looking) return;
    watch->is_looking = false;
    if (coordinator_state(coordinator) != COORDINATOR_ACTIVE) return;
    classic_checks_after(watch->classic, coordinator, request, response);
    consumer_checks_after(watch->consumer, coordinator, request, response);
}

void group_watch_loaded(struct group_watch *watch, const struct coordinator *coordinator)
{
    if (watch == NULL) return;
    classic_checks_failed_over(watch->classic);
    classic_checks_loaded(watch->classic, coordinator);
}
