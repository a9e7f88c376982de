#include "tests/consumer/story.h"

#include "model/checkers.h"
#include "model/messages_data.h"
#include "sim/check.h"
#include "tools/scenario_yaml.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct line {
    unsigned kind;
    sim_time at;
    char *text; /* without the time */
};

struct story {
    struct scenario_document *document;
    struct world *world;
    struct checkers *checkers;
    struct ledger *ledger;
    struct line *lines;
    size_t count;
    size_t capacity;
};

static const char *word(struct story *story, const struct trace_record *record, int field)
{
    return names_text(sim_names(world_sim(story->world)), (name_id)record->field[field]);
}

static const char *partition(struct story *story, const struct trace_record *record, int field)
{
    name_id name = world_partition_name(story->world, (partition_id)record->field[field]);
    return names_text(sim_names(world_sim(story->world)), name);
}

static const char *member_of_enum(const struct trace_record *record, int field)
{
    return trace_kinds[record->kind].fields[field].enum_names[record->field[field]];
}

static void add(struct story *story, unsigned kind, sim_time at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void add(struct story *story, unsigned kind, sim_time at, const char *format, ...)
{
    if (story->count == story->capacity) {
        story->capacity = story->capacity == 0 ? 256 : 2 * story->capacity;
        story->lines = realloc(story->lines, story->capacity * sizeof *story->lines);
    }
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *copy = malloc(strlen(text) + 1);
    strcpy(copy, text);
    story->lines[story->count++] = (struct line){kind, at, copy};
}

static void take_client(struct story *story, const struct trace_record *r)
{
    switch (r->kind) {
    case TRACE_CLIENT:
        add(story, STORY_CLIENT, r->at, "%s %s", word(story, r, 1), member_of_enum(r, 2));
        break;
    case TRACE_OWNED:
        add(story, STORY_OWNED, r->at, "%s owns %s", word(story, r, 1), partition(story, r, 2));
        break;
    case TRACE_DISOWNED:
        add(story, STORY_OWNED, r->at, "%s gave up %s: %s", word(story, r, 1),
            partition(story, r, 2), member_of_enum(r, 4));
        break;
    case TRACE_COMMIT_DONE:
        add(story, STORY_COMMITS, r->at, "%s commit %s of %" PRId64 ": %s", word(story, r, 1),
            member_of_enum(r, 2), r->field[3], kafka_error_name((int32_t)r->field[5]));
        break;
    case TRACE_POSITION:
        add(story, STORY_POSITIONS, r->at, "%s at %s %" PRId64 ": %s", word(story, r, 1),
            partition(story, r, 2), r->field[3], member_of_enum(r, 4));
        break;
    case TRACE_PROCESSED:
        add(story, STORY_PROCESSED, r->at, "%s processed %s %" PRId64 "+%" PRId64,
            word(story, r, 1), partition(story, r, 2), r->field[3], r->field[4]);
        break;
    case TRACE_DELIVERED:
        add(story, STORY_DELIVERED, r->at, "%s got %s %" PRId64 "+%" PRId64, word(story, r, 1),
            partition(story, r, 2), r->field[3], r->field[4]);
        break;
    case TRACE_SINK:
        add(story, STORY_SINK, r->at, "%s sank %s %" PRId64 "+%" PRId64, word(story, r, 1),
            partition(story, r, 2), r->field[3], r->field[4]);
        break;
    default: break;
    }
}

static void take(void *self, const struct trace_record *r)
{
    struct story *story = self;
    switch (r->kind) {
    case TRACE_GROUP_STATE:
        add(story, STORY_GROUP, r->at, "group %s %s -> %s, generation %" PRId64, word(story, r, 0),
            member_of_enum(r, 1), member_of_enum(r, 2), r->field[3]);
        break;
    case TRACE_COORDINATOR:
        if (r->field[2] == 0 || r->field[3] == 0) break;
        add(story, STORY_COORDINATOR, r->at,
            "broker %" PRId64 " read __consumer_offsets-%" PRId64 " in %" PRId64 " ms, %" PRId64
            " groups",
            r->field[1], r->field[0], r->field[4] / MILLISECONDS(1), r->field[3]);
        break;
    case TRACE_TARGET:
        add(story, STORY_TARGET, r->at, "target of %s %c%s", word(story, r, 1),
            r->field[5] != 0 ? '+' : '-', partition(story, r, 3));
        break;
    case TRACE_GROUP_RESPONSE:
        add(story, STORY_REQUESTS, r->at, "%s %s %s", word(story, r, 2),
            kafka_api_name((enum kafka_api)r->field[0]), kafka_error_name((int32_t)r->field[6]));
        break;
    default: take_client(story, r); break;
    }
}

struct story *story_run(const char *yaml)
{
    struct story *story = calloc(1, sizeof *story);
    struct diagnostics *diagnostics = diagnostics_new();
    if (!scenario_load_text("story", ".", yaml, strlen(yaml), NULL, &story->document,
                            diagnostics)) {
        diagnostics_print(diagnostics, stderr);
        fail_msg("the scenario of the story has mistakes");
    }
    diagnostics_free(diagnostics);
    const struct scenario *scenario = scenario_document_scenario(story->document);
    story->world = world_new(scenario, &(struct world_options){.seed = scenario->seed});
    story->checkers = checkers_new(world_sim(story->world), scenario);
    checkers_watch_groups(story->checkers, story->world);
    story->ledger = checkers_ledger(story->checkers);
    trace_observe(sim_trace(world_sim(story->world)), take, story, NULL);
    world_run_until(story->world, scenario->duration_ns);
    checkers_finish(story->checkers);
    if (checkers_violation_count(story->checkers) > 0) {
        const struct violation *first = checkers_violation(story->checkers, 0);
        fail_msg("%s at %" PRId64 " ms: %s", checker_name(first->checker), first->at / 1000000,
                 names_text(sim_names(world_sim(story->world)), first->text));
    }
    return story;
}

static const char *or_else(const char *given, const char *otherwise)
{
    return given != NULL ? given : otherwise;
}

struct story *story_of(const struct story_options *options)
{
    char yaml[4096];
    int length = snprintf(
        yaml, sizeof yaml,
        "scenario: 1\n"
        "duration: %s\n"
        "cluster: {brokers: %s, network: {latency: 1ms}, request_service: 0ms, disk: 0ms}\n"
        "topics: {orders: {partitions: %s, replication: 1}}\n"
        "producers: {shop: {rate: %s}}\n"
        "groups:\n"
        "  g:\n"
        "    members: %s\n"
        "    start_spread: 0s\n"
        "    config:\n"
        "      {partition.assignment.strategy: %s%s%s%s}\n"
        "    process: {%s}\n"
        "    commit: {%s}\n"
        "    deployment: {startup: 1s, restart_after_crash: false}\n"
        "timeline: [%s]\n",
        or_else(options->duration, "60s"), or_else(options->brokers, "1"),
        or_else(options->partitions, "1"), or_else(options->rate, "10/s"),
        or_else(options->members, "1"), or_else(options->strategy, "range"),
        options->config == NULL ? "" : ", ", or_else(options->config, ""),
        options->config != NULL && strstr(options->config, "auto.offset.reset") != NULL
            ? ""
            : ", auto.offset.reset: earliest",
        or_else(options->process, "per_record: 1ms"), or_else(options->commit, "mode: auto"),
        or_else(options->timeline, ""));
    assert_in_range(length, 1, sizeof yaml - 1);
    return story_run(yaml);
}

void story_free(struct story *story)
{
    world_free(story->world);
    scenario_document_free(story->document);
    for (size_t i = 0; i < story->count; i++)
        free(story->lines[i].text);
    free(story->lines);
    free(story);
}

void expect_story(struct story *story, unsigned lines, const char *member, int64_t from_ms,
                  int64_t to_ms, const char *text)
{
    static char told[1 << 16];
    size_t length = 0;
    told[0] = '\0';
    for (size_t i = 0; i < story->count; i++) {
        const struct line *line = &story->lines[i];
        int64_t at_ms = line->at / 1000000;
        if (!(line->kind & lines) || at_ms < from_ms || at_ms >= to_ms) continue;
        size_t name = strlen(member);
        if (name > 0 && (strncmp(line->text, member, name) != 0 || line->text[name] != ' ')) {
            continue;
        }
        length += (size_t)snprintf(told + length, sizeof told - length, "%" PRId64 " %s\n", at_ms,
                                   line->text);
        assert_true(length < sizeof told);
    }
    assert_string_equal(told, text);
}

void expect_same_story(const struct story *a, const struct story *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (a->lines[i].at != b->lines[i].at || strcmp(a->lines[i].text, b->lines[i].text) != 0) {
            fail_msg("line %zu: %" PRId64 " %s, and %" PRId64 " %s", i, a->lines[i].at,
                     a->lines[i].text, b->lines[i].at, b->lines[i].text);
        }
    }
    assert_int_equal(a->count, b->count);
}

int story_count(struct story *story, unsigned lines, const char *a, const char *b)
{
    int count = 0;
    for (size_t i = 0; i < story->count; i++) {
        const struct line *line = &story->lines[i];
        if (!(line->kind & lines)) continue;
        if (strstr(line->text, a) != NULL && strstr(line->text, b) != NULL) count++;
    }
    return count;
}

int64_t story_when(struct story *story, unsigned lines, int64_t from_ms, const char *a,
                   const char *b)
{
    for (size_t i = 0; i < story->count; i++) {
        const struct line *line = &story->lines[i];
        if (!(line->kind & lines) || line->at / 1000000 < from_ms) continue;
        if (strstr(line->text, a) != NULL && strstr(line->text, b) != NULL) {
            return line->at / 1000000;
        }
    }
    return -1;
}

struct ledger_group story_ledger(struct story *story, int32_t group)
{
    struct ledger_group figures;
    ledger_group(story->ledger, group, &figures);
    return figures;
}

struct sim_statistics story_statistics(struct story *story)
{
    return sim_statistics(world_sim(story->world));
}
