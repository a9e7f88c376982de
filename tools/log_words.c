#include "tools/log_words.h"

#include "model/group_partition.h"
#include "sim/check.h"
#include "tools/log_internal.h"

#include <stdlib.h>

static const uint16_t kinds[] = {
    TRACE_FAULT,          TRACE_PROCESS,     TRACE_LOG_START,
    TRACE_LEADER_ELECTED, TRACE_ISR,         TRACE_GROUP_STATE,
    TRACE_REBALANCE,      TRACE_REBALANCED,  TRACE_MEMBER_ADDED,
    TRACE_MEMBER_REMOVED, TRACE_COORDINATOR, TRACE_COMMIT_REJECTED,
    TRACE_OFFSET_REMOVED, TRACE_CLIENT,      TRACE_OWNED,
    TRACE_DISOWNED,       TRACE_POSITION,    TRACE_COMMIT_DONE,
    TRACE_TOPIC,          TRACE_CLEANED,
};

const uint16_t *log_words_kinds(size_t *count)
{
    *count = ARRAY_LEN(kinds);
    return kinds;
}

/* What the first lines about a group need before its first state is told: who coordinates it, and
 * by which protocol. */
static void look_ahead(const struct store_reader *reader, struct log_group *group)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select f5, f2 from events where kind=?1 and f0=?2 order by number";
    if (sqlite3_prepare_v2(store_database(reader), sql, -1, &statement, NULL) != SQLITE_OK) return;
    sqlite3_bind_int(statement, 1, TRACE_GROUP_STATE);
    sqlite3_bind_int64(statement, 2, group->group);
    bool knows_protocol = false;
    while (!knows_protocol && sqlite3_step(statement) == SQLITE_ROW) {
        if (group->broker < 0) group->broker = sqlite3_column_int64(statement, 0);
        int state = sqlite3_column_int(statement, 1);
        group->is_consumer_protocol =
            state == GROUP_TRACE_Assigning || state == GROUP_TRACE_Reconciling;
        knows_protocol = group->is_consumer_protocol || state == GROUP_TRACE_PreparingRebalance;
    }
    sqlite3_finalize(statement);
}

struct log_words *log_words_new(const struct store_reader *reader, log_sink *sink, void *self)
{
    struct log_words *words = tool_allocate(sizeof *words);
    words->reader = reader;
    words->sink = sink;
    words->self = self;
    const name_id *groups = store_groups(reader, &words->group_count);
    words->groups = tool_allocate((words->group_count + 1) * sizeof *words->groups);
    for (size_t i = 0; i < words->group_count; i++) {
        const char *name = store_name(reader, groups[i]);
        words->groups[i] = (struct log_group){
            .group = groups[i],
            .name = name,
            .broker = -1,
            .offsets_partition = group_partition(name, OFFSETS_TOPIC_PARTITIONS),
            .leader = "",
        };
        look_ahead(reader, &words->groups[i]);
    }
    words->ledger = log_ledger_new(words);
    words->producers = log_producers_new(words);
    return words;
}

struct log_group *log_find_group(struct log_words *words, name_id group)
{
    for (size_t i = 0; i < words->group_count; i++) {
        if (words->groups[i].group == group) return &words->groups[i];
    }
    return NULL;
}

const struct log_member *log_find_member(const struct log_words *words, name_id member)
{
    for (size_t i = 0; i < words->member_count; i++) {
        if (words->members[i].member == member) return &words->members[i];
    }
    return NULL;
}

void log_emit(struct log_words *words, sim_time at, enum log_level level, name_id group)
{
    const struct log_line line = {
        .at = at,
        .level = level,
        .source = text_data(&words->source),
        .text = text_data(&words->text),
        .group = group,
    };
    words->sink(words->self, &line);
}

void log_partition_name(const struct log_words *words, int64_t partition, struct text *text)
{
    const struct store_partition *found = store_find_partition(words->reader, partition);
    if (found == NULL) {
        text_append(text, "?");
    } else if (found->number == PARTITION_NUMBER_UNKNOWN) {
        text_append(text, found->topic); /* none was chosen */
    } else {
        text_format(text, "%s-%d", found->topic, found->number);
    }
}

void log_client_prefix(struct log_words *words, name_id group, name_id member)
{
    const struct log_member *known = log_find_member(words, member);
    const char *name = store_name(words->reader, member);
    text_append(&words->source, name);
    text_append(&words->text, "[Consumer clientId=");
    if (known != NULL && *known->client_id != '\0') {
        text_append(&words->text, known->client_id);
    } else {
        text_append(&words->text, name); /* a client is named after its member unless told */
    }
    text_format(&words->text, ", groupId=%s] ", store_name(words->reader, group));
}

