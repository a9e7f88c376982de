#include "tests/model/assignor/reference_sticky.h"

#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

struct reference {
    const struct assign_input *input;
    const struct assign_output *shape;
    bool user_data;
    int32_t *owner;
    int32_t *topic_of; /* by slot */
    int32_t *older;    /* by slot */
    int32_t *origin;   /* by slot: where a moved one came from, or -1 */
    int32_t *sorted;   /* slots by (subscribers, topic name, number) */
    int32_t sorted_count;
    bool *unassigned;
    int32_t *load;        /* by member */
    int32_t *by_id;       /* members in id order */
    bool *subscribed;     /* [member][topic] */
    int32_t *subscribers; /* by topic: how many */
    bool racks_in_use;
    int passes;
};

static void *zeroed(size_t size, size_t count)
{
    void *block = calloc(count + 1, size);
    CHECK(block != NULL);
    return block;
}

static int compare_names(const struct reference *r, name_id a, name_id b)
{
    return names_compare(r->input->names, a, b);
}

static bool subscribes(const struct reference *r, int32_t member, int32_t topic)
{
    return r->subscribed[member * r->input->topic_count + topic];
}

static int32_t subscriber_count(const struct reference *r, int32_t topic)
{
    return r->subscribers[topic];
}

static int32_t load(const struct reference *r, int32_t member)
{
    return r->load[member];
}

static void give(struct reference *r, int32_t slot, int32_t member)
{
    if (r->owner[slot] >= 0) r->load[r->owner[slot]]--;
    if (member >= 0) r->load[member]++;
    r->owner[slot] = member;
}

static int32_t generation_of(const struct reference *r, int32_t member)
{
    const struct assign_member *m = &r->input->members[member];
    if (r->user_data) return m->user_data_generation;
    return m->generation >= 0 ? m->generation : m->user_data_generation;
}

static const struct assign_partition *claims_of(const struct reference *r, int32_t member,
                                                int32_t *count)
{
    const struct assign_member *m = &r->input->members[member];
    *count = r->user_data ? m->user_data_owned_count : m->owned_count;
    return r->user_data ? m->user_data_owned : m->owned;
}

/* What does not change: who subscribes to what, and the members in id order. */
static void look_up(struct reference *r)
{
    for (int32_t m = 0; m < r->input->member_count; m++) {
        const struct assign_member *member = &r->input->members[m];
        for (int32_t i = 0; i < member->topic_count; i++) {
            r->subscribed[m * r->input->topic_count + member->topics[i]] = true;
            r->subscribers[member->topics[i]]++;
        }
        int32_t i = m;
        for (; i > 0 && compare_names(r, member->id, r->input->members[r->by_id[i - 1]].id) < 0;
             i--) {
            r->by_id[i] = r->by_id[i - 1];
        }
        r->by_id[i] = m;
    }
}

/* Racks. */
static bool in_rack(const struct reference *r, int32_t slot, name_id rack)
{
    const struct assign_topic *topic = &r->input->topics[r->topic_of[slot]];
    const int32_t p = slot - r->shape->first_slot[r->topic_of[slot]];
    for (int32_t i = 0; topic->racks != NULL && i < topic->rack_slots; i++) {
        if (topic->racks[p * topic->rack_slots + i] == rack) return true;
    }
    return false;
}

static bool in_any_slot(const struct reference *r, name_id rack)
{
    for (int32_t i = 0; i < r->sorted_count; i++) {
        if (in_rack(r, r->sorted[i], rack)) return true;
    }
    return false;
}

static bool racks_in_use(const struct reference *r)
{
    bool common = false;
    bool differ = false;
    for (int32_t m = 0; m < r->input->member_count; m++) {
        const name_id rack = r->input->members[m].rack;
        common = common || (rack != NAME_NONE && in_any_slot(r, rack));
    }
    for (int32_t i = 0; i < r->sorted_count; i++) {
        const struct assign_topic *topic = &r->input->topics[r->topic_of[r->sorted[i]]];
        for (int32_t j = 0; topic->racks != NULL && j < topic->partition_count * topic->rack_slots;
             j++) {
            const name_id rack = topic->racks[j];
            if (rack == NAME_NONE) continue;
            for (int32_t k = 0; k < r->sorted_count; k++) {
                differ = differ || !in_rack(r, r->sorted[k], rack);
            }
        }
    }
    return common && differ;
}

static bool mismatches(const struct reference *r, int32_t member, int32_t slot)
{
    const name_id rack = r->input->members[member].rack;
    return r->racks_in_use && rack != NAME_NONE && !in_rack(r, slot, rack);
}

