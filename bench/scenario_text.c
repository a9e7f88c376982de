#include "bench/scenario_text.h"

#include "tools/scenario_yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scenario_document *scenario_text_load(const char *text)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    if (!scenario_load_text("bench", ".", text, strlen(text), NULL, &document, diagnostics)) {
        diagnostics_print(diagnostics, stderr);
        exit(1);
    }
    diagnostics_free(diagnostics);
    return document;
}

char *scenario_text_groups(sim_time duration, int32_t rate, const char *group_keys)
{
    size_t capacity = 1024 + SCENARIO_GROUPS * (64 + strlen(group_keys));
    char *text = malloc(capacity);
    size_t length = (size_t)snprintf(text, capacity,
                                     "scenario: 1\nname: groups\nduration: %llds\n"
                                     "cluster: {brokers: 3}\n"
                                     "topics:\n  t: {partitions: 60, replication: 3}\n"
                                     "producers:\n"
                                     "  p: {topic: t, rate: %d/s, keys: {count: 100}}\n"
                                     "groups:\n",
                                     (long long)(duration / SECONDS(1)), rate);
    for (int g = 0; g < SCENARIO_GROUPS; g++) {
        length += (size_t)snprintf(text + length, capacity - length,
                                   "  g%d: {topics: [t], members: %d, %s}\n", g,
                                   SCENARIO_GROUP_MEMBERS, group_keys);
    }
    return text;
}
