/* tools/timeline_write.c: the timeline written back, and described to people and editors. */
#include "tools/timeline_yaml.h"

#include "sim/check.h"
#include "tools/timeline_config.h"
#include "tools/timeline_rules.h"
#include "tools/writer.h"

#include <inttypes.h>
#include <jansson.h>

static void write_key(struct writer *writer, const char *key)
{
    text_format(writer->out, ", %s: ", key);
}

static void write_duration(struct writer *writer, const char *key, int64_t value)
{
    write_key(writer, key);
    if (value == SIM_TIME_NEVER) {
        text_append(writer->out, "never");
    } else {
        writer_quantity(writer, QUANTITY_DURATION, value);
    }
}

static void write_random(struct writer *writer, const char *key, const struct distribution *value)
{
    write_key(writer, key);
    writer_distribution(writer, QUANTITY_DURATION, value);
}

static void write_count(struct writer *writer, const char *key, int64_t value)
{
    write_key(writer, key);
    writer_quantity(writer, QUANTITY_COUNT, value);
}

static void write_flag(struct writer *writer, const char *key, bool value)
{
    write_key(writer, key);
    text_append(writer->out, value ? "true" : "false");
}

static void write_offset(struct writer *writer, const char *key, int64_t offset)
{
    write_key(writer, key);
    if (offset == OFFSET_TO_LATEST) {
        text_append(writer->out, "latest");
    } else if (offset == OFFSET_TO_EARLIEST) {
        text_append(writer->out, "earliest");
    } else {
        writer_quantity(writer, QUANTITY_COUNT, offset);
    }
}

/* kind: target, and the parameters of the kind. */
static void write_action(struct writer *writer, const struct scenario_event *event)
{
    const struct timeline_rule *rule = &timeline_rules[event->kind];
    unsigned takes = rule->parameters;
    text_format(writer->out, "line: %" PRId32 ", %s: ", event->position.line, rule->key);
    if (event->target.kind == SELECT_NOBODY) text_append(writer->out, "true");
    selector_write(writer, &event->target);
    if ((takes & NEEDS_OTHER) != 0) {
        write_key(writer, "to");
        selector_write(writer, &event->other);
    }
    if ((takes & (TAKES_FOR | NEEDS_FOR)) != 0) write_random(writer, "for", &event->for_ns);
    if ((takes & TAKES_BY) != 0) write_random(writer, "by", &event->extra_latency_ns);
    if ((takes & TAKES_LOSS) != 0) {
        write_key(writer, "loss");
        writer_quantity(writer, QUANTITY_SHARE, event->loss_ppm);
    }
    if ((takes & NEEDS_FACTOR) != 0) {
        write_key(writer, "factor");
        writer_quantity(writer, QUANTITY_DECIMAL, event->factor_milli);
    }
    if ((takes & NEEDS_COUNT) != 0) write_count(writer, "to", event->count);
    if ((takes & TAKES_RECORDS) != 0) write_count(writer, "records", event->count);
    if ((takes & TAKES_PARTITIONS) != 0 && event->count > 0)
        write_count(writer, "partitions", event->count);
    if ((takes & NEEDS_TOPIC) != 0) {
        write_key(writer, "topic");
        selector_write(writer, &event->other);
    }
    if (event->config != NULL) timeline_config_write(writer, event->config);
    if ((takes & NEEDS_KEY) != 0) {
        write_key(writer, "key");
        writer_text(writer, event->key);
        write_key(writer, "share");
        writer_quantity(writer, QUANTITY_SHARE, event->share_ppm);
    }
    if ((takes & TAKES_OFFSET) != 0) write_offset(writer, "offset", event->offset);
    if ((takes & NEEDS_OFFSET) != 0) write_offset(writer, "to", event->offset);
    if ((takes & TAKES_UNCLEAN) != 0) write_flag(writer, "unclean", event->unclean);
    if ((takes & TAKES_HOST) != 0) write_flag(writer, "host", event->host);
    if ((takes & NEEDS_PLACE) != 0) {
        write_key(writer, "in");
        text_append(writer->out, timeline_places[event->place]);
    }
    if ((takes & TAKES_ONE_WAY) != 0) write_flag(writer, "one_way", event->one_way);
}

