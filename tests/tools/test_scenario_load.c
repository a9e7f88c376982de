/* What scenario files become, and that the resolved form becomes the same again. */
#include "tools/scenario_yaml.h"
#include "tools/schema.h"
#include "tools/text.h"
#include "tools/writer.h"

#include "sim/check.h"
#include "sim/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SHIPPED COHORT_SOURCE_DIR "/scenarios"
#define GOOD    COHORT_SOURCE_DIR "/tests/good_scenarios"

static struct scenario_document *load(const char *path)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    if (!scenario_load(path, NULL, &document, diagnostics)) {
        diagnostics_print(diagnostics, stderr);
        fail_msg("%s did not load", path);
    }
    diagnostics_free(diagnostics);
    return document;
}

static struct scenario_document *load_text(const char *text)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    if (!scenario_load_text("text", ".", text, strlen(text), NULL, &document, diagnostics)) {
        diagnostics_print(diagnostics, stderr);
        fail_msg("did not load:\n%s", text);
    }
    diagnostics_free(diagnostics);
    return document;
}

/* Compares field by field, without help from the writer wherever the schema knows the shape. */
static void assert_same(const struct schema_object *object, const char *a, const char *b,
                        const struct scenario *scenario_a, const struct scenario *scenario_b);

static void assert_same_distribution(const char *key, const char *a, const char *b)
{
    struct distribution x;
    struct distribution y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    if (x.kind != y.kind || x.a != y.a || x.b != y.b) fail_msg("%s differs", key);
    if (x.kind != DISTRIBUTION_EMPIRICAL) return;
    size_t count = alias_table_count(x.table);
    assert_int_equal(count, alias_table_count(y.table));
    assert_memory_equal(x.values, y.values, 2 * count * sizeof *x.values);
}

static void assert_same_text(const char *key, const char *a, const char *b)
{
    const char *x;
    const char *y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    if ((x == NULL) != (y == NULL)) fail_msg("%s differs", key);
    if (x != NULL) assert_string_equal(x, y);
}

static void assert_same_map(const struct schema_field *field, const char *a, const char *b,
                            const struct scenario *scenario_a, const struct scenario *scenario_b)
{
    const char *x;
    const char *y;
    int32_t count_x;
    int32_t count_y;
    memcpy(&x, a + field->offset, sizeof x);
    memcpy(&y, b + field->offset, sizeof y);
    memcpy(&count_x, a + field->count_offset, sizeof count_x);
    memcpy(&count_y, b + field->count_offset, sizeof count_y);
    assert_int_equal(count_x, count_y);
    for (size_t i = 0; i < (size_t)count_x; i++) {
        assert_same_text(field->key, x + i * field->element_size, y + i * field->element_size);
        assert_same(field->object, x + i * field->element_size, y + i * field->element_size,
                    scenario_a, scenario_b);
    }
}

/* Languages of their own are compared as written; what they become is asserted by hand below. */
static void assert_same_written(const struct schema_field *field, const char *a, const char *b,
                                const struct scenario *scenario_a,
                                const struct scenario *scenario_b)
{
    struct text x = {0};
    struct text y = {0};
    struct writer writer_x = {.out = &x, .scenario = scenario_a};
    struct writer writer_y = {.out = &y, .scenario = scenario_b};
    field->hooks->write(&writer_x, field, a);
    field->hooks->write(&writer_y, field, b);
    assert_string_equal(text_data(&x), text_data(&y));
    text_free(&x);
    text_free(&y);
}

