#include "model/trace_kinds.h"

#include "sim/check.h"

/* The members of each enum as text, under the name the field table uses. */
#define X(member) #member,
static const char *const names_PROCESS_STATE[] = {TRACE_ENUM_PROCESS_STATE(X)};
static const char *const names_GROUP_STATE[] = {TRACE_ENUM_GROUP_STATE(X)};
static const char *const names_REBALANCE_CAUSE[] = {TRACE_ENUM_REBALANCE_CAUSE(X)};
static const char *const names_OWNERSHIP_END[] = {TRACE_ENUM_OWNERSHIP_END(X)};
static const char *const names_POSITION_CAUSE[] = {TRACE_ENUM_POSITION_CAUSE(X)};
static const char *const names_COMMIT_CALL[] = {TRACE_ENUM_COMMIT_CALL(X)};
static const char *const names_SEND_FAILURE[] = {TRACE_ENUM_SEND_FAILURE(X)};
static const char *const names_FAULT_PHASE[] = {TRACE_ENUM_FAULT_PHASE(X)};
static const char *const names_UNREADABLE_WHY[] = {TRACE_ENUM_UNREADABLE_WHY(X)};
static const char *const names_CLIENT_EVENT[] = {TRACE_ENUM_CLIENT_EVENT(X)};
#undef X

#define PLAIN_FIELD(name, type) {#name, FIELD_##type, NULL, 0},
#define ENUM_FIELD(name, list)  {#name, FIELD_ENUM, names_##list, ARRAY_LEN(names_##list)},
#define KIND(kind, name, class, help, ...)                                                         \
    [TRACE_##kind] = {name,                                                                        \
                      TRACE_##class,                                                               \
                      help,                                                                        \
                      {__VA_ARGS__},                                                               \
                      ARRAY_LEN(((const struct trace_field[]){__VA_ARGS__}))},

const struct trace_kind trace_kinds[TRACE_KIND_COUNT] = {
    TRACE_KINDS(KIND, PLAIN_FIELD, ENUM_FIELD)};
