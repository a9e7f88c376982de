/* tools/store_reader.h: the run store, run.db: reading.
 *
 * A reader is opened on a run directory (or on its run.db) and knows the run's names, partitions
 * and what was kept. Records come back as they were emitted, so code that understands the trace
 * understands a stored run. */
#ifndef TOOLS_STORE_READER_H
#define TOOLS_STORE_READER_H

#include "model/trace_kinds.h"
#include "sim/time.h"
#include "tools/store.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct store_reader;

/* NULL, and the reason in `error` (to be freed by free()): no such run, not a run, a run of another
 * version, a damaged file. */
struct store_reader *store_open(const char *run, char **error);
void store_close(struct store_reader *reader);

/* The row of `run`; texts live as long as the reader. */
struct store_run_row {
    const char *version;
    const char *scenario_name;
    const char *scenario_text;
    uint64_t seed;
    const char *tie_order;
    enum store_events events;
    sim_time duration_ns;
    sim_time sample_ns;
    uint64_t engine_events;
    uint64_t records;
    const char *fingerprints[3]; /* workload, protocol, full: 16 hex digits */
};
const struct store_run_row *store_run_row(const struct store_reader *reader);
/* The directory that holds run.db. */
const char *store_directory(const struct store_reader *reader);
sqlite3 *store_database(const struct store_reader *reader);

/* "" for 0 and for numbers the store does not know. */
const char *store_name(const struct store_reader *reader, int64_t name);
/* NAME_NONE when the run never used it. */
name_id store_find_name(const struct store_reader *reader, const char *text);
struct store_partition {
    uint32_t id;
    const char *topic;
    int32_t number;
};
/* In order of topic name and number; shape [*count]. */
const struct store_partition *store_partitions(const struct store_reader *reader, size_t *count);
/* NULL when the run never used it. */
const struct store_partition *store_find_partition(const struct store_reader *reader, int64_t id);

/* Names of the groups that appear in the run, sorted as bytes; shape [*count]. */
const name_id *store_groups(const struct store_reader *reader, size_t *count);

/* The instant from which records of this kind are missing; SIM_TIME_NEVER: none are. */
sim_time store_kept_until(const struct store_reader *reader, uint16_t kind);

/* Calls `visit` for the kept records of the given kinds (NULL = all) with from <= at <= to, in
 * order, until it returns false. False: the file is damaged, the reason in `error`. */
typedef bool store_visitor(void *self, const struct trace_record *record);
bool store_visit(const struct store_reader *reader, const uint16_t *kinds, size_t kind_count,
                 sim_time from, sim_time to, store_visitor *visit, void *self, char **error);

#endif
