/* tools/log_client.c: the words of the Java consumer (AbstractCoordinator, ConsumerCoordinator,
 * SubscriptionState). */
#include "tools/log_internal.h"

#include "model/kafka_types.h"
#include "sim/check.h"

#include <inttypes.h>

static void append_error(struct log_words *words, int64_t error)
{
    text_append(&words->text, kafka_error_name((int32_t)error));
}

static bool is_consumer_protocol(struct log_words *words, name_id name)
{
    const struct log_group *group = log_find_group(words, name);
    return group != NULL && group->is_consumer_protocol;
}

/* What follows the words of an event. */
enum tail { TAIL_NONE, TAIL_ERROR, TAIL_NUMBER, TAIL_REASON };

static const struct event_text {
    const char *text; /* NULL = no line: Kafka says nothing */
    enum log_level level;
    enum tail tail;
    const char *no_reason; /* when the record gives none */
} event_texts[] = {
    [CLIENT_STARTED] = {"Subscribed to the group's topics", LOG_INFO, TAIL_NONE, NULL},
    [CLIENT_JOINING] = {"(Re-)joining group", LOG_INFO, TAIL_NONE, NULL},
    [CLIENT_REJOIN_REQUESTED] = {"Request joining group due to: ", LOG_INFO, TAIL_REASON,
                                 "group is already rebalancing"},
    [CLIENT_HEARTBEAT_FAILED] = {"Attempt to heartbeat failed: ", LOG_INFO, TAIL_ERROR, NULL},
    [CLIENT_GENERATION_RESET] = {"Resetting generation and member id due to: ", LOG_INFO,
                                 TAIL_REASON, "not provided"},
    [CLIENT_FENCED] = {"Fenced: ", LOG_ERROR, TAIL_ERROR, NULL},
    [CLIENT_FATAL] = {"Fatal: ", LOG_ERROR, TAIL_ERROR, NULL},
    [CLIENT_EXCEPTION] = {"(application) caught what poll() threw, and polls again: ", LOG_ERROR,
                          TAIL_REASON, "not provided"},
    [CLIENT_COORDINATOR_UNKNOWN] = {"Group coordinator is unavailable or invalid, rediscovery will "
                                    "be attempted: ",
                                    LOG_INFO, TAIL_REASON, "not provided"},
    [CLIENT_COORDINATOR_FOUND] = {"Discovered group coordinator: broker ", LOG_INFO, TAIL_NUMBER,
                                  NULL},
    [CLIENT_POLL_TIMEOUT] = {"consumer poll timeout has expired. This means the time between "
                             "subsequent calls to poll() was longer than the configured "
                             "max.poll.interval.ms",
                             LOG_WARN, TAIL_NONE, NULL},
    [CLIENT_RESET_NONE] = {"NoOffsetForPartitionException: undefined offset with no reset policy "
                           "for a partition",
                           LOG_ERROR, TAIL_NONE, NULL},
    [CLIENT_OUT_OF_MEMORY] = {"java.lang.OutOfMemoryError: Java heap space", LOG_ERROR, TAIL_NONE,
                              NULL},
    [CLIENT_CLOSED] = {"Consumer closed", LOG_INFO, TAIL_NONE, NULL},
    [CLIENT_RESTORE_BEGIN] = {"(application) restoring state", LOG_INFO, TAIL_NONE, NULL},
    [CLIENT_RESTORE_END] = {"(application) restored its state", LOG_INFO, TAIL_NONE, NULL},
    [CLIENT_DEAD_LETTER] = {"(application) sent to the dead-letter topic: offset ", LOG_WARN,
                            TAIL_NUMBER, NULL},
    [CLIENT_OUTPUT_FAILED] = {"(application) records that could not be written to the output "
                              "topic: ",
                              LOG_ERROR, TAIL_NUMBER, NULL},
    [CLIENT_RETRY] = {"(application) a record failed, try ", LOG_WARN, TAIL_NUMBER, NULL},
};

static bool synced_words(struct log_words *words, const struct trace_record *record)
{
    const int64_t *field = record->field;
    const char *protocol = store_name(words->reader, field[7]);
    if (is_consumer_protocol(words, (name_id)field[0])) {
        if (field[2] == CLIENT_JOINED) return false; /* nothing is assigned yet */
        text_format(&words->text, "Updating assignment with local epoch %" PRId64, field[3]);
        return true;
    }
    text_format(&words->text, "Successfully %s Generation{generationId=%" PRId64 ", memberId='%s'",
                field[2] == CLIENT_JOINED ? "joined group with generation"
                                          : "synced group in generation",
                field[3], store_name(words->reader, field[4]));
    if (*protocol != '\0') text_format(&words->text, ", protocol='%s'", protocol);
    text_append(&words->text, "}");
    return true;
}

