/* tests/conformance/coordinator_answers.h: responses and groups in the form of the recordings. */
#ifndef TESTS_CONFORMANCE_COORDINATOR_ANSWERS_H
#define TESTS_CONFORMANCE_COORDINATOR_ANSWERS_H

#include "model/coordinator/shard.h"

#include <jansson.h>

/* A new object; the caller drops it. */
json_t *coordinator_answer_json(const struct names *names, const struct message *response);
/* null when there is no such group. */
json_t *coordinator_group_json(const struct coordinator *coordinator, name_id group);

/* Helpers that both need. */
json_t *name_json(const struct names *names, name_id name); /* NAME_NONE is null */
json_t *assignment_json(struct bytes assignment);           /* text, or "hex:..." */
json_t *partitions_json(const struct names *names, const struct topic_partition *partitions,
                        int32_t count); /* {"t01": [0, 2]} */

#endif
