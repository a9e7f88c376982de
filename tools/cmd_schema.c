/* tools/cmd_schema.c: `cohort schema`: every key of a scenario, for editors and people. */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/schema_json.h"

struct schema_values {
    bool markdown;
};

static const struct option options[] = {
    {"markdown", 0, OPTION_FLAG, NULL, offsetof(struct schema_values, markdown),
     "the reference page instead of JSON Schema"},
};

static int run(const void *values, const struct arguments *arguments)
{
    (void)arguments;
    const struct schema_values *v = values;
    struct text text = {0};
    if (v->markdown) {
        schema_write_page(&text);
    } else {
        schema_write_json(&text);
    }
    fputs(text_data(&text), stdout);
    text_free(&text);
    return EXIT_FINE;
}

const struct command command_schema = {
    .name = "schema",
    .summary = "every key of a scenario, as JSON Schema for editors or as a page",
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct schema_values),
    .details = "A scenario whose first line is\n"
               "  # yaml-language-server: $schema=schema.json\n"
               "is completed and checked in VS Code, Neovim and Helix while it is written.",
    .example = "cohort schema > schema.json",
    .run = run,
};