/* Everything that says when. */
static void write_trigger(struct writer *writer, const struct scenario_event *event)
{
    text_append(writer->out, "{at: ");
    writer_quantity(writer, QUANTITY_DURATION, event->at);
    switch (event->trigger) {
    case TRIGGER_AT: break;
    case TRIGGER_EVERY:
        write_random(writer, "every", &event->every_ns);
        write_duration(writer, "until", event->until);
        write_count(writer, "times", event->times);
        break;
    case TRIGGER_WHEN:
        write_key(writer, "when");
        text_format(writer->out, "{group: %s, state: %s, skip: %" PRId32 "}",
                    writer->scenario->groups[event->when_group].name, event->when_state,
                    event->skip);
        write_count(writer, "times", event->times);
        break;
    case TRIGGER_CHAOS:
        write_random(writer, "every", &event->every_ns);
        write_duration(writer, "until", event->until);
        write_duration(writer, "stable_for", event->stable_for_ns);
        break;
    }
    text_append(writer->out, ", ");
}

/* The siblings of a chaos block. Returns how many. */
static int32_t write_chaos(struct writer *writer, const struct scenario_event *first, int32_t left)
{
    int32_t count = 0;
    text_append(writer->out, "chaos: [");
    for (; count < left && first[count].chaos == first[0].chaos; count++) {
        text_format(writer->out, "%s{weight: %" PRId32 ", ", count == 0 ? "" : ", ",
                    first[count].weight);
        write_action(writer, &first[count]);
        text_append(writer->out, "}");
    }
    text_append(writer->out, "]");
    return count;
}

void timeline_write(struct writer *writer, const struct schema_field *field, const void *base)
{
    (void)field;
    const struct scenario *scenario = base;
    if (scenario->event_count == 0) text_append(writer->out, " []");
    writer->indent += 2;
    for (int32_t i = 0; i < scenario->event_count;) {
        const struct scenario_event *event = &scenario->timeline[i];
        writer_line(writer);
        text_append(writer->out, "- ");
        write_trigger(writer, event);
        if (event->trigger == TRIGGER_CHAOS) {
            i += write_chaos(writer, event, scenario->event_count - i);
        } else {
            write_action(writer, event);
            i++;
        }
        text_append(writer->out, "}");
    }
    writer->indent -= 2;
}

static void add_property(json_t *properties, const char *key, const char *type, const char *help)
{
    json_t *property = type == NULL ? json_object() : json_pack("{s:s}", "type", type);
    json_object_set_new(property, "description", json_string(help));
    json_object_set_new(properties, key, property);
}

static void add_actions(json_t *properties)
{
    for (int32_t kind = 0; kind < TIMELINE_KIND_COUNT; kind++) {
        const struct timeline_rule *rule = &timeline_rules[kind];
        add_property(properties, rule->key, kind == TIMELINE_QUIET ? NULL : "string", rule->help);
    }
    add_property(properties, "line", "integer", "resolved files: the line this came from");
    add_property(properties, "for", NULL, "how long it lasts");
    add_property(properties, "by", NULL, "extra latency");
    add_property(properties, "loss", "string", "share of messages that are lost once");
    add_property(properties, "factor", "number", "how many times slower, or faster");
    add_property(properties, "to", NULL, "the other side, the new number, or the offset");
    add_property(properties, "records", "integer", "so many poisoned records in a row");
    add_property(properties, "partitions", "integer",
                 "how many the topic gets; left out: as many as it is declared with");
    add_property(properties, "topic", "string", "the topic whose offsets are deleted");
    add_property(properties, "config", "object",
                 "settings of the group coordinator that a broker is restarted with");
    add_property(properties, "key", "string", "the hot key");
    add_property(properties, "share", "string", "its share of all records");
    add_property(properties, "offset", NULL, "an offset, earliest or next");
    add_property(properties, "unclean", "boolean", "elect a replica out of sync");
    add_property(properties, "host", "boolean", "the whole host: nobody is told");
    add_property(properties, "in", "string", "what throws: on_assigned, on_revoked or assignor");
    add_property(properties, "one_way", "boolean", "only from the target to the other side");
}

