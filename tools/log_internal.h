/* tools/log_internal.h: what the parts of log_words share. */
#ifndef TOOLS_LOG_INTERNAL_H
#define TOOLS_LOG_INTERNAL_H

#include "tools/log_words.h"
#include "tools/text.h"

/* What lines about a group need from earlier records. */
struct log_group {
    name_id group;
    const char *name;
    enum group_trace_state state;
    int64_t broker;
    int32_t offsets_partition;
    bool is_consumer_protocol;
    const char *leader;
    int64_t static_members;
};

struct log_ledger;
struct log_producers;

struct log_words {
    const struct store_reader *reader;
    log_sink *sink;
    void *self;
    struct log_ledger *ledger;
    struct log_producers *producers;
    struct log_group *groups; /* shape [group_count] */
    size_t group_count;
    /* Client ids by member, as members were added to groups. */
    struct log_member {
        name_id member;
        const char *client_id;
        bool is_static;
    } * members;
    size_t member_count;
    /* Partitions that begin or cease to be owned at one instant make one line. */
    struct trace_record held; /* the first of them */
    bool holds;
    struct text held_partitions;
    struct text text;   /* of the line being made */
    struct text source; /* likewise */
};

struct log_group *log_find_group(struct log_words *words, name_id group);
const struct log_member *log_find_member(const struct log_words *words, name_id member);
/* Lets the line in words->text out. */
void log_emit(struct log_words *words, sim_time at, enum log_level level, name_id group);

/* What the ledger found, as lines of its own, in the order of their instants. */
struct log_ledger *log_ledger_new(struct log_words *words);
/* Of the next line; SIM_TIME_NEVER = there is none. */
sim_time log_ledger_next_at(const struct log_ledger *ledger);
void log_ledger_say(struct log_ledger *ledger);
void log_ledger_free(struct log_ledger *ledger);

/* The same for what producers could not send. */
struct log_producers *log_producers_new(struct log_words *words);
sim_time log_producers_next_at(const struct log_producers *producers);
void log_producers_say(struct log_producers *producers);
void log_producers_free(struct log_producers *producers);

/* False: no line for it. The text and the source are filled, and the level and group set. */
bool log_broker_words(struct log_words *words, const struct trace_record *record,
                      enum log_level *level, name_id *group);
bool log_client_words(struct log_words *words, const struct trace_record *record,
                      enum log_level *level, name_id *group);
/* Appends "[Consumer clientId=C, groupId=G] " and sets the source to the member. */
void log_client_prefix(struct log_words *words, name_id group, name_id member);
/* "payments-3", or "?" when the store does not know it. */
void log_partition_name(const struct log_words *words, int64_t partition, struct text *text);

#endif
