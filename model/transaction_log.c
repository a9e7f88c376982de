#include "model/transaction_log.h"

struct transaction_record *transaction_record_new(struct memory *memory, int32_t partition_count)
{
    size_t size =
        sizeof(struct transaction_record) + (size_t)partition_count * sizeof(partition_id);
    struct transaction_record *record = memory_take(memory, size);
    record->references = 1;
    record->size = (uint32_t)size;
    record->partition_count = partition_count;
    return record;
}

struct transaction_record *transaction_record_hold(struct transaction_record *record)
{
    record->references++;
    return record;
}

void transaction_record_release(struct memory *memory, struct transaction_record *record)
{
    if (--record->references == 0) memory_give(memory, record, record->size);
}
