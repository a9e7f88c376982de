/* sim/fingerprint.h: xxHash64 of a stream of words, a stripe of four at a time. Private to the
 * engine.
 *
 * An executed event is exactly one stripe, so hashing it costs four independent multiply-rotate
 * rounds and no buffer. The value is what XXH64 gives for the same words as little-endian bytes
 * with seed 0; a test compares the two. */
#ifndef SIM_FINGERPRINT_H
#define SIM_FINGERPRINT_H

#include <stdint.h>

#define XXH_WORD_1 UINT64_C(0x9E3779B185EBCA87)
#define XXH_WORD_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define XXH_WORD_3 UINT64_C(0x165667B19E3779F9)
#define XXH_WORD_4 UINT64_C(0x85EBCA77C2B2AE63)
#define XXH_WORD_5 UINT64_C(0x27D4EB2F165667C5)

struct fingerprint {
    uint64_t lane[4];
    uint64_t stripes;
};

static inline void fingerprint_init(struct fingerprint *fingerprint)
{
    *fingerprint = (struct fingerprint){
        .lane = {XXH_WORD_1 + XXH_WORD_2, XXH_WORD_2, 0, 0 - XXH_WORD_1},
    };
}

static inline uint64_t fingerprint_round(uint64_t lane, uint64_t word)
{
    lane += word * XXH_WORD_2;
    return (lane << 31 | lane >> 33) * XXH_WORD_1;
}

static inline void fingerprint_add(struct fingerprint *fingerprint, uint64_t a, uint64_t b,
                                   uint64_t c, uint64_t d)
{
    fingerprint->lane[0] = fingerprint_round(fingerprint->lane[0], a);
    fingerprint->lane[1] = fingerprint_round(fingerprint->lane[1], b);
    fingerprint->lane[2] = fingerprint_round(fingerprint->lane[2], c);
    fingerprint->lane[3] = fingerprint_round(fingerprint->lane[3], d);
    fingerprint->stripes++;
}

uint64_t fingerprint_value(const struct fingerprint *fingerprint);

#endif
