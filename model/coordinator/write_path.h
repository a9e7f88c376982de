/* model/coordinator/write_path.h: from records to the log and back: batches, waiting operations,
 * effects. */
#ifndef MODEL_COORDINATOR_WRITE_PATH_H
#define MODEL_COORDINATOR_WRITE_PATH_H

#include "model/coordinator/shard.h"

void write_path_init(struct coordinator *coordinator);
/* Appends the operation's records to the open batch, or queues it behind what is outstanding. The
 * operation is moved to the shard's memory if it has to wait. */
void write_path_submit(struct coordinator *coordinator, struct operation *operation);
/* Hands the open batch out as an APPEND effect. */
void write_path_flush(struct coordinator *coordinator);
/* A transaction marker: a batch of its own. `operation` waits for it. */
void write_path_append_marker(struct coordinator *coordinator, struct operation *operation,
                              struct group_log_batch *marker);
/* Unloading: everything waiting fails. */
void write_path_fail_all(struct coordinator *coordinator, enum kafka_error error);

void coordinator_push_effect(struct coordinator *coordinator,
                             const struct coordinator_effect *effect);

/* Completes the operation (once); afterwards it may be freed with operation_release. */
void operation_complete(struct operation *operation, enum kafka_error error, sim_time now);
void operation_release(struct operation *operation);

/* Puts an error that concerns the whole request into a finished response. */
void response_set_error(struct message *response, enum kafka_error error);

#endif
