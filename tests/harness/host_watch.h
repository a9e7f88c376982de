/* tests/harness/host_watch.h: the coordinator's checkers around every step of every host, unless a
 * test looks for itself or breaks things on purpose. A violation fails the test. */
#ifndef TESTS_HARNESS_HOST_WATCH_H
#define TESTS_HARNESS_HOST_WATCH_H

#include "model/group_watch.h"

struct host_watch {
    struct group_watcher watcher;
    struct group_watch *watch; /* NULL before the first step */
    struct memory *memory;
    struct names *names;
    bool is_off;
};

void host_watch_init(struct host_watch *watch, struct memory *memory, struct names *names);
void host_watch_before(struct host_watch *watch, const struct coordinator *coordinator);
void host_watch_after(struct host_watch *watch, const struct coordinator *coordinator,
                      const struct message *request, const struct message *response);
/* Another coordinator has loaded the log, or the same one anew. */
void host_watch_loaded(struct host_watch *watch, const struct coordinator *coordinator);
void host_watch_free(struct host_watch *watch);

#endif
