#include "sim/trace.h"

#include "sim/internal.h"

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
};

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

static void hash_record(struct trace *trace, const struct kind_watch *watch, sim_time at,
                        const int64_t *fields, uint32_t field_count)
{
    /* Instant, kind, fields, zeros up to whole stripes. */
    uint64_t word[2 + TRACE_FIELDS];
    uint32_t used = 0;
    word[used++] = (uint64_t)at;
    word[used++] = watch->hash;
    for (uint32_t i = 0; i < field_count; i++)
        word[used++] = (uint64_t)fields[i];
    while (used < 2 + watch->field_count || used % 4 != 0)
        word[used++] = 0;
    for (uint32_t names = watch->name_fields; names != 0; names &= names - 1) {
        uint32_t i = 2 + (uint32_t)__builtin_ctz(names);
        word[i] = names_hash(trace->names, (name_id)word[i]);
    }
    for (uint32_t lines = watch->line_fields; lines != 0; lines &= lines - 1) {
        word[2 + (uint32_t)__builtin_ctz(lines)] = 0;
    }
    struct fingerprint *narrow = watch->narrow;
    for (uint32_t i = 0; i < used; i += 4) {
        fingerprint_add(&trace->full, word[i], word[i + 1], word[i + 2], word[i + 3]);
        if (narrow != NULL) fingerprint_add(narrow, word[i], word[i + 1], word[i + 2], word[i + 3]);
    }
}

void trace_emit(struct sim *sim, uint16_t kind, const int64_t *fields, uint32_t field_count)
{
    struct trace *trace = &sim->trace;
    if (trace->kinds == NULL) return;
    CHECK(kind < trace->kind_count && field_count <= trace->watch[kind].field_count);
    const struct kind_watch *watch = &trace->watch[kind];
    hash_record(trace, watch, sim->now, fields, field_count);
    uint64_t number = trace->record_count++;
    if (watch->watcher_count == 0) return;

    struct trace_record record;
    record.at = sim->now;
    record.number = number;
    record.kind = kind;
    for (uint32_t i = 0; i < TRACE_FIELDS; i++)
        record.field[i] = i < field_count ? fields[i] : 0;
    for (uint32_t i = 0; i < watch->watcher_count; i++) {
        watch->watchers[i].observer(watch->watchers[i].self, &record);
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
