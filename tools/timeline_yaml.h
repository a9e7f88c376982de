/* tools/timeline_yaml.h: the timeline of a scenario file.
 *
 *     - {at: 60s, rolling_restart: payments}
 *     - {every: 10m, at: 5m, until: 1h, times: 3, crash: any 1 of payments, for: 30s}
 *     - {when: {group: payments, state: PreparingRebalance, skip: 1}, crash: group leader of
 * payments}
 *     - {every: {exponential: {mean: 3m}}, stable_for: 1m, chaos: [
 *           {crash: any 1 of payments, for: 30s, weight: 3}, {pause: any 1 of payments, for: 12s}]}
 *     - {at: 50m, quiet: true}
 *
 * An entry has one kind (model/scenario.h, TIMELINE_KINDS), whose value is its target, keys that
 * say when, and the parameters of its kind (tools/timeline_rules.h). */
#ifndef TOOLS_TIMELINE_YAML_H
#define TOOLS_TIMELINE_YAML_H

#include "tools/schema.h"

/* timeline_write.c: for the schema. */
void timeline_write(struct writer *writer, const struct schema_field *field, const void *base);
struct json_t *timeline_json(const struct schema_field *field);
/* The kinds with their targets and parameters, as a table in Markdown. */
void timeline_write_page(struct text *text);

#endif
