/* model/coordinator/member_id.c: random (version 4) uuids from keyed draws. */
#include "model/coordinator/member_id.h"

#include "sim/rng.h"

/* org.apache.kafka.common.Uuid.toString: 16 bytes in the URL's base 64 without padding. */
static void write_base64(uint64_t high, uint64_t low, char text[23])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (int i = 0; i < 22; i++) {
        unsigned digit = 0;
        for (int bit = 6 * i; bit < 6 * i + 6; bit++) {
            unsigned value = 0;
            if (bit < 64) {
                value = (unsigned)(high >> (63 - bit)) & 1;
            } else if (bit < 128) {
                value = (unsigned)(low >> (127 - bit)) & 1;
            }
            digit = digit << 1 | value;
        }
        text[i] = digits[digit];
    }
    text[22] = '\0';
}

name_id member_id_make(void *self, name_id group, name_id prefix, int32_t leader_epoch,
                       uint32_t index)
{
    const struct member_ids *ids = self;
    struct rng_key key = rng_key(ids->seed, names_hash(ids->names, group), RNG_MEMBER_ID);
    struct rng rng = rng_start(&key, rng_index((uint64_t)leader_epoch, index));
    if (prefix == NAME_NONE) {
        char text[23];
        do { /* Uuid.randomUuid makes none that could be taken for an option */
            uint64_t first = rng_next_u64(&rng);
            uint64_t second = rng_next_u64(&rng);
            write_base64((first & ~UINT64_C(0xf000)) | 0x4000,
                         (second & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62, text);
        } while (text[0] == '-');
        return names_intern(ids->names, text);
    }
    uint64_t high = rng_next_u64(&rng);
    uint64_t low = rng_next_u64(&rng);
    return names_format(ids->names, "%s-%08x-%04x-4%03x-%04x-%04x%08x",
                        names_text(ids->names, prefix), (unsigned)(high >> 32),
                        (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
                        (unsigned)(0x8000 | (low >> 48 & 0x3fff)), (unsigned)(low >> 32 & 0xffff),
                        (unsigned)low);
}
