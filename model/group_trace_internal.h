/* model/group_trace_internal.h: shared by the two files of group_trace.h. */
#ifndef MODEL_GROUP_TRACE_INTERNAL_H
#define MODEL_GROUP_TRACE_INTERNAL_H

#include "model/group_trace.h"

/* The scenario's name of the member with this id; NAME_NONE when not known. */
name_id group_trace_client(const struct group_trace *trace, name_id member_id);
struct sim *group_trace_sim(const struct group_trace *trace);

#endif