static void assert_same(const struct schema_object *object, const char *a, const char *b,
                        const struct scenario *scenario_a, const struct scenario *scenario_b)
{
    for (size_t i = 0; i < object->field_count; i++) {
        const struct schema_field *field = &object->fields[i];
        const char *x = a + field->offset;
        const char *y = b + field->offset;
        switch (field->type) {
        case SCHEMA_FLAG:
        case SCHEMA_ENUM:
        case SCHEMA_QUANTITY:
            if (memcmp(x, y, field->width) != 0) fail_msg("%s differs", field->key);
            break;
        case SCHEMA_TEXT: assert_same_text(field->key, x, y); break;
        case SCHEMA_DISTRIBUTION: assert_same_distribution(field->key, x, y); break;
        case SCHEMA_OBJECT: assert_same(field->object, x, y, scenario_a, scenario_b); break;
        case SCHEMA_MAP: assert_same_map(field, a, b, scenario_a, scenario_b); break;
        case SCHEMA_CUSTOM: assert_same_written(field, a, b, scenario_a, scenario_b); break;
        }
    }
}

/* Writes the resolved scenario and loads it again. */
static struct scenario_document *resolve(const struct scenario_document *document)
{
    struct text text = {0};
    scenario_document_write(document, &text);
    struct scenario_document *again = load_text(text_data(&text));
    text_free(&text);
    return again;
}

static void assert_resolved_is_the_same(const char *path)
{
    struct scenario_document *first = load(path);
    struct scenario_document *second = resolve(first);
    const struct scenario *a = scenario_document_scenario(first);
    const struct scenario *b = scenario_document_scenario(second);
    assert_same(&schema_scenario, (const char *)a, (const char *)b, a, b);
    for (int32_t i = 0; i < a->event_count; i++)
        assert_int_equal(a->timeline[i].position.line, b->timeline[i].position.line);
    scenario_document_free(first);
    scenario_document_free(second);
}

/* Every *.yaml below a directory, one level of directories deep. */
static size_t check_directory(const char *directory, bool below)
{
    struct dirent **entries;
    int found = scandir(directory, &entries, NULL, alphasort);
    assert_true(found >= 0);
    size_t checked = 0;
    for (int i = 0; i < found; i++) {
        const char *name = entries[i]->d_name;
        struct text path = {0};
        text_format(&path, "%s/%s", directory, name);
        const char *dot = strrchr(name, '.');
        if (dot == NULL && below) {
            checked += check_directory(text_data(&path), false);
        } else if (dot != NULL && strcmp(dot, ".yaml") == 0) {
            assert_resolved_is_the_same(text_data(&path));
            checked++;
        }
        text_free(&path);
        free(entries[i]);
    }
    free(entries);
    return checked;
}

static void every_resolved_scenario_loads_back_the_same(void **state)
{
    (void)state;
    assert_true(check_directory(SHIPPED, true) >= 5);
    assert_true(check_directory(GOOD, false) >= 1);
}

