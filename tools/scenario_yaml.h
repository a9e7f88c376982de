/* tools/scenario_yaml.h: from a scenario file to what a world is built from. */
#ifndef TOOLS_SCENARIO_YAML_H
#define TOOLS_SCENARIO_YAML_H

#include "model/scenario.h"
#include "tools/diagnostic.h"
#include "tools/text.h"

/* What the command line changes. `--set` takes a dotted path and a value in the file's own grammar:
 * "groups.payments.config.session.timeout.ms=10000". */
struct scenario_overrides {
    const char *const *sets; /* "path=value", shape [set_count] */
    size_t set_count;
    const char *seed; /* as tools/seed.h takes it; NULL = the file's */
};

/* Owns the scenario and all it points to. */
struct scenario_document;

/* False when there were errors; warnings may come either way. `path` "-" is standard input;
 * `overrides` may be NULL. */
bool scenario_load(const char *path, const struct scenario_overrides *overrides,
                   struct scenario_document **document, struct diagnostics *diagnostics);
/* The same from text, under a name for the messages. Files it names are looked for in `directory`.
 */
bool scenario_load_text(const char *name, const char *directory, const char *text, size_t length,
                        const struct scenario_overrides *overrides,
                        struct scenario_document **document, struct diagnostics *diagnostics);

const struct scenario *scenario_document_scenario(const struct scenario_document *document);
/* The resolved scenario as YAML: every value explicit. It loads back to the same scenario, the
 * positions in the file aside. */
void scenario_document_write(const struct scenario_document *document, struct text *text);
void scenario_document_free(struct scenario_document *document);

#endif
