/* model/coordinator/member_id.h: the usual member ids as Kafka makes them: `<prefix>-<uuid>` in
 * classic groups, a bare Uuid (22 characters of base 64) when the prefix is NAME_NONE, as
 * coordinators make them for the consumer protocol.
 *
 * The uuid is a keyed draw (RNG_MEMBER_ID, the group's name, leader epoch and count of ids): the
 * same run hands out the same ids, and a failed-over coordinator never repeats one. */
#ifndef MODEL_COORDINATOR_MEMBER_ID_H
#define MODEL_COORDINATOR_MEMBER_ID_H

#include "sim/names.h"

#include <stdint.h>

struct member_ids {
    struct names *names;
    uint64_t seed;
};

/* A member_id_maker (coordinator.h) whose `self` is a struct member_ids. */
name_id member_id_make(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                       uint32_t index);

#endif
