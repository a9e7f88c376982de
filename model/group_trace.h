/* model/group_trace.h: a coordinator's notes become trace records.
 *
 * One for the cluster, so that what it remembers (who was assigned what, whose member ids these
 * are) survives a change of the coordinator, as an onlooker's memory does. */
#ifndef MODEL_GROUP_TRACE_H
#define MODEL_GROUP_TRACE_H

#include "model/cluster.h"
#include "model/coordinator/coordinator.h"

struct group_trace;

struct group_trace *group_trace_new(struct sim *sim, const struct cluster *cluster);
/* A note of the shard that this broker hosts. */
void group_trace_note(struct group_trace *trace, int32_t broker,
                      const struct coordinator *coordinator, const struct group_note *note);
/* A request is handed to a coordinator, or answered. `response` NULL = not answered for ever. */
void group_trace_request(struct group_trace *trace, int32_t broker, const struct message *request);
void group_trace_response(struct group_trace *trace, int32_t broker, const struct message *request,
                          const struct message *response);
/* The group a request is about; NAME_NONE when it names several or none. */
name_id group_request_group(const struct message *request);

#endif
