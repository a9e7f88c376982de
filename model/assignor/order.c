#include "model/assignor/order.h"

#include "model/java_string.h"

#include <string.h>

static bool is_sorted(const int32_t *items, int32_t count, order_before_fn *before,
                      const void *context)
{
    for (int32_t i = 1; i < count; i++) {
        if (before(context, items[i], items[i - 1])) return false;
    }
    return true;
}

static void merge(const int32_t *from, int32_t *to, int32_t start, int32_t middle, int32_t end,
                  order_before_fn *before, const void *context)
{
    int32_t left = start;
    int32_t right = middle;
    for (int32_t i = start; i < end; i++) {
        const bool take_right =
            left == middle || (right < end && before(context, from[right], from[left]));
        to[i] = take_right ? from[right++] : from[left++];
    }
}

void order_sort(int32_t *items, int32_t count, order_before_fn *before, const void *context,
                struct memory *memory)
{
    if (is_sorted(items, count, before, context)) return;
    int32_t *from = items;
    int32_t *const buffer = memory_take(memory, sizeof(int32_t) * (size_t)count);
    int32_t *to = buffer;
    for (int32_t width = 1; width < count; width *= 2) {
        for (int32_t start = 0; start < count; start += 2 * width) {
            const int32_t middle = start + width < count ? start + width : count;
            const int32_t end = start + 2 * width < count ? start + 2 * width : count;
            merge(from, to, start, middle, end, before, context);
        }
        int32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != items) memcpy(items, from, (size_t)count * sizeof(*items));
    memory_give(memory, buffer, sizeof(int32_t) * (size_t)count);
}

static int32_t *ascending(int32_t count, struct scratch *scratch)
{
    int32_t *order = SCRATCH_ARRAY(scratch, int32_t, count);
    for (int32_t i = 0; i < count; i++)
        order[i] = i;
    return order;
}

static bool id_before(const void *context, int32_t a, int32_t b)
{
    const struct assign_input *input = context;
    return java_string_compare(names_text(input->names, input->members[a].id),
                               names_text(input->names, input->members[b].id)) < 0;
}

static bool is_static(const struct assign_member *member)
{
    return member->instance != NAME_NONE && member->instance != NAME_EMPTY;
}

static bool static_first_before(const void *context, int32_t a, int32_t b)
{
    const struct assign_input *input = context;
    const struct assign_member *left = &input->members[a];
    const struct assign_member *right = &input->members[b];
    if (is_static(left) != is_static(right)) return is_static(left);
    if (!is_static(left)) return id_before(context, a, b);
    return java_string_compare(names_text(input->names, left->instance),
                               names_text(input->names, right->instance)) < 0;
}

static bool topic_name_before(const void *context, int32_t a, int32_t b)
{
    const struct assign_input *input = context;
    return java_string_compare(names_text(input->names, input->topics[a].name),
                               names_text(input->names, input->topics[b].name)) < 0;
}

static bool topic_id_before(const void *context, int32_t a, int32_t b)
{
    const struct assign_input *input = context;
    const struct assign_topic *left = &input->topics[a];
    const struct assign_topic *right = &input->topics[b];
    if (left->id_high != right->id_high) return left->id_high < right->id_high;
    return left->id_low < right->id_low;
}

int32_t *order_members_by_id(const struct assign_input *input, struct scratch *scratch)
{
    int32_t *order = ascending(input->member_count, scratch);
    order_sort(order, input->member_count, id_before, input, scratch->memory);
    return order;
}

int32_t *order_members_static_first(const struct assign_input *input, struct scratch *scratch)
{
    int32_t *order = ascending(input->member_count, scratch);
    order_sort(order, input->member_count, static_first_before, input, scratch->memory);
    return order;
}

int32_t *order_topics_by_name(const struct assign_input *input, struct scratch *scratch)
{
    int32_t *order = ascending(input->topic_count, scratch);
    order_sort(order, input->topic_count, topic_name_before, input, scratch->memory);
    return order;
}

int32_t *order_topics_by_id(const struct assign_input *input, struct scratch *scratch)
{
    int32_t *order = ascending(input->topic_count, scratch);
    order_sort(order, input->topic_count, topic_id_before, input, scratch->memory);
    return order;
}

/* Counts each topic's subscribers into count[t]. Returns whether a member lists a topic twice; it
 * counts once. `last` is by topic, zeroed: the last member seen, plus one. */
static bool count_subscribers(const struct assign_input *input, int32_t *count, int32_t *last)
{
    bool twice = false;
    for (int32_t m = 0; m < input->member_count; m++) {
        const struct assign_member *member = &input->members[m];
        for (int32_t i = 0; i < member->topic_count; i++) {
            const int32_t topic = member->topics[i];
            const bool again = last[topic] == m + 1;
            twice |= again;
            count[topic] += again ? 0 : 1;
            last[topic] = m + 1;
        }
    }
    return twice;
}

struct subscribers order_subscribers(const struct assign_input *input, const int32_t *member_order,
                                     struct scratch *scratch)
{
    const int32_t topic_count = input->topic_count;
    struct subscribers subscribers = {.first = SCRATCH_ARRAY(scratch, int32_t, topic_count + 1)};
    int32_t *last = SCRATCH_ARRAY(scratch, int32_t, topic_count);
    int32_t *next = SCRATCH_ARRAY(scratch, int32_t, topic_count);
    const bool twice = count_subscribers(input, subscribers.first + 1, last);
    for (int32_t t = 0; t < topic_count; t++) {
        next[t] = subscribers.first[t];
        subscribers.first[t + 1] += subscribers.first[t];
    }
    subscribers.member = SCRATCH_ARRAY(scratch, int32_t, subscribers.first[topic_count]);
    memset(last, 0, (size_t)topic_count * sizeof(*last));
    for (int32_t i = 0; i < input->member_count; i++) {
        const int32_t m = member_order[i];
        const struct assign_member *member = &input->members[m];
        for (int32_t j = 0; j < member->topic_count; j++) {
            const int32_t topic = member->topics[j];
            if (twice && last[topic] == m + 1) continue;
            last[topic] = m + 1;
            subscribers.member[next[topic]++] = m;
        }
    }
    return subscribers;
}