/* CLIENT: group, member, event, generation, member_id, number, error, text. */
static bool event_words(struct log_words *words, const struct trace_record *record,
                        enum log_level *level)
{
    const int64_t *field = record->field;
    const char *reason = store_name(words->reader, field[7]);
    log_client_prefix(words, (name_id)field[0], (name_id)field[1]);
    if (field[2] == CLIENT_JOINED || field[2] == CLIENT_SYNCED) return synced_words(words, record);
    if (field[2] == CLIENT_LEAVING) {
        text_format(&words->text, "Member %s sending LeaveGroup request to coordinator due to %s",
                    store_name(words->reader, field[4]),
                    *reason != '\0' ? reason : "the consumer is being closed");
        return true;
    }
    if (field[2] < 0 || field[2] >= (int64_t)ARRAY_LEN(event_texts)) return false;
    const struct event_text *event = &event_texts[field[2]];
    if (event->text == NULL) return false;
    *level = event->level;
    text_append(&words->text, event->text);
    switch (event->tail) {
    case TAIL_NONE: break;
    case TAIL_ERROR:
        if (field[6] == KAFKA_NONE) text_append(&words->text, reason); /* the application's own */
        if (field[6] != KAFKA_NONE) append_error(words, field[6]);
        break;
    case TAIL_NUMBER: text_format(&words->text, "%" PRId64, field[5]); break;
    case TAIL_REASON: text_append(&words->text, *reason != '\0' ? reason : event->no_reason); break;
    }
    return true;
}

static bool position_words(struct log_words *words, const struct trace_record *record,
                           enum log_level *level)
{
    const int64_t *field = record->field;
    struct text *text = &words->text;
    log_client_prefix(words, (name_id)field[0], (name_id)field[1]);
    switch ((enum position_cause)field[4]) {
    case POSITION_COMMITTED:
        text_append(text, "Setting offset for partition ");
        log_partition_name(words, field[2], text);
        text_format(text, " to the committed offset %" PRId64, field[3]);
        return true;
    case POSITION_OUT_OF_RANGE:
        text_format(text, "Fetch position %" PRId64 " is out of range for partition ", field[5]);
        log_partition_name(words, field[2], text);
        text_format(text, ", resetting offset to %" PRId64, field[3]);
        *level = LOG_WARN;
        return true;
    case POSITION_RESET_EARLIEST:
    case POSITION_RESET_LATEST:
    case POSITION_RESET_BY_DURATION:
        text_append(text, "Resetting offset for partition ");
        log_partition_name(words, field[2], text);
        text_format(text, " to position %" PRId64, field[3]);
        return true;
    case POSITION_TRUNCATED:
        text_append(text, "Truncation detected for partition ");
        log_partition_name(words, field[2], text);
        text_format(text, " at offset %" PRId64 ", resetting offset to %" PRId64, field[5],
                    field[3]);
        *level = LOG_WARN;
        return true;
    case POSITION_EXTERNAL:
    case POSITION_SEEK:
        text_format(text, "Seeking to offset %" PRId64 " for partition ", field[3]);
        log_partition_name(words, field[2], text);
        return true;
    }
    return false;
}

bool log_client_words(struct log_words *words, const struct trace_record *record,
                      enum log_level *level, name_id *group)
{
    const int64_t *field = record->field;
    *group = (name_id)field[0];
    if (record->kind == TRACE_CLIENT) return event_words(words, record, level);
    if (record->kind == TRACE_POSITION) return position_words(words, record, level);
    if (record->kind == TRACE_COMMIT_REJECTED) {
        log_client_prefix(words, (name_id)field[0], (name_id)field[3]);
        text_append(&words->text, "Offset commit failed on partition ");
        log_partition_name(words, field[1], &words->text);
        text_format(&words->text, " at offset %" PRId64 ": ", field[2]);
        append_error(words, field[6]);
        *level = LOG_ERROR;
        return true;
    }
    if (record->kind == TRACE_COMMIT_DONE && field[5] != KAFKA_NONE) {
        log_client_prefix(words, (name_id)field[0], (name_id)field[1]);
        text_format(&words->text, "Offset commit of %" PRId64 " partitions failed: ", field[3]);
        append_error(words, field[5]);
        *level = LOG_WARN;
        return true;
    }
    return false;
}