/* 8.3: claims. */
static void settle(struct reference *r, int32_t *holder)
{
    int32_t *recorded = zeroed(sizeof(int32_t), (size_t)r->shape->slot_count);
    for (int32_t s = 0; s < r->shape->slot_count; s++)
        recorded[s] = holder[s] = -1;
    for (int32_t place = 0; place < r->input->member_count; place++) {
        const int32_t m = r->by_id[place];
        int32_t count;
        const struct assign_partition *claims = claims_of(r, m, &count);
        for (int32_t i = 0; i < count; i++) {
            const int32_t slot = assign_slot(r->shape, claims[i]);
            if (slot < 0 || subscriber_count(r, claims[i].topic) == 0) continue;
            if (recorded[slot] < 0) {
                recorded[slot] = holder[slot] = m;
                continue;
            }
            const int32_t field = r->input->members[recorded[slot]].generation;
            if (generation_of(r, m) < field) continue;
            holder[slot] = generation_of(r, m) == field ? -1 : m;
            recorded[slot] = m;
        }
    }
    free(recorded);
}

static void note_older(struct reference *r)
{
    int32_t newest = -1;
    for (int32_t m = 0; m < r->input->member_count; m++) {
        if (generation_of(r, m) > newest) newest = generation_of(r, m);
    }
    for (int32_t place = 0; place < r->input->member_count; place++) {
        const int32_t m = r->by_id[place];
        int32_t count;
        const struct assign_partition *claims = claims_of(r, m, &count);
        if (generation_of(r, m) >= newest) continue;
        for (int32_t i = 0; i < count; i++) {
            const int32_t slot = assign_slot(r->shape, claims[i]);
            if (slot < 0) continue;
            if (r->older[slot] >= 0 && generation_of(r, r->older[slot]) >= generation_of(r, m)) {
                continue;
            }
            r->older[slot] = m;
        }
    }
}

/* 8.5: orders. */
static bool slot_before(const struct reference *r, int32_t a, int32_t b)
{
    const int32_t ta = r->topic_of[a];
    const int32_t tb = r->topic_of[b];
    if (ta == tb) return a < b;
    const int32_t difference = subscriber_count(r, ta) - subscriber_count(r, tb);
    if (difference != 0) return difference < 0;
    return compare_names(r, r->input->topics[ta].name, r->input->topics[tb].name) < 0;
}

static void sort_slots(struct reference *r)
{
    for (int32_t s = 0; s < r->shape->slot_count; s++) {
        if (subscriber_count(r, r->topic_of[s]) == 0) continue;
        int32_t i = r->sorted_count++;
        for (; i > 0 && slot_before(r, s, r->sorted[i - 1]); i--)
            r->sorted[i] = r->sorted[i - 1];
        r->sorted[i] = s;
    }
}

/* The first by (load, id) who subscribes to the slot's topic and, if asked for, does not mismatch.
 */
static int32_t first_member(const struct reference *r, int32_t slot, bool match)
{
    int32_t best = -1;
    for (int32_t place = 0; place < r->input->member_count; place++) {
        const int32_t m = r->by_id[place];
        if (!subscribes(r, m, r->topic_of[slot])) continue;
        if (match && mismatches(r, m, slot)) continue;
        if (best < 0 || load(r, m) < load(r, best)) best = m;
    }
    return best;
}

static bool takes_part(const struct reference *r, int32_t member)
{
    for (int32_t t = 0; t < r->input->topic_count; t++) {
        if (r->input->topics[t].partition_count <= 0 || !subscribes(r, member, t)) continue;
        if (subscriber_count(r, t) > 1) return true;
    }
    return false; /* it then has every partition of its topics */
}

static bool balanced(const struct reference *r)
{
    int32_t least = INT32_MAX;
    int32_t most = INT32_MIN;
    for (int32_t m = 0; m < r->input->member_count; m++) {
        if (!takes_part(r, m)) continue;
        if (load(r, m) < least) least = load(r, m);
        if (load(r, m) > most) most = load(r, m);
    }
    if (most == INT32_MIN || most - least <= 1) return true;
    for (int32_t m = 0; m < r->input->member_count; m++) {
        if (!takes_part(r, m)) continue;
        for (int32_t i = 0; i < r->sorted_count; i++) {
            const int32_t slot = r->sorted[i];
            if (!subscribes(r, m, r->topic_of[slot]) || r->owner[slot] == m) continue;
            if (load(r, r->owner[slot]) > load(r, m) + 1) return false;
        }
    }
    return true;
}

