#include "model/assignor/sticky_improve.h"

#include "sim/check.h"

#include <string.h>

/* A power of two. Few groups need as many passes. */
#define FIRST_PASS_REMEMBERED 16

/* Kafka asks before each single partition whether the whole group is balanced, and ends the pass if
 * so. "Balanced" there means that nobody could get a partition of one of its topics from an owner
 * with at least two more. But then no partition would be moved anyway, since moving one asks for
 * exactly such a pair. So the question can be left out: that is why this takes milliseconds where
 * Kafka takes half a minute. (Kafka's other rule, back to an older owner, would differ only where
 * that owner no longer subscribes, which is refused here.) */

struct improvement improvement_new(struct sticky *sticky, int32_t *load, const int32_t *rank,
                                   const int32_t *older_owner, const int32_t *topics,
                                   int32_t topic_count)
{
    struct scratch *scratch = sticky->scratch;
    const int32_t members = sticky->input->member_count;
    const int32_t slots = sticky->output->slot_count;
    struct improvement improvement = {.sticky = sticky,
                                      .load = load,
                                      .rank = rank,
                                      .older_owner = older_owner,
                                      .topics = topics,
                                      .topic_count = topic_count,
                                      .origin = SCRATCH_ARRAY(scratch, int32_t, slots),
                                      .first_moved = SCRATCH_ARRAY(scratch, int32_t, members),
                                      .next_moved = SCRATCH_ARRAY(scratch, int32_t, slots),
                                      .previous_moved = SCRATCH_ARRAY(scratch, int32_t, slots),
                                      .topic_stamp = SCRATCH_ARRAY(scratch, int32_t, members)};
    memset(improvement.origin, 0xff, sizeof(int32_t) * (size_t)slots);
    improvement.heap = (struct load_heap){.load = load,
                                          .rank = rank,
                                          .member = SCRATCH_ARRAY(scratch, int32_t, members),
                                          .place = SCRATCH_ARRAY(scratch, int32_t, members)};
    return improvement;
}

static void link_moved(struct improvement *improvement, int32_t slot, int32_t member)
{
    const int32_t next = improvement->first_moved[member];
    improvement->next_moved[slot] = next;
    improvement->previous_moved[slot] = -1;
    if (next >= 0) improvement->previous_moved[next] = slot;
    improvement->first_moved[member] = slot;
}

static void unlink_moved(struct improvement *improvement, int32_t slot, int32_t member)
{
    const int32_t next = improvement->next_moved[slot];
    const int32_t previous = improvement->previous_moved[slot];
    if (next >= 0) improvement->previous_moved[next] = previous;
    if (previous >= 0) {
        improvement->next_moved[previous] = next;
    } else {
        improvement->first_moved[member] = next;
    }
}

/* The lowest slot of this topic that came from `origin` and is now with `member`, or -1. */
static int32_t lowest_moved(const struct improvement *improvement, int32_t origin, int32_t member)
{
    int32_t lowest = -1;
    for (int32_t slot = improvement->first_moved[member]; slot >= 0;
         slot = improvement->next_moved[slot]) {
        if (improvement->origin[slot] != origin) continue;
        if (lowest < 0 || slot < lowest) lowest = slot;
    }
    return lowest;
}

static void change_load(struct improvement *improvement, int32_t member, int32_t by)
{
    improvement->load[member] += by;
    load_heap_changed(&improvement->heap, member);
}

/* Moves the slot to a member, or, if the member once gave a slot of this topic to where this one
 * came from, moves that one back instead: two slots need not change places. */
static void move(struct improvement *improvement, int32_t slot, int32_t to)
{
    int32_t *owner = improvement->sticky->output->owner;
    int32_t *origin = improvement->origin;
    const int32_t source = origin[slot] != ASSIGN_NOBODY ? origin[slot] : owner[slot];
    const int32_t back = lowest_moved(improvement, to, source);
    const bool helps = improvement->load[source] > improvement->load[to] + 1;
    if (back >= 0 && (helps || !improvement->endless)) slot = back;
    const int32_t from = owner[slot];
    if (origin[slot] != ASSIGN_NOBODY) {
        unlink_moved(improvement, slot, from);
        if (origin[slot] == to) origin[slot] = ASSIGN_NOBODY;
    } else {
        origin[slot] = from;
    }
    owner[slot] = to;
    if (origin[slot] != ASSIGN_NOBODY) link_moved(improvement, slot, to);
    change_load(improvement, from, -1);
    change_load(improvement, to, 1);
}

