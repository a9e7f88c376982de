/* tools/log_client.c: the words of the Java consumer (AbstractCoordinator, ConsumerCoordinator,
 * SubscriptionState). */
#include "tools/log_internal.h"

#include "model/kafka_types.h"

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

/* CLIENT: group, member, event, generation, member_id, number, error, text. */
static bool event_words(struct log_words *words, const struct trace_record *record,
                        enum log_level *level)
{
    const int64_t *field = record->field;
    const char *member_id = store_name(words->reader, field[4]);
    const char *reason = store_name(words->reader, field[7]);
    struct text *text = &words->text;
    log_client_prefix(words, (name_id)field[0], (name_id)field[1]);
    switch ((enum client_event)field[2]) {
    case CLIENT_STARTED: text_append(text, "Subscribed to the group's topics"); return true;
    case CLIENT_JOINING: text_append(text, "(Re-)joining group"); return true;
    case CLIENT_JOINED:
    case CLIENT_SYNCED:
        if (is_consumer_protocol(words, (name_id)field[0])) {
            if (field[2] == CLIENT_JOINED) return false; /* not known by an id yet */
            text_format(text, "Updating assignment with local epoch %" PRId64, field[3]);
            return true;
        }
        text_format(text, "Successfully %s Generation{generationId=%" PRId64 ", memberId='%s'",
                    field[2] == CLIENT_JOINED ? "joined group with generation"
                                              : "synced group in generation",
                    field[3], member_id);
        if (*reason != '\0') text_format(text, ", protocol='%s'", reason);
        text_append(text, "}");
        return true;
    case CLIENT_POLL_TIMEOUT:
        text_append(text, "consumer poll timeout has expired. This means the time between "
                          "subsequent calls to poll() was longer than the configured "
                          "max.poll.interval.ms");
        *level = LOG_WARN;
        return true;
    case CLIENT_LEAVING:
        text_format(text, "Member %s sending LeaveGroup request to coordinator due to %s",
                    member_id, *reason != '\0' ? reason : "the consumer is being closed");
        return true;
    case CLIENT_REJOIN_REQUESTED:
        text_format(text, "Request joining group due to: %s",
                    *reason != '\0' ? reason : "group is already rebalancing");
        return true;
    case CLIENT_HEARTBEAT_FAILED:
        text_append(text, "Attempt to heartbeat failed: ");
        append_error(words, field[6]);
        return true;
    case CLIENT_GENERATION_RESET:
        text_append(text, "Resetting generation and member id");
        if (*reason != '\0') text_format(text, " due to: %s", reason);
        return true;
    case CLIENT_FENCED:
        text_append(text, "Fenced: ");
        append_error(words, field[6]);
        *level = LOG_ERROR;
        return true;
    case CLIENT_COORDINATOR_UNKNOWN:
        text_append(text, "Group coordinator is unavailable or invalid; rediscovery will be "
                          "attempted");
        if (*reason != '\0') text_format(text, " (%s)", reason);
        return true;
    case CLIENT_COORDINATOR_FOUND:
        text_format(text, "Discovered group coordinator: broker %" PRId64, field[5]);
        return true;
    case CLIENT_RESET_NONE:
        text_append(text, "NoOffsetForPartitionException: undefined offset with no reset policy "
                          "for a partition");
        *level = LOG_ERROR;
        return true;
    case CLIENT_FATAL:
        text_append(text, "Fatal: ");
        append_error(words, field[6]);
        *level = LOG_ERROR;
        return true;
    case CLIENT_OUT_OF_MEMORY:
        text_append(text, "java.lang.OutOfMemoryError: Java heap space");
        *level = LOG_ERROR;
        return true;
    case CLIENT_CLOSED: text_append(text, "Consumer closed"); return true;
    case CLIENT_RESTORE_BEGIN: text_append(text, "(application) restoring state"); return true;
    case CLIENT_RESTORE_END: text_append(text, "(application) restored its state"); return true;
    case CLIENT_DEAD_LETTER:
        text_format(text, "(application) sent offset %" PRId64 " to the dead-letter topic",
                    field[5]);
        *level = LOG_WARN;
        return true;
    case CLIENT_RETRY:
        text_format(text, "(application) a record failed, try %" PRId64, field[5]);
        *level = LOG_WARN;
        return true;
    case CLIENT_FIRST_POLL:
    case CLIENT_REVOKE_CALLBACK:
    case CLIENT_LOST_CALLBACK:
    case CLIENT_ASSIGN_CALLBACK:
    case CLIENT_CLOSING: return false;
    }
    return false;
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
