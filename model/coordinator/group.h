/* model/coordinator/group.h: one group id and what stands behind it.
 *
 * A group id is absent, a classic group (with or without members; one without protocol type that
 * only has offsets is what Kafka calls a simple group) or a consumer group (KIP-848). Offsets
 * belong to the id and survive a change between the two. The struct itself stays for the life of
 * the shard, so pointers to it are good for ever. */
#ifndef MODEL_COORDINATOR_GROUP_H
#define MODEL_COORDINATOR_GROUP_H

#include "model/coordinator/group_events.h"
#include "model/coordinator/id_map.h"
#include "model/coordinator/offsets.h"

enum group_type { GROUP_ABSENT, GROUP_CLASSIC, GROUP_CONSUMER };

struct classic_group;
struct consumer_group;
struct consumer_timers;

struct group {
    name_id id;
    enum group_type type;
    enum group_type committed_type;  /* as of the high watermark: what reads may see */
    struct classic_group *classic;   /* GROUP_CLASSIC */
    struct consumer_group *consumer; /* GROUP_CONSUMER */
    struct group_offsets offsets;
    uint32_t member_ids_issued; /* by this leader epoch */
    /* Member id -> struct consumer_timers (consumer_timers.h); consumer protocol only. They outlive
     * members and conversions, as Kafka's timers do, which are found by key. */
    struct id_map consumer_timers;
    struct consumer_timers *first_consumer_timers; /* list of all of them */
    int32_t consumer_session_timeout_ms;           /* dynamic settings; 0 = the broker's */
    int32_t consumer_heartbeat_interval_ms;
};

#endif
