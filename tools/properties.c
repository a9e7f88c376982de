/* tools/properties.c: a Java properties file as a map of Kafka settings. */
#include "tools/properties.h"

#include "tools/source.h"

#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX (256 * 1024)
#define SETTINGS_MAX  1000 /* Kafka's clients know about a hundred */

struct scan {
    const char *at;
    const char *end;
    struct position position;
};

static bool at_end(const struct scan *scan)
{
    return scan->at == scan->end;
}

static void advance(struct scan *scan)
{
    if (*scan->at == '\n') {
        scan->position.line++;
        scan->position.column = 1;
    } else if (((unsigned char)*scan->at & 0xc0) != 0x80) {
        scan->position.column++;
    }
    scan->at++;
}

static void skip(struct scan *scan, const char *bytes)
{
    while (!at_end(scan) && *scan->at != '\0' && strchr(bytes, *scan->at) != NULL)
        advance(scan);
}

/* Up to one of `stops` or the end of the logical line, escapes resolved. */
static void take(struct scan *scan, const char *stops, struct text *word)
{
    while (!at_end(scan) && *scan->at != '\n' && *scan->at != '\r') {
        if (strchr(stops, *scan->at) != NULL) return;
        if (*scan->at == '\\') {
            advance(scan);
            if (at_end(scan)) return;
            if (*scan->at == '\r') advance(scan);
            if (!at_end(scan) && *scan->at == '\n') {
                /* The line goes on; its leading blanks do not count. */
                advance(scan);
                skip(scan, " \t");
                continue;
            }
            if (at_end(scan)) return;
        }
        text_append_bytes(word, scan->at, 1);
        advance(scan);
    }
}

static const struct node *read_file(struct reader *reader, const struct node *file)
{
    const char *name;
    if (!reader_text(reader, "file", file, &name)) return NULL;
    struct text path = {0};
    reader_path(reader, name, &path);
    struct source_text source;
    bool readable = source_read(reader->diagnostics, text_data(&path), FILE_SIZE_MAX, &source);
    text_free(&path);
    if (!readable) {
        diagnostic_note(reader->diagnostics, file->at, "named here");
        return NULL;
    }
    struct node *map =
        yaml_new_map(reader->memory,
                     (struct position){.source = source.source, .line = 1, .column = 1});
    struct scan scan = {source.data,
                        source.data + source.length,
                        {.source = source.source, .line = 1, .column = 1}};
    while (!at_end(&scan)) {
        skip(&scan, " \t\r\n\f");
        if (at_end(&scan)) break;
        if (*scan.at == '#' || *scan.at == '!') {
            while (!at_end(&scan) && *scan.at != '\n')
                advance(&scan);
            continue;
        }
        struct text key = {0};
        struct text value = {0};
        struct position key_at = scan.position;
        take(&scan, "=: \t", &key);
        key_at.width = scan.position.column - key_at.column;
        skip(&scan, " \t");
        if (!at_end(&scan) && (*scan.at == '=' || *scan.at == ':')) advance(&scan);
        skip(&scan, " \t");
        struct position value_at = scan.position;
        take(&scan, "", &value);
        while (value.length > 0 && value.data[value.length - 1] == ' ')
            value.data[--value.length] = '\0';
        value_at.width = (int32_t)value.length;
        const struct entry *before = yaml_find(map, text_data(&key));
        if (before == NULL && map->count == SETTINGS_MAX) {
            diagnostic_error(reader->diagnostics, key_at, "more than 1000 settings in one file");
            scan.at = scan.end;
        }
        if (before != NULL) {
            diagnostic_warning(reader->diagnostics, key_at, "%s is set twice; the last one counts",
                               before->key);
            diagnostic_note(reader->diagnostics, before->key_at, "the first is here");
        }
        /* An empty value is how properties files leave a setting alone. */
        if (value.length > 0)
            yaml_set(reader->memory, map, reader_keep(reader, text_data(&key)), key_at,
                     yaml_new_scalar(reader->memory, value_at, text_data(&value)));
        text_free(&key);
        text_free(&value);
    }
    free(source.data);
    return map;
}

const struct node *properties_merge(struct reader *reader, const struct node *map)
{
    const struct node *file = reader_written(map, "file");
    if (file == NULL) return map;
    const struct node *settings = read_file(reader, file);
    struct node *merged = yaml_new_map(reader->memory, map->at);
    for (size_t i = 0; settings != NULL && i < settings->count; i++) {
        const struct entry *entry = &settings->entries[i];
        yaml_set(reader->memory, merged, entry->key, entry->key_at, entry->value);
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct entry *entry = &map->entries[i];
        if (strcmp(entry->key, "file") == 0) continue;
        yaml_set(reader->memory, merged, entry->key, entry->key_at, entry->value);
    }
    return merged;
}
