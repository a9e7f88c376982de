/* model/client/request_queue.h: requests of a network client, in order. Used by nobody else. */
#ifndef MODEL_CLIENT_REQUEST_QUEUE_H
#define MODEL_CLIENT_REQUEST_QUEUE_H

#include "model/client/network_client.h"

struct request {
    struct request *next;
    struct message *message; /* until written; then NULL */
    request_handler *handler;
    void *context;
    uint64_t tag;
    int64_t size_bytes;
    sim_time timeout_ns;
    sim_time sent_at;
    sim_time expires_at; /* from being queued, then from being written */
    uint32_t correlation;
    int32_t channel;
    bool no_response;
    bool is_stuck; /* the socket takes no more, or this stands behind such a request */
    bool may_idle;
    bool is_written;
    enum request_outcome outcome;
    struct message *response;
};

struct request_queue {
    struct request *first;
    struct request *last;
    int32_t count;
};

void request_queue_push(struct request_queue *queue, struct request *request);
/* The first, or NULL. */
struct request *request_queue_pop(struct request_queue *queue);
/* With the messages it holds. */
void request_release(struct memory *memory, struct request *request);

#endif
