/* tools/schema_group.c: every key of a consumer group that is not one of Kafka's settings. */
#include "tools/schema_hooks.h"
#include "tools/schema_table.h"

#include "sim/check.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

static const struct schema_word retry_policies[] = {
    {"forever", RETRY_FOREVER, "the record blocks its partition"},
    {"bounded", RETRY_BOUNDED, "after `retries` tries it is skipped"},
    {"dead_letter", RETRY_DEAD_LETTER, "after `retries` tries it goes to the dead letter topic"},
    {"crash", RETRY_CRASH, "the process ends, and meets it again after its restart"},
};
static const struct schema_word exception_policies[] = {
    {"exit", EXCEPTION_EXIT, "it closes the consumer and exits"},
    {"poll_again", EXCEPTION_POLL_AGAIN, "it waits for retry_backoff and calls poll() again"},
};
static const struct schema_word no_memory_limit[] = {{"unlimited", 0, "no bound"}};

static const struct schema_field process_fields[] = {
    RANDOM("per_record", scenario_process, per_record_ns, QUANTITY_DURATION, "1ms", "ms", DAYS(1),
           "work on one record"),
    RANDOM("per_batch", scenario_process, per_batch_ns, QUANTITY_DURATION, "0s", "ms", DAYS(1),
           "work once per poll() that returned records"),
    COUNT("workers", scenario_process, workers, "0", 0, 10000,
          "threads that records are handed to; 0 = the thread that polls"),
    COUNT("queue_limit", scenario_process, queue_limit, "0", 0, 1000000000,
          "pause() while more records than this wait for workers; 0 = never"),
    RANDOM("sink", scenario_process, sink_ns, QUANTITY_DURATION, "0s", "ms", DAYS(1),
           "writing to the sink, once per poll() that returned records"),
    FLAG("ordered", scenario_process, ordered, "false",
         "a worker takes records of a partition only when those before them are done"),
    FLAG("sink_idempotent", scenario_process, sink_idempotent, "false",
         "the sink recognises what it has already"),
    RANDOM("restore", scenario_process, restore_ns, QUANTITY_DURATION, "0s", "s", DAYS(1),
           "work in onPartitionsAssigned, once per rebalance that added partitions"),
    {.key = "state_per_partition",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BYTES,
     FIELD(scenario_process, restore_bytes_per_partition),
     .preset = "0B",
     .minimum = 0,
     .maximum = INT64_C(1) << 50,
     .help = "state store read back for each partition that was added"},
    {.key = "restore_bandwidth",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BANDWIDTH,
     FIELD(scenario_process, restore_bytes_per_second),
     .preset = "100MiB/s",
     .minimum = 1,
     .maximum = INT64_C(1) << 50,
     .help = "how fast it is read back"},
    CHOICE("retry", scenario_process, retry, "forever", retry_policies,
           "what happens to a record whose processing fails"),
    CHOICE("on_exception", scenario_process, on_exception, "exit", exception_policies,
           "what the application does when its listener or assignor throws out of poll()"),
    COUNT("retries", scenario_process, retries, "3", 0, 1000000, "tries after the first"),
    DURATION("retry_backoff", scenario_process, retry_backoff_ns, "1s", 0, "pause between tries"),
    CUSTOM("dead_letter_topic", scenario_process, dead_letter_topic, "none", hooks_optional_topic,
           "where records go that cannot be processed"),
    {.key = "memory_limit",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BYTES,
     FIELD(scenario_process, memory_limit_bytes),
     .preset = "unlimited",
     .minimum = 1,
     .maximum = INT64_C(1) << 50,
     WORDS(no_memory_limit),
     .help = "prefetched records above this end the process: out of memory"},
};
static const struct schema_object schema_process = {
    .name = "process",
    .help = "What a member does with the records.",
    TABLE(process_fields),
};

