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
    uint64_t hash;        /* of the kind's name: numbering of kinds is in no fingerprint */
    uint32_t name_fields; /* bit per field */
    uint32_t line_fields; /* likewise */
    bool is_watched;
};

void trace_init(struct trace *trace, struct memory *memory, struct names *names)
{
    trace->memory = memory;
    trace->names = names;
    fingerprint_init(&trace->full);
    fingerprint_init(&trace->workload);
    fingerprint_init(&trace->protocol);
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
        for (uint32_t field = 0; field < kinds[kind].field_count; field++) {
            if (kinds[kind].fields[field].type == FIELD_NAME) watch->name_fields |= 1u << field;
            if (kinds[kind].fields[field].type == FIELD_LINE) watch->line_fields |= 1u << field;
        }
        for (uint32_t i = 0; i < trace->watcher_count; i++) {
            const bool *interest = trace->watchers[i].interest;
            if (interest == NULL || interest[kind]) watch->is_watched = true;
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
    size_t old_size = trace->watcher_count * sizeof *trace->watchers;
    trace->watchers =
        memory_resize(trace->memory, trace->watchers, old_size, old_size + sizeof *trace->watchers);
    trace->watchers[trace->watcher_count++] = (struct trace_watcher){observer, self, interest};
    for (uint32_t kind = 0; kind < trace->kind_count; kind++) {
        if (interest == NULL || interest[kind]) trace->watch[kind].is_watched = true;
    }
}

bool trace_is_watched(const struct trace *trace, uint16_t kind)
{
    return kind < trace->kind_count && trace->watch[kind].is_watched;
}

void trace_emit(struct sim *sim, uint16_t kind, const int64_t *fields, uint32_t field_count)
{
    struct trace *trace = &sim->trace;
    if (trace->kinds == NULL) return;
    CHECK(kind < trace->kind_count && field_count <= trace->kinds[kind].field_count);
    const struct trace_kind *description = &trace->kinds[kind];
    const struct kind_watch *watch = &trace->watch[kind];

    /* Instant, kind, fields, zeros up to whole stripes. */
    uint64_t word[2 + TRACE_FIELDS] = {(uint64_t)sim->now, watch->hash};
    for (uint32_t i = 0; i < field_count; i++)
        word[2 + i] = (uint64_t)fields[i];
    for (uint32_t names = watch->name_fields; names != 0; names &= names - 1) {
        uint32_t i = (uint32_t)__builtin_ctz(names);
        word[2 + i] = names_hash(trace->names, (name_id)word[2 + i]);
    }
    for (uint32_t lines = watch->line_fields; lines != 0; lines &= lines - 1) {
        word[2 + (uint32_t)__builtin_ctz(lines)] = 0;
    }
    struct fingerprint *narrow = description->class == TRACE_WORKLOAD   ? &trace->workload
                                 : description->class == TRACE_PROTOCOL ? &trace->protocol
                                                                        : NULL;
    for (uint32_t i = 0; i < 2 + description->field_count; i += 4) {
        fingerprint_add(&trace->full, word[i], word[i + 1], word[i + 2], word[i + 3]);
        if (narrow != NULL) fingerprint_add(narrow, word[i], word[i + 1], word[i + 2], word[i + 3]);
    }
    uint64_t number = trace->record_count++;
    if (!watch->is_watched) return;

    struct trace_record record = {.at = sim->now, .number = number, .kind = kind};
    memcpy(record.field, fields, field_count * sizeof *fields);
    for (uint32_t i = 0; i < trace->watcher_count; i++) {
        const struct trace_watcher *watcher = &trace->watchers[i];
        if (watcher->interest == NULL || watcher->interest[kind]) {
            watcher->observer(watcher->self, &record);
        }
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
