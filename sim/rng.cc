// The one C++ unit: Debian's PCG (libpcg-cpp-dev) is a C++ header.
//
// The engine is setseq_rxs_m_xs_64_64: 64 bits of state and a stream number give 64 bits of output.
// (seed, entity, purpose, index) are hashed to 128 bits: one half is the state, the other the
// stream.
#include <cstring>
#include <pcg_random.hpp>
#include <type_traits>

#define XXH_INLINE_ALL
#include <xxhash.h>

// C headers: a keyword of C11, and a function named like its struct, which C++ calls shadowing.
#define _Noreturn [[noreturn]]
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
extern "C" {
#include "sim/check.h"
#include "sim/rng.h"
}
#pragma GCC diagnostic pop

using engine = pcg_engines::setseq_rxs_m_xs_64_64;
static_assert(sizeof(engine) == sizeof(struct rng), "struct rng holds a PCG engine");
static_assert(std::is_trivially_copyable<engine>::value, "and may be copied bytewise");

static uint64_t little_endian(uint64_t word)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

static engine seeded(const struct rng_key *key, uint64_t index)
{
    const uint64_t words[4] = {little_endian(key->seed), little_endian(key->entity),
                               little_endian(key->purpose), little_endian(index)};
    XXH128_hash_t hash = XXH3_128bits(words, sizeof words);
    return engine(hash.low64, hash.high64);
}

// Lemire's multiplication: unbiased, and nearly always one output.
static uint64_t below(engine *generator, uint64_t bound)
{
    CHECK(bound > 0);
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(*generator)() * bound;
    if ((uint64_t)product < bound) {
        uint64_t unfair = (0 - bound) % bound;
        while ((uint64_t)product < unfair)
            product = (wide)(*generator)() * bound;
    }
    return (uint64_t)(product >> 64);
}

extern "C" struct rng_key rng_key(uint64_t seed, uint64_t entity_hash, enum rng_purpose purpose)
{
    struct rng_key key = {seed, entity_hash, (uint64_t)purpose};
    return key;
}

extern "C" uint64_t rng_index(uint64_t a, uint64_t b)
{
    const uint64_t words[2] = {little_endian(a), little_endian(b)};
    return XXH3_64bits(words, sizeof words);
}

extern "C" uint64_t rng_u64(const struct rng_key *key, uint64_t index)
{
    return seeded(key, index)();
}

extern "C" uint64_t rng_below(const struct rng_key *key, uint64_t index, uint64_t bound)
{
    engine generator = seeded(key, index);
    return below(&generator, bound);
}

extern "C" bool rng_chance_ppm(const struct rng_key *key, uint64_t index, uint32_t ppm)
{
    if (ppm == 0) return false;
    return rng_below(key, index, 1000000) < ppm;
}

extern "C" struct rng rng_start(const struct rng_key *key, uint64_t index)
{
    engine generator = seeded(key, index);
    struct rng rng;
    std::memcpy(static_cast<void *>(&rng), &generator, sizeof rng);
    return rng;
}

extern "C" uint64_t rng_next_u64(struct rng *rng)
{
    engine generator;
    std::memcpy(static_cast<void *>(&generator), rng, sizeof generator);
    uint64_t output = generator();
    std::memcpy(rng, &generator, sizeof generator);
    return output;
}

extern "C" uint64_t rng_next_below(struct rng *rng, uint64_t bound)
{
    engine generator;
    std::memcpy(static_cast<void *>(&generator), rng, sizeof generator);
    uint64_t output = below(&generator, bound);
    std::memcpy(rng, &generator, sizeof generator);
    return output;
}
