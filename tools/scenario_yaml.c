/* tools/scenario_yaml.c: from a scenario file to what a world is built from. */
#include "tools/scenario_yaml.h"

#include "tools/reader.h"
#include "tools/scenario_check.h"
#include "tools/scenario_set.h"
#include "tools/seed.h"
#include "tools/source.h"
#include "tools/writer.h"

#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX (1024 * 1024)

struct scenario_document {
    struct memory *memory;
    struct scenario scenario;
};

/* "scenarios/three-consumers.yaml" is called three-consumers unless it says otherwise. */
static const char *name_of_file(struct reader *reader, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = tool_copy(slash == NULL ? path : slash + 1);
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name) *dot = '\0';
    const char *kept = reader_keep(reader, name);
    free(name);
    return kept;
}

static void override_seed(struct reader *reader, const char *text)
{
    if (seed_parse(text, &reader->scenario->seed)) return;
    int32_t source = diagnostics_add_source(reader->diagnostics, "--seed", text, strlen(text));
    struct position at = {.source = source, .line = 1, .column = 1, .width = (int32_t)strlen(text)};
    diagnostic_error(reader->diagnostics, at,
                     "expected a whole number, auto, or the 40 hex digits of a commit");
}

static void say_empty(struct diagnostics *diagnostics, int32_t source)
{
    diagnostic_error(diagnostics, (struct position){.source = source}, "the file is empty");
    diagnostic_hint(diagnostics, "the smallest scenario has a version, a topic, a producer and a "
                                 "group: see scenarios/three-consumers.yaml");
}

/* The order of the mistakes matters little: they are sorted when printed. But a tree that could
 * not be read is not looked at further, and cross-checks wait until every value is good. */
static void read_scenario(struct reader *reader, const char *path, struct node *root,
                          const struct scenario_overrides *overrides)
{
    for (size_t i = 0; overrides != NULL && i < overrides->set_count; i++)
        root = scenario_set(reader, root, overrides->sets[i]);
    reader->scenario->name = name_of_file(reader, path);
    reader_object(reader, &schema_scenario, root, "scenario", reader->scenario);
    if (overrides != NULL && overrides->seed != NULL) override_seed(reader, overrides->seed);
    if (diagnostics_errors(reader->diagnostics) == 0) scenario_check(reader, root);
}

static bool load(const char *name, const char *directory, const char *text, size_t length,
                 int32_t source, const struct scenario_overrides *overrides,
                 struct scenario_document **document, struct diagnostics *diagnostics)
{
    size_t errors_before = diagnostics_errors(diagnostics);
    struct memory *memory = memory_new();
    struct scenario_document *loaded = memory_keep(memory, sizeof *loaded);
    loaded->memory = memory;
    struct reader reader = {.memory = memory,
                            .diagnostics = diagnostics,
                            .scenario = &loaded->scenario,
                            .directory = directory};
    struct node *root = yaml_parse(memory, diagnostics, source, text, length, 1);
    if (root != NULL) {
        read_scenario(&reader, name, root, overrides);
    } else if (diagnostics_errors(diagnostics) == errors_before) {
        say_empty(diagnostics, source);
    }
    if (diagnostics_errors(diagnostics) > errors_before) {
        memory_free_all(memory);
        return false;
    }
    *document = loaded;
    return true;
}

bool scenario_load_text(const char *name, const char *directory, const char *text, size_t length,
                        const struct scenario_overrides *overrides,
                        struct scenario_document **document, struct diagnostics *diagnostics)
{
    int32_t source = diagnostics_add_source(diagnostics, name, text, length);
    return load(name, directory, text, length, source, overrides, document, diagnostics);
}

bool scenario_load(const char *path, const struct scenario_overrides *overrides,
                   struct scenario_document **document, struct diagnostics *diagnostics)
{
    struct source_text text;
    if (!source_read(diagnostics, path, FILE_SIZE_MAX, &text)) return false;
    char *directory = tool_copy(path);
    char *slash = strrchr(directory, '/');
    if (slash == NULL) {
        free(directory);
        directory = tool_copy(".");
    } else {
        slash[slash == directory ? 1 : 0] = '\0';
    }
    bool loaded = load(path, directory, text.data, text.length, text.source, overrides, document,
                       diagnostics);
    free(directory);
    free(text.data);
    return loaded;
}

const struct scenario *scenario_document_scenario(const struct scenario_document *document)
{
    return &document->scenario;
}

void scenario_document_write(const struct scenario_document *document, struct text *text)
{
    text_append(text, "# Resolved by cohort: every value explicit, so that the run replays alone.");
    struct writer writer = {.out = text, .scenario = &document->scenario};
    writer_object(&writer, &schema_scenario, &document->scenario);
    text_append(text, "\n");
}

void scenario_document_free(struct scenario_document *document)
{
    if (document != NULL) memory_free_all(document->memory);
}
