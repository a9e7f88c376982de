/* model/coordinator/answer_tables.h: answers that depend on the group's state only, as data.
 *
 * The tests walk them cell by cell. */
#ifndef MODEL_COORDINATOR_ANSWER_TABLES_H
#define MODEL_COORDINATOR_ANSWER_TABLES_H

#include "model/coordinator/group_events.h"

/* Heartbeat of a valid member of the current generation. */
struct heartbeat_rule {
    enum kafka_error error;
    bool counts; /* restarts the session timer */
};
extern const struct heartbeat_rule heartbeat_rules[GROUP_STATE_COUNT];

/* OffsetCommit of a valid member of the current generation. */
struct commit_rule {
    enum kafka_error error;
    bool counts; /* restarts the session timer */
};
extern const struct commit_rule commit_rules[GROUP_STATE_COUNT];

/* DeleteGroups, by state. */
extern const enum kafka_error delete_group_answers[GROUP_STATE_COUNT];

#endif