/* Says in one line which partitions began or ceased to be owned (ConsumerCoordinator). */
static void let_out_held(struct log_words *words)
{
    if (!words->holds) return;
    words->holds = false;
    const int64_t *field = words->held.field;
    text_clear(&words->text);
    text_clear(&words->source);
    log_client_prefix(words, (name_id)field[0], (name_id)field[1]);
    enum log_level level = LOG_INFO;
    if (words->held.kind == TRACE_OWNED) {
        text_append(&words->text, "Adding newly assigned partitions: ");
    } else if (field[4] == OWNERSHIP_REVOKED || field[4] == OWNERSHIP_CLOSED) {
        text_append(&words->text, "Revoke previously assigned partitions ");
    } else if (field[4] == OWNERSHIP_LOST) {
        text_append(&words->text, "Lost previously assigned partitions ");
        level = LOG_WARN;
    } else {
        text_append(&words->text, "(died, and with it its hold on) ");
        level = LOG_WARN;
    }
    text_append(&words->text, text_data(&words->held_partitions));
    log_emit(words, words->held.at, level, (name_id)field[0]);
}

static bool joins_held(const struct log_words *words, const struct trace_record *record)
{
    if (!words->holds || record->kind != words->held.kind || record->at != words->held.at ||
        record->field[0] != words->held.field[0] || record->field[1] != words->held.field[1]) {
        return false;
    }
    return record->kind == TRACE_OWNED || record->field[4] == words->held.field[4];
}

/* What later lines need to know. */
static void remember(struct log_words *words, const struct trace_record *record)
{
    const int64_t *field = record->field;
    struct log_group *group = log_find_group(words, (name_id)field[0]);
    if (record->kind == TRACE_COORDINATOR && field[2] != 0) {
        for (size_t i = 0; i < words->group_count; i++) {
            if (words->groups[i].offsets_partition == field[0]) words->groups[i].broker = field[1];
        }
    }
    if (group == NULL) return;
    if (record->kind == TRACE_GROUP_STATE) {
        group->state = (enum group_trace_state)field[2];
        group->broker = field[5];
        if (group->state == GROUP_TRACE_PreparingRebalance) group->is_consumer_protocol = false;
        if (group->state == GROUP_TRACE_Assigning || group->state == GROUP_TRACE_Reconciling) {
            group->is_consumer_protocol = true;
        }
    } else if (record->kind == TRACE_REBALANCED) {
        group->leader = store_name(words->reader, field[3]);
    } else if (record->kind == TRACE_MEMBER_ADDED) {
        if (log_find_member(words, (name_id)field[1]) == NULL) {
            words->members =
                tool_resize(words->members, (words->member_count + 1) * sizeof *words->members);
            words->members[words->member_count++] = (struct log_member){
                .member = (name_id)field[1],
                /* One that replaces another's is shown under the other's client id. */
                .client_id =
                    store_name(words->reader, field[4] == NAME_NONE ? field[5] : NAME_NONE),
                .is_static = field[3] != NAME_NONE,
            };
        }
        if (field[3] != NAME_NONE && field[4] == NAME_NONE) group->static_members++;
    } else if (record->kind == TRACE_MEMBER_REMOVED) {
        const struct log_member *member = log_find_member(words, (name_id)field[1]);
        if (member != NULL && member->is_static) group->static_members--;
    }
}

/* Lines that are no records: of earlier instants than `at`, in their order. */
static void say_until(struct log_words *words, sim_time at)
{
    for (;;) {
        sim_time ledger_at = log_ledger_next_at(words->ledger);
        sim_time producers_at = log_producers_next_at(words->producers);
        if (ledger_at >= at && producers_at >= at) return;
        if (producers_at <= ledger_at) {
            log_producers_say(words->producers);
        } else {
            log_ledger_say(words->ledger);
        }
    }
}

/* A line that is held back stands before what the ledger found later. */
static void let_out_earlier(struct log_words *words, sim_time at)
{
    if (words->holds && words->held.at < at) let_out_held(words);
    say_until(words, at);
}

void log_words_take(struct log_words *words, const struct trace_record *record)
{
    let_out_earlier(words, record->at);
    if (record->kind == TRACE_OWNED || record->kind == TRACE_DISOWNED) {
        if (!joins_held(words, record)) {
            let_out_held(words);
            words->holds = true;
            words->held = *record;
            text_clear(&words->held_partitions);
        } else {
            text_append(&words->held_partitions, ", ");
        }
        log_partition_name(words, record->field[2], &words->held_partitions);
        return;
    }
    let_out_held(words);
    text_clear(&words->text);
    text_clear(&words->source);
    enum log_level level = LOG_INFO;
    name_id group = NAME_NONE;
    bool has_words = log_broker_words(words, record, &level, &group) ||
                     log_client_words(words, record, &level, &group);
    if (has_words) log_emit(words, record->at, level, group);
    remember(words, record);
}

void log_words_finish(struct log_words *words)
{
    let_out_held(words);
    say_until(words, SIM_TIME_NEVER);
    log_ledger_free(words->ledger);
    log_producers_free(words->producers);
    free(words->groups);
    free(words->members);
    text_free(&words->held_partitions);
    text_free(&words->text);
    text_free(&words->source);
    free(words);
}
