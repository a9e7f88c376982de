/* tools/log_words.h: records as the lines that brokers and clients log.
 *
 * Broker lines are those of Kafka 4's coordinator (GroupMetadataManager), client lines those of the
 * Java consumer; where Kafka logs nothing (a process dies, a timeline entry takes effect) the
 * words are ours and the source says so. What Kafka does not say at INFO is left out. What the
 * ledger found (duplicates, cascades and the like, with their causes) stands where it began; a line
 * of an instant follows the records of that instant. */
#ifndef TOOLS_LOG_WORDS_H
#define TOOLS_LOG_WORDS_H

#include "tools/store_reader.h"

enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_line {
    sim_time at;
    enum log_level level;
    const char *source; /* "broker 1", "payments-3", "timeline", … */
    const char *text;
    name_id group; /* NAME_NONE = about none in particular */
};

typedef void log_sink(void *self, const struct log_line *line);

struct log_words;

struct log_words *log_words_new(const struct store_reader *reader, log_sink *sink, void *self);
/* Records in order; lines come out in order, some only with a later record. */
void log_words_take(struct log_words *words, const struct trace_record *record);
/* Lets out what is held back, and frees. */
void log_words_finish(struct log_words *words);

/* The kinds that have words; shape [*count]. */
const uint16_t *log_words_kinds(size_t *count);

#endif
