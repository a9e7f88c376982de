/* tools/cmd_assign.c: `cohort assign`: what would each strategy do with this group? */
#include "tools/commands.h"

#include "sim/check.h"
#include "tools/assign_paste.h"
#include "tools/assign_report.h"
#include "tools/assign_yaml.h"
#include "tools/source.h"

#include <stdlib.h>
#include <string.h>

#define INPUT_SIZE_MAX ((size_t)64 * 1024 * 1024)

struct assign_values {
    const char *strategy;
    struct option_list topics;
    bool json;
};

static const struct option options[] = {
    {"strategy", 's', OPTION_TEXT, "NAME,...", offsetof(struct assign_values, strategy),
     "only these: range, roundrobin, sticky, cooperative-sticky, uniform, server-range"},
    {"topic", 't', OPTION_LIST, "NAME=COUNT", offsetof(struct assign_values, topics),
     "partitions of a topic that the pasted text does not show in full; may be given again"},
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct assign_values, json),
     "one JSON object instead of tables"},
};

/* Names of --strategy, between commas; all without it. Shape [*count], at most strategy_count.
 * False when one is unknown or given twice. */
static bool choose_strategies(const char *wanted, struct diagnostics *diagnostics,
                              const struct strategy **chosen, int32_t *count)
{
    *count = 0;
    if (wanted == NULL) {
        for (int32_t i = 0; i < strategy_count; i++)
            chosen[(*count)++] = &strategies[i];
        return true;
    }
    const int32_t source =
        diagnostics_add_source(diagnostics, "--strategy", wanted, strlen(wanted));
    for (const char *at = wanted;;) {
        const size_t length = strcspn(at, ",");
        const struct position place = {.source = source,
                                       .line = 1,
                                       .column = (int32_t)(at - wanted) + 1,
                                       .width = (int32_t)length};
        const struct strategy *found = NULL;
        const char *names[16];
        for (int32_t i = 0; i < strategy_count; i++) {
            names[i] = strategies[i].name;
            const bool same = strlen(names[i]) == length && strncmp(names[i], at, length) == 0;
            if (same) found = &strategies[i];
        }
        bool again = false;
        for (int32_t i = 0; i < *count; i++)
            again |= chosen[i] == found;
        if (found == NULL) {
            char *word = tool_copy(at);
            word[length] = '\0';
            diagnostic_error(diagnostics, place, "unknown strategy %s", word);
            const char *nearest = nearest_name(word, names, (size_t)strategy_count);
            if (nearest != NULL) diagnostic_hint(diagnostics, "did you mean %s?", nearest);
            free(word);
        } else if (!again) {
            chosen[(*count)++] = found;
        }
        if (at[length] == '\0') return diagnostics_errors(diagnostics) == 0;
        at += length + 1;
    }
}

static void add_topic_option(struct assign_group *group, const char *option)
{
    const int32_t source =
        diagnostics_add_source(group->diagnostics, "--topic", option, strlen(option));
    const struct position place = {.source = source,
                                   .line = 1,
                                   .column = 1,
                                   .width = (int32_t)strlen(option)};
    const char *equals = strrchr(option, '=');
    const size_t digits = equals == NULL ? 0 : strspn(equals + 1, "0123456789");
    const long count =
        digits == 0 || digits > 6 || equals[1 + digits] != '\0' ? 0 : strtol(equals + 1, NULL, 10);
    if (count < 1 || count > ASSIGN_PARTITIONS_MAX || equals == option) {
        diagnostic_error(group->diagnostics, place, "expected NAME=COUNT, found %s", option);
        diagnostic_hint(group->diagnostics, "such as orders=12, at most %d partitions",
                        ASSIGN_PARTITIONS_MAX);
        return;
    }
    char *name = memory_keep(group->memory, (size_t)(equals - option) + 1);
    memcpy(name, option, (size_t)(equals - option));
    assign_group_add_topic(group, name, (int32_t)count, place);
}

static bool read_group(struct assign_group *group, const struct assign_values *values,
                       const char *path)
{
    struct source_text text;
    if (!source_read(group->diagnostics, path, INPUT_SIZE_MAX, &text)) return false;
    for (size_t i = 0; i < values->topics.count; i++) {
        add_topic_option(group, values->topics.values[i]);
    }
    if (assign_paste_applies(text.data)) {
        assign_paste_read(group, text.source, text.data, text.length);
    } else {
        assign_yaml_read(group, text.source, text.data, text.length);
    }
    if (diagnostics_errors(group->diagnostics) == 0 && group->member_count == 0) {
        diagnostic_error(group->diagnostics, (struct position){.source = text.source},
                         "there are no members");
    }
    const bool good = assign_group_finish(group);
    free(text.data);
    return good;
}

static int run(const void *values_given, const struct arguments *arguments)
{
    const struct assign_values *values = values_given;
    struct diagnostics *diagnostics = diagnostics_new();
    const struct strategy *chosen[16];
    int32_t count = 0;
    struct assign_group group;
    CHECK((size_t)strategy_count <= ARRAY_LEN(chosen));
    assign_group_start(&group, diagnostics);
    const bool known = choose_strategies(values->strategy, diagnostics, chosen, &count);
    const bool good = read_group(&group, values, arguments->values[0]) && known;
    diagnostics_print(diagnostics, stderr);
    if (good) {
        struct strategy_result *results = tool_allocate((size_t)count * sizeof(*results));
        struct text text = {0};
        for (int32_t i = 0; i < count; i++)
            results[i] = strategy_run(&group, chosen[i]);
        if (values->json) {
            assign_report_json(&text, &group, results, count);
        } else {
            assign_report_text(&text, &group, results, count);
        }
        fputs(text_data(&text), stdout);
        text_free(&text);
        free(results);
    }
    assign_group_free(&group);
    diagnostics_free(diagnostics);
    return good ? EXIT_FINE : EXIT_BAD_INPUT;
}

const struct command command_assign = {
    .name = "assign",
    .summary = "the assignment each strategy would give a group, side by side",
    .arguments = "GROUP",
    .argument_min = 1,
    .argument_max = 1,
    .options = options,
    .option_count = ARRAY_LEN(options),
    .values_size = sizeof(struct assign_values),
    .details =
        "GROUP is a file in YAML or JSON, or the printed text of kafka-consumer-groups.sh\n"
        "--describe --members --verbose (of any version); `-` is standard input.\n"
        "\n"
        "    topics:\n"
        "      orders: 12\n"
        "      payments: {partitions: 4, weight: 900, racks: [[a], [b], [a], [b]]}\n"
        "    members:\n"
        "      c1: {topics: [orders, payments], owned: {orders: 0-5, payments: [0, 2]}}\n"
        "      c2: {topics: [orders], instance: pod-2, rack: a, generation: 6}\n"
        "\n"
        "`generation` is the one a member owns its partitions under (default: the same for\n"
        "all). `weight` is what a partition is worth, such as its records per second; a list\n"
        "gives one each. Topic ids (`id`) only matter to uniform, which sorts by them;\n"
        "without them it takes the order of the file.\n"
        "\n"
        "--json prints {members, partitions, assumed, strategies: [{strategy, protocol,\n"
        "least, most, moved, moved_needlessly, stopped, rebalances, lightest, heaviest,\n"
        "assignment: {member: {topic: [partition]}}, moves: [{topic, partition, from, to,\n"
        "second_rebalance}]}]}; null where a figure does not exist.",
    .example =
        "cohort assign group.yaml --strategy range,cooperative-sticky\n"
        "kafka-consumer-groups.sh … --describe --group g --members --verbose | cohort assign -",
    .run = run,
};
