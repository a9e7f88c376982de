/* send() calls that block: for want of buffer.memory, or of their topic. */
#include "model/producer_internal.h"

#include "model/trace_kinds.h"

#include <string.h>

void producer_block(struct producer *producer, const struct producer_blocked *send)
{
    if (producer->blocked_first + producer->blocked_count == producer->blocked_capacity) {
        if (producer->blocked_first > 0) {
            memmove(producer->blocked, producer->blocked + producer->blocked_first,
                    producer->blocked_count * sizeof *producer->blocked);
        }
        producer->blocked_first = 0;
        if (producer->blocked_count == producer->blocked_capacity) {
            uint32_t grown = producer->blocked_capacity == 0 ? 16 : producer->blocked_capacity * 2;
            producer->blocked =
                memory_resize(producer->memory, producer->blocked,
                              producer->blocked_capacity * sizeof *producer->blocked,
                              grown * sizeof *producer->blocked);
            producer->blocked_capacity = grown;
        }
    }
    producer->blocked[producer->blocked_first + producer->blocked_count++] = *send;
    for (int32_t n = 0; n < producer->node_count; n++) {
        producer->nodes[n].ready_at = sim_now(producer->sim); /* exhausted: nothing lingers */
    }
    producer_wake(producer, sim_now(producer->sim));
}

static void accumulate(struct producer *producer, const struct producer_blocked *send)
{
    if (send->sticky) {
        producer_accumulate_sticky(producer, send->topic, &send->records);
    } else {
        producer_accumulate(producer, send->partition, &send->records);
    }
}

/* The partitioner counts the partitions when the topic is there; the key of a record that waited
 * for it is not known any more here, so its partition is only kept among them. */
static void choose_anew(const struct producer *producer, struct producer_blocked *send)
{
    const struct client_topic *topic = client_metadata_topic(producer->metadata, send->topic);
    int32_t number = PARTITION_NUMBER(send->partition);
    if (send->sticky || topic->partition_count == 0 || number < topic->partition_count) return;
    send->partition = PARTITION_ID(topic->index, number % topic->partition_count);
}

/* The numbers of a batch's records go up without a gap. */
static void end_batch(struct producer *producer, partition_id partition)
{
    struct producer_send_batch *last = producer_queue_of(producer, partition)->tail;
    if (last != NULL) last->full = true;
}

void producer_unblock(struct producer *producer)
{
    sim_time now = sim_now(producer->sim);
    while (producer->blocked_count > 0) {
        struct producer_blocked send = producer->blocked[producer->blocked_first];
        sim_time fails_at = send.since + MILLISECONDS(producer->config.max_block_ms);
        bool room = producer->buffered_bytes < producer->config.buffer_memory &&
                    !producer_lacks_topic(producer, send.topic);
        if (!room && now < fails_at) {
            producer_wake(producer, fails_at);
            return;
        }
        producer->blocked_first++;
        producer->blocked_count--;
        if (producer->blocked_count == 0) producer->blocked_first = 0;
        if (room) {
            choose_anew(producer, &send);
            accumulate(producer, &send);
            continue;
        }
        producer->pending_records -= send.records.count;
        if (producer->options.keys != NULL) end_batch(producer, send.partition);
        TRACE(producer->sim, TRACE_PRODUCE_DONE, producer->options.name, send.partition, -1,
              send.records.count, KAFKA_REQUEST_TIMED_OUT, 0, send.records.first_at,
              send.records.last_at);
        producer_tell_failed_send(producer, &send, KAFKA_REQUEST_TIMED_OUT);
        const struct producer_outcome outcome = {
            send.partition,          send.records.count,   -1,
            KAFKA_REQUEST_TIMED_OUT, send.records.tag,     send.records.bytes,
            send.records.first_at,   send.records.last_at, send.records.number};
        if (producer->options.on_done != NULL) {
            producer->options.on_done(producer->options.self, &outcome);
        }
    }
}
