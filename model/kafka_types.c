#include "model/kafka_types.h"

#include "sim/check.h"

#include <string.h>

static const struct {
    const char *name;
    int32_t value;
} errors[] = {
#define X(name, value) {#name, value},
    KAFKA_ERRORS(X)
#undef X
};

const char *kafka_error_name(int32_t error)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (errors[i].value == error) return errors[i].name;
    }
    return "UNKNOWN";
}

bool kafka_error_find(const char *name, enum kafka_error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        if (strcmp(errors[i].name, name) != 0) continue;
        *error = (enum kafka_error)errors[i].value;
        return true;
    }
    return false;
}
