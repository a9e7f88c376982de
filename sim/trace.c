#include "sim/trace.h"

#include "sim/internal.h"

#include <string.h>

struct trace_watcher {
    trace_observer *observer;
    void *self;
    const bool *interest; /* NULL = every kind */
};

/* What emitting one kind needs to know, in one place. */
struct kind_watch {
    uint64_t hash;              /* of the kind's name: numbering of kinds is in no fingerprint */
    struct fingerprint *narrow; /* of its class; NULL for those that are in `full` only */
    struct trace_watcher *watchers; /* who wants this kind, shape [watcher_count] */
    uint32_t watcher_count;
    uint32_t name_fields; /* bit per field */
    uint32_t line_fields; /* likewise */
    uint32_t field_count;
    uint32_t stripes; /* of four words, that are hashed */
};

_Static_assert(offsetof(struct trace_record, field) == 16 && (2 + TRACE_FIELDS) % 4 == 0,
               "a record is hashed as it lies, and all its fields fill whole stripes");

void trace_init(struct trace *trace, struct memory *memory, struct names *names)
{
    trace->memory = memory;
    trace->names = names;
    fingerprint_init(&trace->full);
    fingerprint_init(&trace->workload);
    fingerprint_init(&trace->protocol);
}

static void add_watcher(struct trace *trace, uint32_t kind, struct trace_watcher watcher)
{
    if (watcher.interest != NULL && !watcher.interest[kind]) return;
    struct kind_watch *watch = &trace->watch[kind];
    size_t size = watch->watcher_count * sizeof *watch->watchers;
    watch->watchers =
        memory_resize(trace->memory, watch->watchers, size, size + sizeof *watch->watchers);
    watch->watchers[watch->watcher_count++] = watcher;
}

static struct fingerprint *fingerprint_of(struct trace *trace, enum trace_class class)
{
    switch (class) {
    case TRACE_FULL: return NULL;
    case TRACE_WORKLOAD: return &trace->workload;
    case TRACE_PROTOCOL: return &trace->protocol;
    }
    CHECK(false && "a kind is of one of the classes above");
    return NULL;
}

void trace_set_kinds(struct trace *trace, const struct trace_kind *kinds, uint32_t kind_count)
{
    CHECK(trace->kinds == NULL && kind_count <= UINT16_MAX);
    trace->kinds = kinds;
    trace->kind_count = kind_count;
    trace->watch = memory_keep(trace->memory, kind_count * sizeof *trace->watch);
    for (uint32_t kind = 0; kind < kind_count; kind++) {
        struct kind_watch *watch = &trace->watch[kind];
        CHECK(kinds[kind].field_count <= TRACE_FIELDS);
        watch->hash = names_hash(trace->names, names_intern(trace->names, kinds[kind].name));
        watch->narrow = fingerprint_of(trace, kinds[kind].class);
        watch->field_count = kinds[kind].field_count;
        watch->stripes = (2 + watch->field_count + 3) / 4;
        for (uint32_t field = 0; field < kinds[kind].field_count; field++) {
            if (kinds[kind].fields[field].type == FIELD_NAME) watch->name_fields |= 1u << field;
            if (kinds[kind].fields[field].type == FIELD_LINE) watch->line_fields |= 1u << field;
        }
        for (uint32_t i = 0; i < trace->watcher_count; i++) {
            add_watcher(trace, kind, trace->watchers[i]);
        }
    }
}

const struct trace_kind *trace_kind(const struct trace *trace, uint16_t kind)
{
    CHECK(kind < trace->kind_count);
    return &trace->kinds[kind];
}

void trace_observe(struct trace *trace, trace_observer *observer, void *self, const bool *interest)
{
    struct trace_watcher watcher = {observer, self, interest};
    size_t size = trace->watcher_count * sizeof *trace->watchers;
    trace->watchers =
        memory_resize(trace->memory, trace->watchers, size, size + sizeof *trace->watchers);
    trace->watchers[trace->watcher_count++] = watcher;
    for (uint32_t kind = 0; kind < trace->kind_count; kind++)
        add_watcher(trace, kind, watcher);
}

bool trace_is_watched(const struct trace *trace, uint16_t kind)
{
    return kind < trace->kind_count && trace->watch[kind].watcher_count > 0;
}

/* Whole stripes: instant, kind, fields, zeros. */
static inline void add_stripes(struct fingerprint *fingerprint, const uint64_t *word,
                               uint32_t stripes)
{
    struct fingerprint sum = *fingerprint; /* in registers, as nobody else can point to it */
    for (uint32_t i = 0; i < stripes; i++, word += 4) {
        fingerprint_add(&sum, word[0], word[1], word[2], word[3]);
    }
    *fingerprint = sum;
}

/* Names are hashed by their text, lines not at all: in a copy the fields hold that instead. */
static inline void hash_record(struct trace *trace, const struct kind_watch *watch,
                               const struct trace_record *record)
{
    uint64_t word[2 + TRACE_FIELDS];
    memcpy(word, record, sizeof word);
    for (uint32_t fields = watch->name_fields; fields != 0; fields &= fields - 1) {
        uint64_t *field = &word[2 + (uint32_t)__builtin_ctz(fields)];
        *field = names_hash(trace->names, (name_id)*field);
    }
    for (uint32_t fields = watch->line_fields; fields != 0; fields &= fields - 1)
        word[2 + (uint32_t)__builtin_ctz(fields)] = 0;
    add_stripes(&trace->full, word, watch->stripes);
    if (watch->narrow != NULL) add_stripes(watch->narrow, word, watch->stripes);
}

void trace_emit(struct sim *sim, uint16_t kind, struct trace_record *record, uint32_t field_count)
{
    struct trace *trace = &sim->trace;
    if (trace->kinds == NULL) return;
    CHECK(kind < trace->kind_count && field_count <= trace->watch[kind].field_count);
    const struct kind_watch *watch = &trace->watch[kind];
    record->at = sim->now;
    record->kind_hash = watch->hash;
    record->number = trace->record_count++;
    record->kind = kind;
    hash_record(trace, watch, record);
    for (uint32_t i = 0; i < watch->watcher_count; i++) {
        watch->watchers[i].observer(watch->watchers[i].self, record);
    }
}

struct fingerprints trace_fingerprints(const struct sim *sim)
{
    return (struct fingerprints){
        .workload = fingerprint_value(&sim->trace.workload),
        .protocol = fingerprint_value(&sim->trace.protocol),
        .full = fingerprint_value(&sim->trace.full),
    };
}