static void move(struct reference *r, int32_t slot, int32_t to)
{
    const int32_t source = r->origin[slot] >= 0 ? r->origin[slot] : r->owner[slot];
    const int32_t topic = r->topic_of[slot];
    for (int32_t s = r->shape->first_slot[topic]; s < r->shape->first_slot[topic + 1]; s++) {
        if (r->origin[s] == to && r->owner[s] == source) {
            slot = s;
            break;
        }
    }
    if (r->origin[slot] < 0) {
        r->origin[slot] = r->owner[slot];
    } else if (r->origin[slot] == to) {
        r->origin[slot] = -1;
    }
    give(r, slot, to);
}

static bool improve(struct reference *r, bool only_unassigned)
{
    bool any = false;
    bool changed = true;
    while (changed && r->passes < REFERENCE_PASSES) {
        changed = false;
        r->passes++;
        for (int32_t i = 0; i < r->sorted_count && !balanced(r); i++) {
            const int32_t slot = r->sorted[i];
            if (subscriber_count(r, r->topic_of[slot]) < 2) continue;
            if (only_unassigned && !r->unassigned[slot]) continue;
            const int32_t c = r->owner[slot];
            const int32_t q = r->older[slot];
            const int32_t first = first_member(r, slot, false);
            if (q >= 0 && subscribes(r, q, r->topic_of[slot]) && load(r, c) > load(r, q) + 1) {
                move(r, slot, q);
                changed = true;
            } else if (load(r, c) > load(r, first) + 1) {
                move(r, slot, first);
                changed = true;
            }
        }
        any = any || changed;
    }
    return any;
}

static int64_t differences(const struct reference *r)
{
    int64_t sum = 0;
    for (int32_t a = 0; a < r->input->member_count; a++) {
        for (int32_t b = 0; b < a; b++) {
            if (!takes_part(r, a) || !takes_part(r, b)) continue;
            sum += abs(load(r, a) - load(r, b));
        }
    }
    return sum;
}

static void run(struct reference *r, const int32_t *holder)
{
    bool revoked = false;
    bool fresh = true;
    for (int32_t i = 0; i < r->sorted_count; i++) {
        const int32_t s = r->sorted[i];
        r->unassigned[s] = true;
        if (holder[s] < 0) continue;
        if (!subscribes(r, holder[s], r->topic_of[s]) || mismatches(r, holder[s], s)) {
            revoked = true;
            continue;
        }
        give(r, s, holder[s]);
        r->unassigned[s] = false;
        fresh = false;
    }
    for (int round = 0; round < 2; round++) {
        for (int32_t i = 0; i < r->sorted_count; i++) {
            const int32_t s = r->sorted[i];
            if (r->owner[s] < 0) give(r, s, first_member(r, s, round == 0));
        }
    }
    const size_t size = sizeof(int32_t) * (size_t)r->shape->slot_count;
    int32_t *snapshot = zeroed(1, size);
    memcpy(snapshot, r->owner, size);
    const int64_t before = differences(r);
    if (!revoked) improve(r, true);
    const bool moved = improve(r, false);
    if (!fresh && moved && differences(r) >= before) memcpy(r->owner, snapshot, size);
    free(snapshot);
}

int reference_sticky(const struct assign_input *input, bool user_data,
                     const struct assign_output *shape, int32_t *owner)
{
    const size_t slots = (size_t)shape->slot_count;
    const size_t members = (size_t)input->member_count;
    const size_t topics = (size_t)input->topic_count;
    struct reference r = {.input = input,
                          .shape = shape,
                          .user_data = user_data,
                          .owner = owner,
                          .topic_of = zeroed(sizeof(int32_t), slots),
                          .older = zeroed(sizeof(int32_t), slots),
                          .origin = zeroed(sizeof(int32_t), slots),
                          .sorted = zeroed(sizeof(int32_t), slots),
                          .unassigned = zeroed(sizeof(bool), slots),
                          .load = zeroed(sizeof(int32_t), members),
                          .by_id = zeroed(sizeof(int32_t), members),
                          .subscribed = zeroed(sizeof(bool), members * topics),
                          .subscribers = zeroed(sizeof(int32_t), topics)};
    int32_t *holder = zeroed(sizeof(int32_t), slots);
    for (int32_t t = 0; t < input->topic_count; t++) {
        for (int32_t s = shape->first_slot[t]; s < shape->first_slot[t + 1]; s++) {
            r.topic_of[s] = t;
            r.owner[s] = r.older[s] = r.origin[s] = -1;
        }
    }
    look_up(&r);
    sort_slots(&r);
    r.racks_in_use = racks_in_use(&r);
    settle(&r, holder);
    note_older(&r);
    run(&r, holder);
    free(holder);
    free(r.topic_of);
    free(r.older);
    free(r.origin);
    free(r.sorted);
    free(r.unassigned);
    free(r.load);
    free(r.by_id);
    free(r.subscribed);
    free(r.subscribers);
    return r.passes;
}
