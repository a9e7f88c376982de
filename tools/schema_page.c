/* tools/schema_page.c: the schema as a reference page in Markdown. */
#include "tools/expect.h"
#include "tools/schema_json.h"
#include "tools/timeline_yaml.h"

#include <string.h>

/* A '|' would end the cell. */
static void append_cell(struct text *text, const char *cell)
{
    for (const char *at = cell; *at != '\0'; at++) {
        if (*at == '|') text_append(text, "\\");
        text_append_bytes(text, at, 1);
    }
    text_append(text, " | ");
}

static void write_row(struct text *text, const struct schema_field *field)
{
    text_format(text, "| `%s` | ", field->key);
    struct text expectation = {0};
    schema_expectation(&expectation, field);
    append_cell(text, text_data(&expectation));
    text_free(&expectation);
    if (field->preset == NULL) {
        text_append(text, field->stands_for == NULL ? "required | " : " | ");
    } else if (strcmp(field->preset, PRESET_PREPARED) == 0) {
        append_cell(text, field->source);
    } else {
        text_append(text, "`");
        append_cell(text, field->preset[0] == '\0' ? " " : field->preset);
        text->length -= 3; /* the quote ends before the bar */
        text_append(text, "` | ");
    }
    text_append(text, field->help);
    text_append(text, " |\n");
}

/* An object and all below it; `path` is how one gets there. */
static void write_object(struct text *text, const struct schema_object *object, const char *path)
{
    text_format(text, "\n## `%s`\n\n%s\n\n", path, object->help);
    text_append(text, "| key | value | default | what it is |\n|---|---|---|---|\n");
    for (size_t i = 0; i < object->field_count; i++)
        write_row(text, &object->fields[i]);
    for (size_t i = 0; i < object->field_count; i++) {
        const struct schema_field *field = &object->fields[i];
        bool is_told = field->keeps; /* the same keys, further up */
        if (is_told || (field->type != SCHEMA_OBJECT && field->type != SCHEMA_MAP)) continue;
        struct text below = {0};
        if (object != &schema_scenario) text_format(&below, "%s.", path);
        text_format(&below, "%s%s", field->key, field->type == SCHEMA_MAP ? ".NAME" : "");
        write_object(text, field->object, text_data(&below));
        text_free(&below);
    }
}

void schema_write_page(struct text *text)
{
    text_append(
        text,
        "# Scenario files\n\n"
        "A scenario is one YAML document. Durations, sizes, rates and shares carry a unit (`45s`, "
        "`1GiB`, `900/s`, `0.5%`); Kafka's settings under `config:` also take a bare number in "
        "Kafka's own unit. Where a duration or a size may vary, a distribution can stand: "
        "`{uniform: {low: 1ms, high: 3ms}}`, `{exponential: {mean: 2ms}}`, "
        "`{normal: {mean: 5ms, deviation: 1ms}}`, `{lognormal: {median: 1ms, p99: 9ms}}`, "
        "`{gamma: {mean: 5ms, shape: 2}}`, `{pareto: {minimum: 1ms, alpha: 1.5}}`, "
        "`{empirical: [[1ms, 90], [50ms, 10]]}`.\n");
    write_object(text, &schema_scenario, "scenario");
    text_append(text,
                "\n## `timeline`\n\n"
                "Each entry says when (`at`; `every` with `until` and `times`; `when: {group, "
                "state, skip}`), does one thing, and has the parameters of that thing; "
                "optional ones are in brackets. `chaos: [entry, …]` draws one of several by "
                "`weight` at each instant of its `every`.\n\n"
                "Targets: `GROUP-3`, `GROUP`, `any 2 of GROUP`, `group leader of GROUP`, "
                "`broker 1`, `brokers`, `any broker`, `coordinator of GROUP`, "
                "`leader of TOPIC-0`, `TOPIC`, `TOPIC-0`, `producer NAME`.\n\n");
    timeline_write_page(text);
    text_append(text, "\n## `expect`\n\n"
                      "Each line compares two terms with `>=`, `<=`, `>`, `<`, `==` or `!=`: a "
                      "number with the unit of the other side, or a metric.\n\n");
    expect_write_page(text);
}
