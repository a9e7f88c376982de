/* The transaction coordinator alone: what happens when its log cannot be written. */
#include "model/transaction_coordinator.h"
#include "sim/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct host {
    struct memory *memory;
    struct transaction_coordinator coordinator;
    bool is_short_of_replicas;
    int64_t end; /* of the log */
    int32_t last_state;
    int32_t markers;
};

static int64_t append(void *self, struct transaction_record *record)
{
    struct host *host = self;
    int32_t state = (int32_t)record->state;
    transaction_record_release(host->memory, record);
    if (host->is_short_of_replicas) return -1;
    host->last_state = state;
    return ++host->end;
}

static void reply(void *self, uint64_t token, struct message *response)
{
    (void)token;
    message_free(((struct host *)self)->memory, response);
}

static void write_marker(void *self, const struct txn_marker_entry *marker)
{
    (void)marker;
    ((struct host *)self)->markers++;
}

static int64_t new_producer_id(void *self)
{
    (void)self;
    return 7;
}

static partition_id offsets_partition(void *self, name_id group)
{
    (void)self;
    (void)group;
    return PARTITION_ID(1, 0);
}

static void all_is_replicated(struct host *host)
{
    transactions_committed(&host->coordinator, host->end);
}

static void an_end_that_cannot_be_noted_is_noted_later(void **state)
{
    (void)state;
    struct host host = {.memory = memory_new()};
    const struct transaction_host_calls calls = {.append = append,
                                                 .reply = reply,
                                                 .write_marker = write_marker,
                                                 .new_producer_id = new_producer_id,
                                                 .offsets_partition = offsets_partition,
                                                 .self = &host};
    transactions_open(&host.coordinator, host.memory, &calls, 900000, 1);
    struct transaction_record *ongoing = transaction_record_new(host.memory, 1);
    ongoing->id = 5;
    ongoing->state = TRANSACTION_STATE_ONGOING;
    ongoing->producer_id = 7;
    ongoing->timeout_ms = 60000;
    ongoing->partition_count = 1;
    ongoing->partitions[0] = PARTITION_ID(0, 3);
    transactions_load(&host.coordinator, ongoing);
    transaction_record_release(host.memory, ongoing);
    transactions_sweep(&host.coordinator, SECONDS(61));
    assert_int_equal(host.last_state, TRANSACTION_STATE_PREPARE_ABORT);
    all_is_replicated(&host);
    assert_int_equal(host.markers, 1);

    host.is_short_of_replicas = true;
    transactions_marker_written(&host.coordinator, 5, PARTITION_ID(0, 3));
    transactions_sweep(&host.coordinator, SECONDS(71));
    assert_int_equal(host.last_state, TRANSACTION_STATE_PREPARE_ABORT);
    host.is_short_of_replicas = false;
    transactions_sweep(&host.coordinator, SECONDS(81));
    assert_int_equal(host.last_state, TRANSACTION_STATE_COMPLETE_ABORT);
    int64_t end = host.end;
    transactions_sweep(&host.coordinator, SECONDS(91)); /* under way */
    all_is_replicated(&host);
    transactions_sweep(&host.coordinator, SECONDS(101)); /* over */
    assert_int_equal(host.end, end);
    assert_int_equal(host.markers, 1);
    transactions_close(&host.coordinator);
    memory_free_all(host.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_that_cannot_be_noted_is_noted_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