static const struct schema_word commit_modes[] = {
    {"auto", COMMIT_AUTO, "enable.auto.commit"},
    {"sync", COMMIT_SYNC, "commitSync after each poll's records"},
    {"async", COMMIT_ASYNC, "commitAsync after each poll's records"},
    {"per_record", COMMIT_PER_RECORD, "commitSync after each record"},
    {"on_revoke", COMMIT_ON_REVOKE, "only in onPartitionsRevoked and on close"},
    {"none", COMMIT_NONE, "never"},
    {"transactional", COMMIT_TRANSACTIONAL, "with the output, in one transaction (KIP-447)"},
    {"external", COMMIT_EXTERNAL, "the offset lives in the sink's own transaction"},
};
static const struct schema_word commit_orders[] = {
    {"after_sink", COMMIT_AFTER_SINK, "at least once"},
    {"before_sink", COMMIT_BEFORE_SINK, "at most once"},
};
static const struct schema_word commit_offsets[] = {
    {"positions", COMMIT_POSITIONS, "the end of what poll() returned: commitSync() by itself"},
    {"finished", COMMIT_FINISHED, "behind the last record that is done, whatever is missing"},
    {"contiguous", COMMIT_CONTIGUOUS, "at the first record that is not done"},
};
static const struct schema_field commit_fields[] = {
    {.key = "mode",
     .type = SCHEMA_ENUM,
     FIELD(scenario_commit, mode),
     .preset = "auto",
     WORDS(commit_modes),
     .source = "auto; sync where enable.auto.commit is false",
     .help = "when offsets are committed"},
    CHOICE("order", scenario_commit, order, "after_sink", commit_orders,
           "before or after the records reach the sink"),
    DURATION("interval", scenario_commit, interval_ns, "0s", 0,
             "sync and async: not sooner than this after the last commit; 0s = after every poll"),
    CHOICE("offsets", scenario_commit, offsets, "positions", commit_offsets,
           "what the application commits when workers process (auto: always positions)"),
    DURATION("async_retry", scenario_commit, async_retry_ns, "0s", 0,
             "the callback of a failed commitAsync sends it again, as it was, after this; 0s = no"),
    FLAG("drain", scenario_commit, drain, "true",
         "the commit in onPartitionsRevoked waits until workers are done with what they have"),
    FLAG("on_revoke", scenario_commit, on_revoke, "false",
         "also commitSync in onPartitionsRevoked"),
    FLAG("on_close", scenario_commit, on_close, "false", "also commitSync before close()"),
};
static const struct schema_object schema_commit = {
    .name = "commit",
    .help = "When and how a member commits offsets.",
    TABLE(commit_fields),
};

static const struct schema_word as_read[] = {{"as_read", 0, "as large as the record read"}};
static const struct schema_field output_fields[] = {
    CUSTOM("topic", scenario_output, topic, "none", hooks_optional_topic,
           "where a record is written for each record read"),
    {.key = "record_size",
     .type = SCHEMA_QUANTITY,
     .quantity = QUANTITY_BYTES,
     FIELD(scenario_output, record_bytes),
     .preset = "as_read",
     .minimum = 1,
     .maximum = INT64_C(1) << 30,
     WORDS(as_read),
     .help = "how large such a record is"},
    FLAG("flush", scenario_output, flush, "true",
         "wait for the acknowledgements before committing; false loses what could not be written"),
    EMBEDDED("config", scenario_output, config, schema_producer_config,
             "that producer's settings by Kafka's names"),
};
static const struct schema_object schema_output = {
    .name = "output",
    .help = "What members write back to Kafka, with a producer of their own (which also writes "
            "dead letters).",
    TABLE(output_fields),
};

static const struct schema_word deployment_kinds[] = {
    {"Deployment", DEPLOYMENT_DEPLOYMENT, "a new pod has a new name"},
    {"StatefulSet", DEPLOYMENT_STATEFUL_SET, "a new pod has the old one's name"},
};
static const struct schema_field deployment_fields[] = {
    CHOICE("kind", scenario_deployment, kind, "StatefulSet", deployment_kinds,
           "how pods are replaced"),
    RANDOM("startup", scenario_deployment, startup_ns, QUANTITY_DURATION, "5s", "s", DAYS(1),
           "from the start of a process to its first poll()"),
    RANDOM("termination", scenario_deployment, termination_ns, QUANTITY_DURATION, "1s", "s",
           DAYS(1), "from SIGTERM to close()"),
    DURATION("grace", scenario_deployment, grace_ns, "30s", 0,
             "SIGKILL this long after SIGTERM (terminationGracePeriodSeconds)"),
    FLAG("restart_after_crash", scenario_deployment, restart_after_crash, "true",
         "a crashed process is started again"),
    DURATION("restart_backoff", scenario_deployment, restart_backoff_ns, "10s", 0,
             "crash-loop back-off; doubles with each crash"),
    DURATION("restart_backoff_max", scenario_deployment, restart_backoff_max_ns, "5m", 0,
             "most that the back-off grows to"),
    COUNT("max_unavailable", scenario_deployment, max_unavailable, "1", 1, 100000,
          "rolling restart: so many members at a time"),
    DURATION("ready_wait", scenario_deployment, ready_wait_ns, "0s", 0,
             "rolling restart: pause after a member is ready"),
};
static const struct schema_object schema_deployment = {
    .name = "deployment",
    .help = "How the members' processes are started, stopped and replaced.",
    TABLE(deployment_fields),
};

