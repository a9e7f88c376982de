/* tools/expect_yaml.c: the `expect:` list of a scenario file. */
#include "tools/expect.h"
#include "tools/schema_hooks.h"

#include <jansson.h>

#define LINES_MAX 10000

static void read_expect(struct reader *reader, const struct schema_field *field,
                        const struct node *node, void *base)
{
    struct scenario *scenario = base;
    if (!reader_is(reader, field->key, node, NODE_LIST, field->hooks->grammar)) return;
    if (node->count > LINES_MAX) {
        diagnostic_error(reader->diagnostics, node->at, "%s: more than %d lines", field->key,
                         LINES_MAX);
        return;
    }
    struct scenario_expect *expects =
        memory_keep(reader->memory, (node->count + 1) * sizeof *expects);
    int32_t count = 0;
    for (size_t i = 0; i < node->count; i++) {
        const struct node *line = node->items[i];
        if (!reader_is(reader, field->key, line, NODE_SCALAR, "a line such as duplicates(G) == 0"))
            continue;
        struct value_place place = {reader->diagnostics, line->at, field->key};
        if (!line->plain) place.at.column++; /* behind the quote */
        struct expect expect;
        if (!expect_parse(&place, scenario, line->text, &expect)) continue;
        expects[count].text = reader_keep(reader, line->text);
        expects[count].position = (struct scenario_position){line->at.line, line->at.column};
        count++;
    }
    scenario->expects = expects;
    scenario->expect_count = count;
}

static void write_expect(struct writer *writer, const struct schema_field *field, const void *base)
{
    (void)field;
    const struct scenario *scenario = base;
    if (scenario->expect_count == 0) text_append(writer->out, " []");
    writer->indent += 2;
    for (int32_t i = 0; i < scenario->expect_count; i++) {
        writer_line(writer);
        text_append(writer->out, "- ");
        writer_text(writer, scenario->expects[i].text);
    }
    writer->indent -= 2;
}

static json_t *expect_json(const struct schema_field *field)
{
    (void)field;
    return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
}

const struct schema_hooks hooks_expect = {
    .read = read_expect,
    .write = write_expect,
    .json = expect_json,
    .grammar = "a list of lines such as duplicates(GROUP) == 0",
};
