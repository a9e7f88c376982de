#include "sim/event_wheel.h"

#include "sim/check.h"

/* A slot of at most this many events goes straight into the heap, if it is not so wide that the
 * heap would collect what is posted for the next while as well. */
#define STRAIGHT_COUNT 64u
#define STRAIGHT_LEVEL 2u

/* Fewer cancelled events than this are not worth a sweep. */
#define SWEEP_LEAST 256u

struct event_wheel *event_wheel_new(struct memory *memory)
{
    struct event_wheel *wheel = memory_keep(memory, sizeof *wheel);
    wheel->memory = memory;
    wheel->near_capacity = 256;
    wheel->near = memory_take(memory, wheel->near_capacity * sizeof *wheel->near);
    return wheel;
}

void event_wheel_grow_near(struct event_wheel *wheel)
{
    size_t size = wheel->near_capacity * sizeof *wheel->near;
    wheel->near = memory_resize(wheel->memory, wheel->near, size, 2 * size);
    wheel->near_capacity *= 2;
}

/* The slot's list, which is empty afterwards. */
static uint32_t take_list(struct event_wheel *wheel, uint32_t slot)
{
    uint32_t level = slot / WHEEL_SLOTS;
    uint64_t *occupied = wheel->occupied[level];
    uint32_t index = wheel->first[slot];
    wheel->first[slot] = 0;
    wheel->count[slot] = 0;
    occupied[slot % WHEEL_SLOTS / 64] &= ~(UINT64_C(1) << slot % 64);
    if ((occupied[0] | occupied[1] | occupied[2] | occupied[3]) == 0) {
        wheel->levels &= ~(1u << level);
    }
    return index;
}

/* What is near is executed soon: its entity and its timer or message are fetched meanwhile. */
static void prefetch_destination(const struct event_queue *queue, const struct event *event)
{
    if (queue->entities == NULL) return;
    __builtin_prefetch((const char *)queue->entities + (size_t)event->to * queue->entity_size);
    __builtin_prefetch(event->pointer);
}

/* Everything on a list finds its place anew; the cancelled ones are given back. */
static void insert_list(struct event_wheel *wheel, struct event_queue *queue, uint32_t index)
{
    while (index != 0) {
        struct event *event = &queue->event[index];
        uint32_t next = event->next;
        if (event->place == EVENT_CANCELLED) {
            wheel->cancelled--;
            event_queue_give(queue, index);
        } else {
            wheel_insert(wheel, queue->event, index);
            if (event->place == EVENT_NEAR) prefetch_destination(queue, event);
        }
        index = next;
    }
}

bool event_wheel_advance(struct event_wheel *wheel, struct event_queue *queue, sim_time until)
{
    if (wheel->levels == 0) return false;
    uint32_t level = (uint32_t)__builtin_ctz(wheel->levels);
    uint32_t word = 0;
    while (wheel->occupied[level][word] == 0)
        word++;
    uint32_t digit = word * 64 + (uint32_t)__builtin_ctzll(wheel->occupied[level][word]);
    uint32_t slot = level * WHEEL_SLOTS + digit;

    uint64_t width = UINT64_C(1) << (level * WHEEL_DIGIT_BITS);
    uint64_t begin = (wheel->tick & ~(width * WHEEL_SLOTS - 1)) + digit * width;
    if (begin > wheel_tick(until)) return false;
    /* Either the whole slot goes into the heap, or its first tick and the rest is spread. */
    bool straight = level == 0 || (level <= STRAIGHT_LEVEL && wheel->count[slot] <= STRAIGHT_COUNT);
    wheel->tick = straight ? begin + width - 1 : begin;
    insert_list(wheel, queue, take_list(wheel, slot));
    return true;
}

static void sweep_near(struct event_wheel *wheel, struct event_queue *queue)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < wheel->near_count; i++) {
        uint32_t index = wheel->near[i].index;
        if (queue->event[index].place == EVENT_CANCELLED) {
            wheel->cancelled--;
            event_queue_give(queue, index);
        } else {
            wheel->near[kept++] = wheel->near[i];
        }
    }
    wheel->near_count = kept;
    for (uint32_t i = kept; i-- > 0;) {
        near_sift_down(wheel->near, kept, queue->event, i, wheel->near[i]);
    }
}

static void sweep(struct event_wheel *wheel, struct event_queue *queue)
{
    sweep_near(wheel, queue);
    for (uint32_t slot = 0; slot < WHEEL_LEVELS * WHEEL_SLOTS; slot++) {
        if (wheel->first[slot] != 0) insert_list(wheel, queue, take_list(wheel, slot));
    }
    CHECK(wheel->cancelled == 0);
}

void event_wheel_cancel(struct event_wheel *wheel, struct event_queue *queue, uint32_t index)
{
    struct event *event = &queue->event[index];
    CHECK(event->place == EVENT_SLOT || event->place == EVENT_NEAR);
    event->place = EVENT_CANCELLED;
    if (++wheel->cancelled > SWEEP_LEAST && wheel->cancelled > queue->pending) {
        sweep(wheel, queue);
    }
}
