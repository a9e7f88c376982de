/* tests/conformance/coordinator_request.h: a recorded request as a message. */
#ifndef TESTS_CONFORMANCE_COORDINATOR_REQUEST_H
#define TESTS_CONFORMANCE_COORDINATOR_REQUEST_H

#include "model/message.h"
#include "sim/names.h"

#include <jansson.h>

/* NULL when the api is unknown. */
struct message *coordinator_request_read(struct memory *memory, struct names *names,
                                         const json_t *request);

/* null is NAME_NONE. */
name_id json_name(struct names *names, const json_t *text);

#endif