/* Nothing to gain when all subscribers have about as much. */
static bool is_level(const struct improvement *improvement, const int32_t *subscriber,
                     int32_t count)
{
    int32_t least = INT32_MAX;
    int32_t most = 0;
    for (int32_t i = 0; i < count; i++) {
        const int32_t load = improvement->load[subscriber[i]];
        if (load < least) least = load;
        if (load > most) most = load;
    }
    return most - least <= 1;
}

static void enter_topic(struct improvement *improvement, int32_t topic, const int32_t *subscriber,
                        int32_t count)
{
    const struct assign_output *output = improvement->sticky->output;
    for (int32_t i = 0; i < count; i++) {
        improvement->first_moved[subscriber[i]] = -1;
        improvement->topic_stamp[subscriber[i]] = topic + 1;
    }
    for (int32_t slot = output->first_slot[topic]; slot < output->first_slot[topic + 1]; slot++) {
        if (improvement->origin[slot] == ASSIGN_NOBODY) continue;
        link_moved(improvement, slot, output->owner[slot]);
    }
    load_heap_fill(&improvement->heap, subscriber, count);
}

static bool improve_topic(struct improvement *improvement, int32_t topic, const bool *only)
{
    const struct sticky *sticky = improvement->sticky;
    const struct assign_output *output = sticky->output;
    const int32_t *subscriber = sticky->subscribers.member + sticky->subscribers.first[topic];
    const int32_t count = subscribers_count(&sticky->subscribers, topic);
    const int32_t *load = improvement->load;
    if (is_level(improvement, subscriber, count)) return false;
    enter_topic(improvement, topic, subscriber, count);
    bool moved = false;
    for (int32_t slot = output->first_slot[topic]; slot < output->first_slot[topic + 1]; slot++) {
        if (only != NULL && !only[slot]) continue;
        const int32_t owner = output->owner[slot];
        const int32_t older = improvement->older_owner[slot];
        const int32_t least = load_heap_least(&improvement->heap);
        if (older != ASSIGN_NOBODY && improvement->topic_stamp[older] == topic + 1 &&
            load[owner] > load[older] + 1) {
            move(improvement, slot, older);
            moved = true;
        } else if (load[owner] > load[least] + 1) {
            move(improvement, slot, least);
            moved = true;
        }
    }
    return moved;
}

/* Moving another partition back need not even the loads out (source can be less loaded than the
 * owner it stands for), so Kafka's passes can go on for ever: a few partitions change places in
 * each pass and back in the next. A pass depends on nothing but owners and origins; when these are
 * what they were before an earlier pass, it is such a case, for which Kafka has no answer. From
 * then on a partition is moved back only if that helps; then every move evens the loads out, and
 * that ends. (Brent's method: look back to the last pass whose number is a power of two.) */
static bool repeats(struct improvement *improvement, int32_t pass)
{
    const size_t size = sizeof(int32_t) * (size_t)improvement->sticky->output->slot_count;
    if (pass < FIRST_PASS_REMEMBERED) return false;
    if (pass == FIRST_PASS_REMEMBERED) {
        improvement->remembered_owner = scratch_take(improvement->sticky->scratch, size);
        improvement->remembered_origin = scratch_take(improvement->sticky->scratch, size);
    } else if (memcmp(improvement->remembered_owner, improvement->sticky->output->owner, size) ==
                   0 &&
               memcmp(improvement->remembered_origin, improvement->origin, size) == 0) {
        return true;
    }
    if ((pass & (pass - 1)) == 0) {
        memcpy(improvement->remembered_owner, improvement->sticky->output->owner, size);
        memcpy(improvement->remembered_origin, improvement->origin, size);
    }
    return false;
}

bool improve(struct improvement *improvement, const bool *only)
{
    bool any = false;
    bool moved = true;
    improvement->endless = false;
    for (int32_t pass = 1; moved; pass++) {
        moved = false;
        for (int32_t i = 0; i < improvement->topic_count; i++) {
            if (improve_topic(improvement, improvement->topics[i], only)) moved = true;
        }
        any = any || moved;
        if (moved && !improvement->endless) improvement->endless = repeats(improvement, pass);
    }
    return any;
}
