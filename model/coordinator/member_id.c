/* model/coordinator/member_id.c: random (version 4) uuids from keyed draws. */
#include "model/coordinator/member_id.h"

#include "sim/rng.h"

name_id member_id_make(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                       uint32_t index)
{
    const struct member_ids *ids = self;
    struct rng_key key = rng_key(ids->seed, names_hash(ids->names, group), RNG_MEMBER_ID);
    struct rng rng = rng_start(&key, rng_index((uint64_t)leader_epoch, index));
    uint64_t high = rng_next_u64(&rng);
    uint64_t low = rng_next_u64(&rng);
    return names_format(ids->names, "%s-%08x-%04x-4%03x-%04x-%04x%08x",
                        names_text(ids->names, prefix), (unsigned)(high >> 32),
                        (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
                        (unsigned)(0x8000 | (low >> 48 & 0x3fff)), (unsigned)(low >> 32 & 0xffff),
                        (unsigned)low);
}
