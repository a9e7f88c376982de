#include "tests/harness/host_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void tell(void *self, const char *invariant, name_id group, const char *what)
{
    const struct host_watch *watch = self;
    fail_msg("%s of %s: %s", invariant, names_text(watch->names, group), what);
}

void host_watch_init(struct host_watch *watch, struct memory *memory, struct names *names)
{
    *watch = (struct host_watch){.memory = memory, .names = names};
}

void host_watch_before(struct host_watch *watch, const struct coordinator *coordinator)
{
    if (watch->is_off) return;
    if (watch->watch == NULL) {
        watch->watcher = (struct group_watcher){tell, watch}; /* the host may have been copied */
        watch->watch = group_watch_new(&watch->watcher, watch->memory, watch->names);
        group_watch_loaded(watch->watch, coordinator);
    }
    group_watch_before(watch->watch, coordinator);
}

void host_watch_after(struct host_watch *watch, const struct coordinator *coordinator,
                      const struct message *request, const struct message *response)
{
    if (!watch->is_off) group_watch_after(watch->watch, coordinator, request, response);
}

void host_watch_loaded(struct host_watch *watch, const struct coordinator *coordinator)
{
    group_watch_loaded(watch->watch, coordinator);
}

void host_watch_free(struct host_watch *watch)
{
    group_watch_free(watch->watch, watch->memory);
    watch->watch = NULL;
}
