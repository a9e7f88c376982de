/* model/group_watch.h: the coordinator's own checkers (classic_checks.h, consumer_checks.h) around
 * every step of the coordinators of a world.
 *
 * Looking costs O(members of the shard) per step, so a world does it only when it is asked to
 * (world_watch_groups): tests do. What is told is a bug in Cohort. */
#ifndef MODEL_GROUP_WATCH_H
#define MODEL_GROUP_WATCH_H

#include "model/coordinator/coordinator.h"

/* `invariant` as in checkers.md: "I7". */
typedef void group_violation(void *self, const char *invariant, name_id group, const char *what);

/* Whom to tell; `tell` NULL: nobody looks. */
struct group_watcher {
    group_violation *tell;
    void *self;
};

/* What is remembered of one shard at one broker. */
struct group_watch;

/* The watcher must outlive it. The other functions do nothing with NULL. */
struct group_watch *group_watch_new(const struct group_watcher *watcher, struct memory *memory,
                                    struct names *names);
void group_watch_free(struct group_watch *watch, struct memory *memory);

void group_watch_before(struct group_watch *watch, const struct coordinator *coordinator);
/* `request` NULL: a timer, or the log. `response`: if it was answered within the step. */
void group_watch_after(struct group_watch *watch, const struct coordinator *coordinator,
                       const struct message *request, const struct message *response);
/* The shard has just been loaded: generations may be used again, and what is committed is. */
void group_watch_loaded(struct group_watch *watch, const struct coordinator *coordinator);

#endif
