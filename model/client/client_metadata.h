/* model/client/client_metadata.h: what a client knows of topics and leaders (Metadata).
 *
 * Learned from Metadata responses of whichever broker is least loaded, so it may be behind. It is
 * refreshed when it gets too old (metadata.max.age.ms) and on demand, one request at a time, with a
 * back-off between attempts. A partition's leader is only replaced by one of the same or a later
 * epoch, so an answer from a broker that lags behind undoes nothing. */
#ifndef MODEL_CLIENT_CLIENT_METADATA_H
#define MODEL_CLIENT_CLIENT_METADATA_H

#include "model/client/network_client.h"
#include "model/messages_data.h"

struct client_metadata;

struct client_metadata_options {
    struct sim *sim;
    struct network_client *network; /* becomes its maintenance */
    name_id name;                   /* for keyed draws */
    int32_t metadata_max_age_ms;
    int32_t retry_backoff_ms;
    int32_t retry_backoff_max_ms;
    int32_t request_timeout_ms;
    /* Asks for all topics there are: those added that are not among them are only missing. */
    bool all_topics;
    /* After each response taken over. NULL = nobody asks. */
    void (*on_update)(void *context);
    void *context;
};

struct client_topic {
    name_id name;
    enum kafka_error
        error;        /* NONE; or UNKNOWN_TOPIC_OR_PARTITION, also before the first response */
    int32_t index;    /* of PARTITION_ID; -1 = not known yet */
    int32_t topic_id; /* the last one told of */
    bool is_missing;  /* a broker has said that there is no such topic */
    int32_t partition_count;
    int32_t replication;
    struct metadata_partition *partitions; /* shape [partition_count] */
    int32_t *replicas;                     /* shape [partition_count][replication] */
};

struct client_metadata *client_metadata_new(const struct client_metadata_options *options);
/* Forgets what it learned, keeps the topics it is to ask for. */
void client_metadata_reset(struct client_metadata *metadata);

/* Asks for the topic from now on; a topic not yet known is asked for at once. */
void client_metadata_add_topic(struct client_metadata *metadata, name_id topic);
void client_metadata_request_update(struct client_metadata *metadata);
/* Known, and no update asked for or due. */
bool client_metadata_is_fresh(const struct client_metadata *metadata);
/* Brokers have spoken of every topic, if only to say that it is missing. */
bool client_metadata_is_complete(const struct client_metadata *metadata);
/* Counts what was learned, response by response; 0 = nothing is known. */
uint64_t client_metadata_version(const struct client_metadata *metadata);

int32_t client_metadata_topic_count(const struct client_metadata *metadata);
const struct client_topic *client_metadata_topic_at(const struct client_metadata *metadata,
                                                    int32_t number);
/* NULL when it is not asked for. */
const struct client_topic *client_metadata_topic(const struct client_metadata *metadata,
                                                 name_id topic);

/* The topic id last told of for the topic of this partition; 0 when there was none. */
int32_t client_metadata_topic_id(const struct client_metadata *metadata, partition_id partition);
/* Leader -1 and epoch -1 when not known. */
struct metadata_partition client_metadata_partition(const struct client_metadata *metadata,
                                                    partition_id partition);
/* A response named the new leader (KIP-951). True if that was news. */
bool client_metadata_set_leader(struct client_metadata *metadata, partition_id partition,
                                int32_t leader, int32_t leader_epoch);
/* NAME_NONE = none, or not known. */
name_id client_metadata_rack(const struct client_metadata *metadata, int32_t broker);

#endif