static void assert_cluster_topics_and_producers(const struct scenario *s)
{
    assert_int_equal(s->duration_ns, MINUTES(90));
    assert_int_equal(s->seed, UINT64_MAX);
    assert_int_equal(s->cluster.brokers, 4);
    assert_string_equal(s->cluster.racks[3], "b");
    assert_int_equal(s->cluster.bandwidth_bytes_per_second, 125000000);
    assert_int_equal(s->cluster.latency_ns.kind, DISTRIBUTION_UNIFORM);
    assert_int_equal(s->cluster.latency_ns.b, MILLISECONDS(3));
    assert_int_equal(s->cluster.request_service_ns.b, 2500);
    assert_int_equal(s->cluster.disk_ns.values[1], MILLISECONDS(50));
    assert_int_equal(s->cluster.config.log_retention_ms, 86400000);
    assert_int_equal(s->cluster.config.log_retention_bytes, -1);
    assert_int_equal(s->cluster.config.offsets_retention_minutes, 1440);
    assert_int_equal(s->cluster.config.group_consumer_assignor_count, 1);
    assert_int_equal(s->topics[0].retention_ms, -1);
    assert_int_equal(s->topics[0].min_insync_replicas, 2);
    assert_false(s->topics[0].compact);
    assert_int_equal(s->topics[0].min_cleanable_dirty_milli, 250); /* the cluster's */
    assert_int_equal(s->topics[0].max_compaction_lag_ms, INT64_MAX);
    assert_int_equal(s->topics[1].replication, 3);
    assert_int_equal(s->topics[1].retention_ms, 45000);
    assert_int_equal(s->topics[1].segment_ms, 604800000); /* the cluster's */
    assert_true(s->topics[2].compact && s->topics[2].compact_and_delete);
    assert_int_equal(s->topics[2].min_cleanable_dirty_milli, 100);
    assert_int_equal(s->topics[2].min_compaction_lag_ms, 60000);
    assert_int_equal(s->topics[2].max_compaction_lag_ms, 600000);
    assert_int_equal(s->topics[2].delete_retention_ms, 3600000);

    const struct scenario_producer *p = s->producers;
    assert_int_equal(p[0].rate.points[0].per_second_milli, 900000);
    assert_int_equal(p[0].keys.hot[0].share_ppm, 600000);
    assert_int_equal(p[0].keys.hot[1].salt, 8);
    assert_int_equal(p[0].partition_weights[5], 6);
    assert_int_equal(p[0].stop_at, HOURS(1));
    assert_int_equal(p[0].config.acks, 1);
    assert_int_equal(p[0].config.buffer_memory, 64 << 20);
    assert_null(p[0].config.transactional_id);
    assert_int_equal(p[1].stop_at, SIM_TIME_NEVER);
    assert_int_equal(p[1].config.acks, -1);
    assert_int_equal(p[1].rate.period_ns, MINUTES(10));
    assert_true(p[1].rate.linear);
    assert_int_equal(p[3].rate.points[1].at, MINUTES(10) - SECONDS(30));
    assert_false(p[3].rate.linear);
    assert_int_equal(p[4].rate.point_count, 24);
    assert_int_equal(p[4].rate.points[14].per_second_milli, 900000);
    assert_int_equal(p[4].rate.points[2].per_second_milli, 100000);
    assert_int_equal(p[5].rate.point_count, 3);
    assert_int_equal(p[5].rate.points[1].per_second_milli, 250500);
    assert_int_equal(p[5].rate.points[2].at, MINUTES(2));
    assert_int_equal(p[6].keys.tombstone_ppm, 25000);
}

static void assert_groups(const struct scenario *s)
{
    const struct scenario_group *g = &s->groups[0];
    assert_int_equal(g->topic_count, 2);
    assert_string_equal(g->topics[1], "dead.letters");
    assert_int_equal(g->config.session_timeout_ms, 30000); /* beside the file */
    assert_int_equal(g->config.heartbeat_interval_ms, 2000);
    assert_int_equal(g->config.fetch_max_wait_ms, 250);
    assert_int_equal(g->config.max_poll_records, 250);
    assert_false(g->config.enable_auto_commit);
    assert_int_equal(g->config.auto_offset_reset, RESET_BY_DURATION);
    assert_int_equal(g->config.auto_offset_reset_duration_ms, 5400000);
    assert_int_equal(g->config.partition_assignment_strategy_count, 1);
    assert_string_equal(g->config.partition_assignment_strategy[0], "cooperative-sticky");
    assert_true(g->config.static_membership);
    assert_int_equal(g->process.restore_bytes_per_second, 50000000);
    assert_string_equal(g->process.dead_letter_topic, "dead.letters");
    assert_int_equal(g->commit.mode, COMMIT_SYNC);
    assert_int_equal(g->commit.order, COMMIT_BEFORE_SINK);
    assert_int_equal(g->deployment.kind, DEPLOYMENT_DEPLOYMENT);
    assert_int_equal(g->deployment.startup_ns.kind, DISTRIBUTION_LOGNORMAL);

    g = &s->groups[1];
    assert_true(g->assign_all);
    assert_int_equal(g->config.group_protocol, GROUP_PROTOCOL_CONSUMER);
    assert_string_equal(g->config.client_rack, "a");
    assert_int_equal(g->config.partition_assignment_strategy_count, 2);
    assert_int_equal(g->config.session_timeout_ms, 45000);
    assert_int_equal(g->commit.mode, COMMIT_AUTO);
}

