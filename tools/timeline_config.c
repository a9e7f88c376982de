/* tools/timeline_config.c: settings that a broker is restarted with. */
#include "tools/timeline_config.h"

#include "sim/check.h"
#include "tools/schema_hooks.h"

#include <string.h>

/* Read-only settings of a broker: Kafka takes them from server.properties when it starts. Those of
 * the group coordinator, which are each broker's own business; others say how all of the cluster
 * is built. */
static const char *const changeable[] = {
    "group.max.size",
    "group.consumer.max.size",
    "group.min.session.timeout.ms",
    "group.max.session.timeout.ms",
    "group.initial.rebalance.delay.ms",
    "group.consumer.session.timeout.ms",
    "group.consumer.heartbeat.interval.ms",
    "offsets.commit.timeout.ms",
    "offsets.retention.minutes",
    "offsets.retention.check.interval.ms",
    "offset.metadata.max.bytes",
};

static bool is_changeable(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(changeable); i++) {
        if (strcmp(changeable[i], key) == 0) return true;
    }
    return false;
}

static bool read_setting(struct reader *reader, const struct entry *entry,
                         struct broker_config *config)
{
    if (is_changeable(entry->key)) {
        reader_field(reader, schema_find(&schema_broker_config, entry->key), entry->value, config);
        return true;
    }
    if (schema_find(&schema_broker_config, entry->key) != NULL) {
        diagnostic_error(reader->diagnostics, entry->key_at,
                         "%s is the same for the whole run: set it under cluster.config",
                         entry->key);
    } else {
        diagnostic_error(reader->diagnostics, entry->key_at,
                         "config: no setting of a broker is called %s", entry->key);
    }
    reader_suggest(reader, entry->key, changeable, ARRAY_LEN(changeable));
    return false;
}

bool timeline_config_read(struct reader *reader, const struct node *node,
                          const struct broker_config **config)
{
    if (!reader_is(reader, "config", node, NODE_MAP, "a map of settings")) return false;
    struct broker_config *changed = memory_keep(reader->memory, sizeof *changed);
    *changed = reader->scenario->cluster.config;
    bool good = true;
    for (size_t i = 0; i < node->count; i++)
        good &= read_setting(reader, &node->entries[i], changed);
    *config = changed;
    return good;
}

void timeline_config_write(struct writer *writer, const struct broker_config *config)
{
    const struct broker_config *usual = &writer->scenario->cluster.config;
    const char *separator = "";
    text_append(writer->out, ", config: {");
    for (size_t i = 0; i < ARRAY_LEN(changeable); i++) {
        const struct schema_field *field = schema_find(&schema_broker_config, changeable[i]);
        size_t size = field->width;
        if (memcmp((const char *)config + field->offset, (const char *)usual + field->offset,
                   size) == 0)
            continue;
        text_format(writer->out, "%s%s: ", separator, field->key);
        writer_value(writer, field, config);
        separator = ", ";
    }
    text_append(writer->out, "}");
}
