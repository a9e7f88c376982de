#include "model/assignor/by_rack.h"

#include <string.h>

struct by_rack {
    const struct racks *racks;
    int32_t *member; /* by place; ASSIGN_NOBODY = left */
    int32_t count;   /* places given out */
    int32_t start;   /* places before this one were cleared */
    /* Places of rack r, ascending: place[first[r]] and on, size[r] of them. index[p] is where place
     * p stands, skip[i] the nearest index at or after i whose member is still there, as far as was
     * known when it was last looked at. */
    int32_t *first;
    int32_t *size;
    int32_t *place;
    int32_t *index;
    int32_t *skip;
};

struct by_rack *by_rack_new(const struct racks *racks, struct scratch *scratch,
                            int32_t member_count)
{
    struct by_rack *list = scratch_take(scratch, sizeof(*list));
    list->racks = racks;
    list->member = SCRATCH_ARRAY(scratch, int32_t, member_count);
    list->first = SCRATCH_ARRAY(scratch, int32_t, racks->count + 1);
    list->size = SCRATCH_ARRAY(scratch, int32_t, racks->count);
    list->place = SCRATCH_ARRAY(scratch, int32_t, member_count);
    list->index = SCRATCH_ARRAY(scratch, int32_t, member_count);
    list->skip = SCRATCH_ARRAY(scratch, int32_t, member_count);
    for (int32_t m = 0; m < member_count; m++) {
        if (racks->of_member[m] != RACK_NONE) list->first[racks->of_member[m] + 1]++;
    }
    for (int32_t r = 0; r < racks->count; r++)
        list->first[r + 1] += list->first[r];
    return list;
}

void by_rack_add(struct by_rack *list, int32_t member)
{
    const int32_t place = list->count++;
    list->member[place] = member;
    const int32_t rack = list->racks->of_member[member];
    if (rack == RACK_NONE) return;
    const int32_t index = list->first[rack] + list->size[rack]++;
    list->place[index] = place;
    list->index[place] = index;
    list->skip[index] = index;
}

/* Follows skip to a member who is still there, shortening the way for the next one. */
static int32_t skip_to_present(struct by_rack *list, int32_t index, int32_t end)
{
    int32_t present = index;
    while (present < end && list->skip[present] != present)
        present = list->skip[present];
    while (index < present) {
        const int32_t next = list->skip[index];
        list->skip[index] = present;
        index = next;
    }
    return present;
}

/* The first place at or after `from` in this rack, or INT32_MAX. */
static int32_t first_in_rack(struct by_rack *list, int32_t rack, int32_t from)
{
    const int32_t end = list->first[rack] + list->size[rack];
    int32_t low = list->first[rack];
    int32_t high = end;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (list->place[middle] < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const int32_t index = skip_to_present(list, low, end);
    return index < end ? list->place[index] : INT32_MAX;
}

static int32_t first_near(struct by_rack *list, int32_t topic, int32_t partition, int32_t from)
{
    const int32_t *rack = racks_of(list->racks, topic, partition);
    int32_t best = INT32_MAX;
    for (int32_t i = 0; i < list->racks->slots[topic] && rack[i] != RACK_NONE; i++) {
        const int32_t place = first_in_rack(list, rack[i], from);
        if (place < best) best = place;
    }
    return best;
}

int32_t by_rack_find(struct by_rack *list, int32_t topic, int32_t partition, int32_t cursor)
{
    int32_t place = INT32_MAX;
    if (cursor > list->start) place = first_near(list, topic, partition, cursor);
    if (place == INT32_MAX) place = first_near(list, topic, partition, list->start);
    return place == INT32_MAX ? -1 : place;
}

int32_t by_rack_member(const struct by_rack *list, int32_t place)
{
    return list->member[place];
}

void by_rack_remove(struct by_rack *list, int32_t place)
{
    list->member[place] = ASSIGN_NOBODY;
    list->skip[list->index[place]] = list->index[place] + 1;
}

void by_rack_clear(struct by_rack *list)
{
    list->start = list->count;
}

int32_t by_rack_rest(const struct by_rack *list, int32_t *members)
{
    int32_t count = 0;
    for (int32_t place = list->start; place < list->count; place++) {
        if (list->member[place] != ASSIGN_NOBODY) members[count++] = list->member[place];
    }
    return count;
}

void by_rack_sort_rarest_first(const struct sticky *sticky, int32_t *slots, int32_t count)
{
    const struct racks *racks = &sticky->racks;
    struct scratch *scratch = sticky->scratch;
    const int32_t members = sticky->input->member_count;
    int32_t *in_rack = SCRATCH_ARRAY(scratch, int32_t, racks->count);
    int32_t *weight = SCRATCH_ARRAY(scratch, int32_t, count);
    int32_t *next = SCRATCH_ARRAY(scratch, int32_t, members + 2);
    int32_t *sorted = SCRATCH_ARRAY(scratch, int32_t, count);
    for (int32_t m = 0; m < members; m++) {
        if (racks->of_member[m] != RACK_NONE) in_rack[racks->of_member[m]]++;
    }
    for (int32_t i = 0; i < count; i++) {
        const int32_t topic = sticky->topic_of[slots[i]];
        const int32_t *rack = racks_of(racks, topic, slots[i] - sticky->output->first_slot[topic]);
        for (int32_t j = 0; j < racks->slots[topic] && rack[j] != RACK_NONE; j++) {
            weight[i] += in_rack[rack[j]];
        }
        next[weight[i] + 1]++;
    }
    for (int32_t w = 0; w <= members; w++)
        next[w + 1] += next[w];
    for (int32_t i = 0; i < count; i++)
        sorted[next[weight[i]]++] = slots[i];
    memcpy(slots, sorted, sizeof(int32_t) * (size_t)count);
}