/* The n-th entry of a kind. */
static const struct scenario_event *event(const struct scenario *s, enum timeline_kind kind,
                                          int32_t nth)
{
    for (int32_t i = 0; i < s->event_count; i++) {
        if (s->timeline[i].kind == kind && nth-- == 0) return &s->timeline[i];
    }
    fail_msg("no such entry");
    return NULL;
}

static void assert_timeline(const struct scenario *s)
{
    const struct scenario_event *e = event(s, TIMELINE_ROLLING_RESTART, 0);
    assert_int_equal(e->trigger, TRIGGER_AT);
    assert_int_equal(e->at, SECONDS(60));
    assert_int_equal(e->target.kind, SELECT_GROUP);
    assert_int_equal(e->chaos, -1);
    assert_int_equal(event(s, TIMELINE_STOP, 0)->target.member, 1);

    e = event(s, TIMELINE_CRASH, 0);
    assert_int_equal(e->trigger, TRIGGER_EVERY);
    assert_int_equal(e->every_ns.a, MINUTES(10));
    assert_int_equal(e->until, HOURS(1));
    assert_int_equal(e->times, 3);
    assert_int_equal(e->target.kind, SELECT_ANY_MEMBERS);
    assert_int_equal(e->target.count, 2);
    assert_int_equal(e->for_ns.kind, DISTRIBUTION_UNIFORM);
    assert_true(e->host);

    assert_int_equal(event(s, TIMELINE_PAUSE, 0)->until, SIM_TIME_NEVER);
    assert_int_equal(event(s, TIMELINE_STALL, 0)->target.kind, SELECT_GROUP_LEADER);
    e = event(s, TIMELINE_CUT, 0);
    assert_int_equal(e->other.kind, SELECT_BROKERS);
    assert_true(e->one_way);
    e = event(s, TIMELINE_DELAY, 0);
    assert_int_equal(e->other.kind, SELECT_LEADER);
    assert_int_equal(e->other.partition, 5);
    assert_int_equal(e->extra_latency_ns.b, MILLISECONDS(50));
    assert_int_equal(e->loss_ppm, 5000);
    e = event(s, TIMELINE_RESET_CONNECTIONS, 0);
    assert_int_equal(e->target.kind, SELECT_PRODUCER);
    assert_int_equal(e->target.producer, 3);
    assert_int_equal(e->other.kind, SELECT_COORDINATOR);
    assert_int_equal(event(s, TIMELINE_SLOW, 0)->factor_milli, 2500);
    assert_true(event(s, TIMELINE_ELECT, 0)->unclean);
    assert_int_equal(event(s, TIMELINE_ELECT, 0)->target.kind, SELECT_PARTITION);
    assert_int_equal(event(s, TIMELINE_ELECT, 1)->target.kind, SELECT_TOPIC);
    assert_int_equal(event(s, TIMELINE_ELECT, 2)->target.partition, 11); /* it grew before */
    assert_int_equal(event(s, TIMELINE_THROW, 0)->place, THROW_ON_REVOKED);
    assert_int_equal(event(s, TIMELINE_THROW, 0)->target.count, 2);
    assert_int_equal(event(s, TIMELINE_POISON, 0)->offset, 1000);
    assert_int_equal(event(s, TIMELINE_POISON, 0)->count, 3);
    assert_int_equal(event(s, TIMELINE_POISON, 1)->offset, OFFSET_TO_LATEST);
    assert_int_equal(event(s, TIMELINE_POISON, 1)->target.topic, 1);
    assert_string_equal(event(s, TIMELINE_HOT_KEY, 0)->key, "17");
    assert_int_equal(event(s, TIMELINE_ADD_PARTITIONS, 0)->count, 12);
    assert_int_equal(event(s, TIMELINE_SCALE, 0)->count, 20);
    assert_int_equal(event(s, TIMELINE_CRASH, 1)->target.member, 20); /* it grew before */
    assert_int_equal(event(s, TIMELINE_RESET_OFFSETS, 0)->offset, OFFSET_TO_EARLIEST);

    e = event(s, TIMELINE_CRASH, 2);
    assert_int_equal(e->trigger, TRIGGER_WHEN);
    assert_string_equal(e->when_state, "PreparingRebalance");
    assert_int_equal(e->skip, 1);
    assert_int_equal(e->times, 2);

    e = event(s, TIMELINE_CRASH, 3);
    assert_int_equal(e->trigger, TRIGGER_CHAOS);
    assert_int_equal(e[0].chaos, 0);
    assert_int_equal(e[1].chaos, 0);
    assert_int_equal(e[2].chaos, 1);
    assert_int_equal(e[0].weight, 3);
    assert_int_equal(e[1].weight, 1);
    assert_int_equal(e[1].stable_for_ns, MINUTES(1));
    assert_int_equal(e[1].target.count, 1);
    assert_int_equal(event(s, TIMELINE_QUIET, 0)->at, HOURS(1));
    assert_int_equal(s->expect_count, 5);
}

