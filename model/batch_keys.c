#include "model/batch_keys.h"

struct batch_keys *batch_keys_new(struct memory *memory, const struct record_keys *keys,
                                  int32_t partition, int64_t number, int64_t base_offset)
{
    struct batch_keys *batch = memory_take(memory, sizeof(*batch));
    *batch = (struct batch_keys){
        .holders = 1,
        .partition = partition,
        .keys = keys,
        .shift = number - base_offset,
        .delete_horizon = SIM_TIME_NEVER,
    };
    return batch;
}

static void release(void *context, void *payload)
{
    struct batch_keys *batch = payload;
    if (--batch->holders == 0) memory_give(context, batch, sizeof(*batch));
}

static void *hold(void *context, void *payload)
{
    struct batch_keys *batch = payload;
    (void)context;
    batch->holders++;
    return batch;
}

struct log_payloads batch_keys_payloads(struct memory *memory)
{
    return (struct log_payloads){release, hold, memory};
}
