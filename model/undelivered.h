/* model/undelivered.h: messages that nobody will read. */
#ifndef MODEL_UNDELIVERED_H
#define MODEL_UNDELIVERED_H

#include "model/message.h"
#include "model/messages_data.h"
#include "sim/sim.h"

/* Frees a message that got lost with a connection or a process. Who sent it finds out by himself,
 * unless he asked for no answer: records sent with acks=0 are reported (SEND_FAILED), for nobody
 * else will ever know. */
void message_drop(struct sim *sim, struct message *message);

/* The same of one batch with acks=0 that a broker refused. */
void report_dropped_batch(struct sim *sim, const struct produce_request *request,
                          const struct produce_batch *batch, enum kafka_error error);

#endif