static void every_key_lands_where_it_belongs(void **state)
{
    (void)state;
    struct scenario_document *first = load(GOOD "/everything.yaml");
    struct scenario_document *second = resolve(first);
    const struct scenario_document *documents[] = {first, second};
    for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
        const struct scenario *scenario = scenario_document_scenario(documents[i]);
        assert_cluster_topics_and_producers(scenario);
        assert_groups(scenario);
        assert_timeline(scenario);
    }
    scenario_document_free(first);
    scenario_document_free(second);
}

/* The specs' tables of defaults; a changed default is a changed answer. */
static void defaults_are_kafkas(void **state)
{
    (void)state;
    struct scenario_document *document = load_text("scenario: 1\n"
                                                   "topics: {t: }\n"
                                                   "producers: {p: }\n"
                                                   "groups: {g: }\n");
    const struct scenario *s = scenario_document_scenario(document);
    const struct consumer_config *c = &s->groups[0].config;
    assert_int_equal(c->session_timeout_ms, 45000);
    assert_int_equal(c->heartbeat_interval_ms, 3000);
    assert_int_equal(c->max_poll_interval_ms, 300000);
    assert_int_equal(c->max_poll_records, 500);
    assert_int_equal(c->request_timeout_ms, 30000);
    assert_int_equal(c->default_api_timeout_ms, 60000);
    assert_int_equal(c->auto_commit_interval_ms, 5000);
    assert_int_equal(c->auto_offset_reset, RESET_LATEST);
    assert_int_equal(c->fetch_max_bytes, 52428800);
    assert_int_equal(c->max_partition_fetch_bytes, 1048576);
    assert_int_equal(c->fetch_max_wait_ms, 500);
    assert_true(c->enable_auto_commit);
    assert_string_equal(c->partition_assignment_strategy[0], "range");
    assert_string_equal(c->partition_assignment_strategy[1], "cooperative-sticky");
    const struct producer_config *p = &s->producers[0].config;
    assert_int_equal(p->acks, -1);
    assert_true(p->enable_idempotence);
    assert_int_equal(p->delivery_timeout_ms, 120000);
    assert_int_equal(p->batch_size, 16384);
    assert_int_equal(p->linger_ms, 0);
    assert_int_equal(p->buffer_memory, 33554432);
    const struct broker_config *b = &s->cluster.config;
    assert_int_equal(b->group_min_session_timeout_ms, 6000);
    assert_int_equal(b->group_max_session_timeout_ms, 1800000);
    assert_int_equal(b->group_initial_rebalance_delay_ms, 3000);
    assert_int_equal(b->offsets_topic_num_partitions, 50);
    assert_int_equal(b->offsets_retention_minutes, 10080);
    assert_int_equal(b->replica_lag_time_max_ms, 30000);
    assert_int_equal(b->log_retention_ms, 604800000);
    assert_int_equal(b->log_retention_bytes, -1);
    assert_string_equal(s->groups[0].topics[0], "t");
    assert_string_equal(s->producers[0].topic, "t");
    assert_string_equal(s->name, "text");
    scenario_document_free(document);
}