/* ---- members that differ ---- */

/* The group being read; maps are published as they are read. */
static const struct scenario_group *group_of(const struct reader *reader)
{
    return &reader->scenario->groups[reader->scenario->group_count - 1];
}

static void prepare_override(struct reader *reader, const struct node *node, void *base)
{
    (void)node;
    struct scenario_override *override = base;
    const struct scenario_group *group = group_of(reader);
    override->config = group->config;
    override->process = group->process;
    reader->of_one_member = true;
}

static void finish_override(struct reader *reader, const struct node *node, void *base)
{
    (void)node;
    (void)base;
    reader->of_one_member = false;
}

static const struct schema_field override_fields[] = {
    {.key = "config",
     .type = SCHEMA_OBJECT,
     FIELD(scenario_override, config),
     .preset = PRESET_PREPARED,
     .object = &schema_consumer_config,
     .keeps = true,
     .source = "the group's",
     .help = "settings by Kafka's names that this member has of its own"},
    {.key = "process",
     .type = SCHEMA_OBJECT,
     FIELD(scenario_override, process),
     .preset = PRESET_PREPARED,
     .object = &schema_process,
     .keeps = true,
     .source = "the group's",
     .help = "its work, where it differs"},
};
static const struct schema_object schema_override = {
    .name = "override",
    .help = "What one member has different from the rest of its group.",
    .prepare = prepare_override,
    .finish = finish_override,
    TABLE(override_fields),
};

/* The number in GROUP-number; 0 = it is not the name of a member. */
static int32_t member_number(const struct scenario_group *group, const char *name)
{
    size_t length = strlen(group->name);
    if (strncmp(name, group->name, length) != 0 || name[length] != '-') return 0;
    const char *number = name + length + 1;
    bool is_number = *number >= '1' && *number <= '9' && strlen(number) <= 6 &&
                     number[strspn(number, "0123456789")] == '\0';
    return is_number ? (int32_t)strtol(number, NULL, 10) : 0;
}

static void finish_overrides(struct reader *reader, const struct node *node,
                             const struct scenario_group *group)
{
    const struct node *list = reader_written(node, "overrides");
    for (int32_t i = 0; i < group->override_count; i++) {
        struct scenario_override *override = &group->overrides[i];
        override->member = member_number(group, override->name);
        if (override->member == 0) {
            diagnostic_error(reader->diagnostics, reader_place(list, override->name),
                             "%s is not the name of a member of %s", override->name, group->name);
            diagnostic_hint(reader->diagnostics, "members are named %s-1, %s-2 and so on",
                            group->name, group->name);
        }
        /* Commits are the application's business, and all members run the same one. */
        const struct node *config = reader_written(reader_written(list, override->name), "config");
        bool differs = override->config.enable_auto_commit != group->config.enable_auto_commit;
        override->config.enable_auto_commit = group->config.enable_auto_commit;
        if (!differs || reader_written(config, "enable.auto.commit") == NULL) continue;
        diagnostic_error(reader->diagnostics, reader_place(config, "enable.auto.commit"),
                         "enable.auto.commit is the same for all members of a group");
    }
}

static void prepare_group(struct reader *reader, const struct node *node, void *base)
{
    struct scenario_group *group = base;
    const struct scenario_topic *topic = schema_only_topic(reader->scenario);
    if (topic == NULL || reader_written(node, "topics") != NULL) return;
    const char **topics = memory_keep(reader->memory, sizeof *topics);
    topics[0] = topic->name;
    group->topics = topics;
    group->topic_count = 1;
}

/* enable.auto.commit and commit.mode say the same thing twice, and each implies the other. */
static void finish_commit(struct reader *reader, const struct node *node,
                          struct scenario_group *group)
{
    const struct node *commit = reader_written(node, "commit");
    const struct node *config = reader_written(node, "config");
    bool mode_written = reader_written(commit, "mode") != NULL;
    bool flag_written = reader_written(config, "enable.auto.commit") != NULL;
    bool file_written = reader_written(config, "file") != NULL;
    if (!mode_written) {
        if (!group->config.enable_auto_commit) group->commit.mode = COMMIT_SYNC;
        return;
    }
    bool is_auto = group->commit.mode == COMMIT_AUTO;
    if (flag_written && group->config.enable_auto_commit != is_auto) {
        diagnostic_error(reader->diagnostics, reader_place(config, "enable.auto.commit"),
                         "enable.auto.commit contradicts the commit mode");
        diagnostic_note(reader->diagnostics, reader_place(commit, "mode"), "the mode is here");
    } else if (!file_written || !is_auto || group->config.enable_auto_commit) {
        group->config.enable_auto_commit = is_auto;
    } else {
        diagnostic_error(reader->diagnostics, reader_place(commit, "mode"),
                         "commit mode auto, but the file sets enable.auto.commit=false");
    }
}