json_t *timeline_json(const struct schema_field *field)
{
    (void)field;
    json_t *sibling = json_object();
    add_actions(sibling);
    add_property(sibling, "weight", "integer", "share among its siblings");

    json_t *properties = json_object();
    add_actions(properties);
    add_property(properties, "at", "string", "when it strikes; when it begins, with every or when");
    add_property(properties, "every", NULL, "again and again: time between two strikes");
    add_property(properties, "until", "string", "not after this");
    add_property(properties, "times", "integer", "at most so often; 0 = no limit");
    add_property(properties, "stable_for", "string", "chaos: pause after a fault has ended");
    json_object_set_new(properties, "when",
                        json_pack("{s:s, s:[s, s], s:s}", "type", "object", "required", "group",
                                  "state", "description", "when a group reaches a state"));
    json_object_set_new(properties, "chaos",
                        json_pack("{s:s, s:i, s:{s:s, s:o, s:b}}", "type", "array", "minItems", 1,
                                  "items", "type", "object", "properties", sibling,
                                  "additionalProperties", 0));
    return json_pack("{s:s, s:{s:s, s:o, s:b}}", "type", "array", "items", "type", "object",
                     "properties", properties, "additionalProperties", 0);
}

static void append_targets(struct text *text, unsigned targets)
{
    static const struct {
        unsigned class;
        const char *word;
    } words[] = {{ACCEPT_MEMBERS, "members"},     {ACCEPT_GROUP, "group"},
                 {ACCEPT_BROKERS, "brokers"},     {ACCEPT_TOPIC, "topic"},
                 {ACCEPT_PARTITION, "partition"}, {ACCEPT_PRODUCER, "producer"}};
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if ((targets & words[i].class) == 0) continue;
        text_format(text, "%s%s", separator, words[i].word);
        separator = ", ";
    }
}

static void append_parameters(struct text *text, unsigned takes)
{
    static const struct {
        unsigned parameter;
        const char *words;
    } all[] = {{TAKES_FOR, "[for]"},      {NEEDS_FOR, "for"},
               {NEEDS_OTHER, "to"},       {TAKES_BY, "[by]"},
               {TAKES_LOSS, "[loss]"},    {NEEDS_FACTOR, "factor"},
               {NEEDS_COUNT, "to"},       {TAKES_RECORDS, "[records]"},
               {NEEDS_KEY, "key, share"}, {TAKES_OFFSET, "[offset]"},
               {NEEDS_OFFSET, "to"},      {TAKES_UNCLEAN, "[unclean]"},
               {TAKES_HOST, "[host]"},    {TAKES_ONE_WAY, "[one_way]"},
               {NEEDS_PLACE, "in"},       {TAKES_PARTITIONS, "[partitions]"},
               {NEEDS_TOPIC, "topic"},    {TAKES_CONFIG, "[config]"}};
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if ((takes & all[i].parameter) == 0) continue;
        text_format(text, "%s%s", separator, all[i].words);
        separator = ", ";
    }
}

void timeline_write_page(struct text *text)
{
    text_append(text, "| entry | what it does | targets | parameters |\n|---|---|---|---|\n");
    for (int32_t kind = 0; kind < TIMELINE_KIND_COUNT; kind++) {
        const struct timeline_rule *rule = &timeline_rules[kind];
        text_format(text, "| `%s` | %s | ", rule->key, rule->help);
        append_targets(text, rule->targets);
        text_append(text, " | ");
        append_parameters(text, rule->parameters);
        text_append(text, " |\n");
    }
}