/* Commit mode and enable.auto.commit imply each other. */
static void commit_mode_and_auto_commit_agree(void **state)
{
    (void)state;
    static const struct {
        const char *group;
        enum commit_mode mode;
        bool enabled;
    } cases[] = {
        {"{}", COMMIT_AUTO, true},
        {"{commit: {mode: sync}}", COMMIT_SYNC, false},
        {"{commit: {mode: auto}}", COMMIT_AUTO, true},
        {"{config: {enable.auto.commit: false}}", COMMIT_SYNC, false},
        {"{config: {enable.auto.commit: false}, commit: {mode: none}}", COMMIT_NONE, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct text text = {0};
        text_format(&text, "scenario: 1\ntopics: {t: }\ngroups: {g: %s}\n", cases[i].group);
        struct scenario_document *document = load_text(text_data(&text));
        const struct scenario_group *g = &scenario_document_scenario(document)->groups[0];
        assert_int_equal(g->commit.mode, cases[i].mode);
        assert_int_equal(g->config.enable_auto_commit, cases[i].enabled);
        scenario_document_free(document);
        text_free(&text);
    }
}

/* What an override does not say is the group's, not the default. */
static void an_override_begins_with_the_group(void **state)
{
    (void)state;
    struct scenario_document *document = load_text(
        "scenario: 1\ntopics: {t: }\ngroups:\n  g:\n"
        "    config: {max.poll.records: 7, session.timeout.ms: 30000, enable.auto.commit: false}\n"
        "    process: {per_record: 5ms, workers: 2}\n"
        "    overrides:\n"
        "      g-2: {config: {session.timeout.ms: 20000, group.instance.id: copied}}\n"
        "      g-3: {process: {per_record: 9ms}}\n");
    const struct scenario_group *g = &scenario_document_scenario(document)->groups[0];
    assert_int_equal(g->override_count, 2);
    assert_int_equal(g->overrides[0].member, 2);
    assert_int_equal(g->overrides[0].config.max_poll_records, 7);
    assert_int_equal(g->overrides[0].config.session_timeout_ms, 20000);
    assert_string_equal(g->overrides[0].config.group_instance_id, "copied");
    assert_false(g->overrides[0].config.enable_auto_commit);
    assert_int_equal(g->overrides[0].process.workers, 2);
    assert_int_equal(g->overrides[1].member, 3);
    assert_int_equal(g->overrides[1].config.session_timeout_ms, 30000);
    assert_int_equal(g->overrides[1].process.per_record_ns.a, MILLISECONDS(9));
    assert_int_equal(g->config.session_timeout_ms, 30000);
    assert_false(g->config.static_membership);
    scenario_document_free(document);
}

static void an_alias_shares_a_value(void **state)
{
    (void)state;
    struct scenario_document *document =
        load_text("scenario: 1\ntopics: {t: }\ngroups:\n"
                  "  a: {members: 2, config: &settings {max.poll.records: 7}}\n"
                  "  b: {members: 3, config: *settings}\n");
    const struct scenario *s = scenario_document_scenario(document);
    assert_int_equal(s->groups[1].config.max_poll_records, 7);
    scenario_document_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_resolved_scenario_loads_back_the_same),
        cmocka_unit_test(every_key_lands_where_it_belongs),
        cmocka_unit_test(defaults_are_kafkas),
        cmocka_unit_test(commit_mode_and_auto_commit_agree),
        cmocka_unit_test(an_override_begins_with_the_group),
        cmocka_unit_test(an_alias_shares_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
