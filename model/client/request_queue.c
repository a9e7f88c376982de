#include "model/client/request_queue.h"

void request_queue_push(struct request_queue *queue, struct request *request)
{
    request->next = NULL;
    if (queue->last == NULL) {
        queue->first = request;
    } else {
        queue->last->next = request;
    }
    queue->last = request;
    queue->count++;
}

struct request *request_queue_pop(struct request_queue *queue)
{
    struct request *request = queue->first;
    if (request == NULL) return NULL;
    queue->first = request->next;
    if (queue->first == NULL) queue->last = NULL;
    queue->count--;
    return request;
}

void request_release(struct memory *memory, struct request *request)
{
    message_free(memory, request->message);
    message_free(memory, request->response);
    memory_give(memory, request, sizeof *request);
}
