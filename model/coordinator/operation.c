/* model/coordinator/operation.c: one request or firing timer, from handler to completion. */
#include "model/coordinator/write_path.h"

#include "sim/check.h"

#define RECORDS_INITIAL 4

enum kafka_error coordinator_write_error(enum kafka_error error)
{
    switch ((int)error) {
    case KAFKA_UNKNOWN_TOPIC_OR_PARTITION:
    case KAFKA_NOT_ENOUGH_REPLICAS:
    case KAFKA_REQUEST_TIMED_OUT: return KAFKA_COORDINATOR_NOT_AVAILABLE;
    case KAFKA_NOT_LEADER_OR_FOLLOWER:
    case KAFKA_KAFKA_STORAGE_ERROR: return KAFKA_NOT_COORDINATOR;
    case KAFKA_MESSAGE_TOO_LARGE:
    case KAFKA_RECORD_LIST_TOO_LARGE:
    case KAFKA_INVALID_FETCH_SIZE: return KAFKA_UNKNOWN_SERVER_ERROR;
    case KAFKA_NETWORK_EXCEPTION: /* verification of a transaction */
        return KAFKA_COORDINATOR_LOAD_IN_PROGRESS;
    default: return error;
    }
}

/* OffsetFetch says NOT_COORDINATOR where others say COORDINATOR_NOT_AVAILABLE: it makes consumers
 * look the coordinator up again (GroupCoordinatorService.handleOffsetFetchException). */
static enum kafka_error response_error(enum kafka_api api, enum kafka_error error)
{
    enum kafka_error mapped = coordinator_write_error(error);
    if (api == API_OFFSET_FETCH && mapped == KAFKA_COORDINATOR_NOT_AVAILABLE) {
        return KAFKA_NOT_COORDINATOR;
    }
    return mapped;
}

void operation_add(struct operation *operation, struct group_record record)
{
    struct coordinator *coordinator = operation->coordinator;
    if (operation->record_count == operation->record_capacity) {
        uint32_t capacity =
            operation->record_capacity == 0 ? RECORDS_INITIAL : operation->record_capacity * 2;
        operation->records =
            memory_resize(coordinator->memory, operation->records,
                          sizeof(record) * operation->record_capacity, sizeof(record) * capacity);
        operation->record_capacity = capacity;
    }
    group_record_measure(coordinator->names, &record);
    operation->records[operation->record_count++] = record;
}

static void drop_records(struct operation *operation)
{
    for (uint32_t i = 0; i < operation->record_count; i++) {
        group_record_free(operation->coordinator->memory, &operation->records[i]);
    }
    operation->record_count = 0;
}

static void drop_response(struct operation *operation)
{
    if (operation->response == NULL) return;
    message_free(operation->coordinator->memory, operation->response);
    operation->response = NULL;
}

void operation_refuse(struct operation *operation, enum kafka_error error)
{
    struct coordinator *coordinator = operation->coordinator;
    drop_records(operation);
    drop_response(operation);
    operation->completed = true;
    if (operation->request == NULL) return;
    coordinator_reply(coordinator, operation->token,
                      coordinator_error_response(coordinator->memory, operation->request, error));
}

void *operation_respond(struct operation *operation, size_t size)
{
    drop_response(operation);
    operation->response =
        message_new(operation->coordinator->memory, operation->request->api, size);
    operation->response->correlation = operation->request->correlation;
    return operation->response;
}

void operation_begin_timer(struct operation *operation, struct coordinator *coordinator,
                           sim_time now)
{
    coordinator->now = now;
    *operation = (struct operation){.coordinator = coordinator, .now = now, .producer_id = -1};
}

void operation_finish(struct operation *operation)
{
    if (!operation->completed) {
        write_path_submit(operation->coordinator, operation);
    } else {
        operation_release(operation);
    }
}

struct parked_request *operation_park(struct operation *operation)
{
    struct parked_request *parked = memory_take(operation->coordinator->memory, sizeof(*parked));
    *parked = (struct parked_request){.token = operation->token,
                                      .api = operation->request->api,
                                      .references = 2};
    operation->parked = parked;
    return parked;
}

void parked_release(struct coordinator *coordinator, struct parked_request **parked)
{
    struct parked_request *request = *parked;
    *parked = NULL;
    if (request == NULL) return;
    CHECK(request->references > 0);
    if (--request->references == 0) memory_give(coordinator->memory, request, sizeof(*request));
}

void parked_answer(struct coordinator *coordinator, struct parked_request **parked,
                   struct message *response)
{
    struct parked_request *request = *parked;
    if (request->answered) {
        message_free(coordinator->memory, response);
    } else {
        request->answered = true;
        coordinator_reply(coordinator, request->token, response);
    }
    parked_release(coordinator, parked);
}

void parked_abandon(struct coordinator *coordinator, struct parked_request **parked)
{
    struct parked_request *request = *parked;
    if (request == NULL) return;
    if (!request->answered) {
        request->answered = true;
        coordinator_reply(coordinator, request->token, NULL);
    }
    parked_release(coordinator, parked);
}

static void fail_parked(struct operation *operation, enum kafka_error error)
{
    struct coordinator *coordinator = operation->coordinator;
    if (operation->parked->answered) return;
    struct message request = {.api = operation->parked->api};
    parked_answer(coordinator, &operation->parked,
                  coordinator_error_response(coordinator->memory, &request,
                                             coordinator_write_error(error)));
}

void operation_complete(struct operation *operation, enum kafka_error error, sim_time now)
{
    if (operation->completed) return;
    struct coordinator *coordinator = operation->coordinator;
    operation->completed = true;
    coordinator_disarm(coordinator, &operation->timeout);
    if (operation->done != NULL) operation->done(coordinator, operation, error, now);

    if (operation->parked != NULL && error != KAFKA_NONE) fail_parked(operation, error);
    if (operation->response == NULL) return;
    if (error != KAFKA_NONE) {
        response_set_error(operation->response, response_error(operation->response->api, error));
    }
    coordinator_reply(coordinator, operation->token, operation->response);
    operation->response = NULL;
}

void operation_release(struct operation *operation)
{
    struct memory *memory = operation->coordinator->memory;
    drop_records(operation);
    drop_response(operation);
    memory_give(memory, operation->records,
                sizeof(*operation->records) * operation->record_capacity);
    memory_give(memory, operation->context, operation->context_size);
    group_log_batch_release(operation->batch);
    parked_release(operation->coordinator, &operation->parked);
    operation->records = NULL;
    operation->record_capacity = 0;
    operation->context = NULL;
    operation->batch = NULL;
}

void coordinator_reply(struct coordinator *coordinator, uint64_t token, struct message *response)
{
    coordinator_push_effect(coordinator, &(struct coordinator_effect){.kind = COORDINATOR_REPLY,
                                                                      .token = token,
                                                                      .response = response});
}