/* The topics of the scenario whose names match as a whole, those among them that are created later.
 * A resolved file has both keys. */
static void match_topics(struct reader *reader, const struct node *node,
                         struct scenario_group *group)
{
    const struct scenario *scenario = reader->scenario;
    struct text whole = {0};
    regex_t regex;
    text_format(&whole, "^(%s)$", group->topic_pattern);
    int failed = regcomp(&regex, text_data(&whole), REG_EXTENDED | REG_NOSUB);
    text_free(&whole);
    struct position at = reader_place(node, "topic_pattern");
    if (failed != 0) {
        diagnostic_error(reader->diagnostics, at, "topic_pattern: not a regular expression");
        return;
    }
    const char **topics =
        memory_keep(reader->memory, ((size_t)scenario->topic_count + 1) * sizeof *topics);
    group->topic_count = 0;
    for (int32_t i = 0; i < scenario->topic_count; i++) {
        if (regexec(&regex, scenario->topics[i].name, 0, NULL, 0) == 0)
            topics[group->topic_count++] = scenario->topics[i].name;
    }
    regfree(&regex);
    group->topics = topics;
    if (group->topic_count == 0)
        diagnostic_error(reader->diagnostics, at, "topic_pattern: no topic matches %s",
                         group->topic_pattern);
    if (group->assign_all)
        diagnostic_error(reader->diagnostics, at, "topic_pattern: assign() takes no pattern");
}

static void finish_group(struct reader *reader, const struct node *node, void *base)
{
    struct scenario_group *group = base;
    if (group->topic_pattern != NULL) match_topics(reader, node, group);
    if (group->topic_pattern == NULL && group->topic_count == 0 && node != NULL &&
        reader_written(node, "topics") == NULL && reader->scenario->topic_count > 0) {
        diagnostic_error(reader->diagnostics, node->at, "%s: topics is missing", group->name);
        diagnostic_hint(reader->diagnostics, "it may be left out only where there is one topic");
    }
    finish_commit(reader, node, group);
    finish_overrides(reader, node, group);
}

static const struct schema_field group_fields[] = {
    {.key = "topics",
     .type = SCHEMA_CUSTOM,
     FIELD(scenario_group, topics),
     .preset = PRESET_PREPARED,
     .hooks = &hooks_group_topics,
     .source = "the only topic",
     .help = "what the group subscribes to"},
    {.key = "topic_pattern",
     .type = SCHEMA_TEXT,
     FIELD(scenario_group, topic_pattern),
     .preset = "none",
     .optional = true,
     .help =
         "instead of topics: an extended regular expression for whole names, subscribe(Pattern)"},
    COUNT("members", scenario_group, members, "3", 0, 100000, "how many; named NAME-1 to NAME-n"),
    FLAG("assign", scenario_group, assign_all, "false",
         "assign() instead of subscribe(): each member reads its share, and nobody coordinates"),
    RANDOM("start_spread", scenario_group, start_spread_ns, QUANTITY_DURATION,
           "{uniform: {low: 0s, high: 500ms}}", "s", DAYS(366),
           "when each member's process starts"),
    EMBEDDED("config", scenario_group, config, schema_consumer_config,
             "the consumers' settings by Kafka's names"),
    EMBEDDED("process", scenario_group, process, schema_process, "the work on the records"),
    EMBEDDED("commit", scenario_group, commit, schema_commit, "when offsets are committed"),
    EMBEDDED("output", scenario_group, output, schema_output,
             "what the members write back to Kafka"),
    EMBEDDED("deployment", scenario_group, deployment, schema_deployment,
             "how processes start and stop"),
    {.key = "overrides",
     .type = SCHEMA_MAP,
     FIELD(scenario_group, overrides),
     .count_offset = offsetof(struct scenario_group, override_count),
     .element_size = sizeof(struct scenario_override),
     .preset = "{}",
     .object = &schema_override,
     .help = "members (GROUP-1, …) that are configured differently from the rest"},
};
const struct schema_object schema_group = {
    .name = "group",
    .help = "A consumer group and the application its members run.",
    .prepare = prepare_group,
    .finish = finish_group,
    TABLE(group_fields),
};
