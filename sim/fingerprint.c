#include "sim/fingerprint.h"

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

uint64_t fingerprint_value(const struct fingerprint *fingerprint)
{
    const uint64_t *lane = fingerprint->lane;
    uint64_t hash = XXH_WORD_5;
    if (fingerprint->stripes > 0) {
        hash = rotate(lane[0], 1) + rotate(lane[1], 7) + rotate(lane[2], 12) + rotate(lane[3], 18);
        for (int i = 0; i < 4; i++) {
            hash = (hash ^ fingerprint_round(0, lane[i])) * XXH_WORD_1 + XXH_WORD_4;
        }
    }
    hash += fingerprint->stripes * 4 * sizeof(uint64_t);
    hash = (hash ^ hash >> 33) * XXH_WORD_2;
    hash = (hash ^ hash >> 29) * XXH_WORD_3;
    return hash ^ hash >> 32;
}
