/* build/bench assignors: the assignors on the groups of the recorded JVM timings.
 *
 * 1,000 members, ten topics of 1,000 partitions. Shapes: `same`, everybody subscribes to all;
 * `buckets`, five groups of 200 members with two topics each; `overlap`, member m subscribes to
 * topics m, m+1 and m+2 modulo 10. Events: nobody owns anything; one member leaves; one joins;
 * nothing happens. The JVM's figures are those of a warm one (median, Kafka 4.0.0-SNAPSHOT,
 * 1eb7644).
 *
 * Two times per cell. "assignor": the pure function on its input. "leader": from decoded
 * subscriptions, with topics as names, to one list of partitions per member, which is what the
 * JVM's figure covers; the user data of sticky is decoded on the way in both. Server-side assignors
 * have only the first. */
#include "bench/assignors.h"

#include "bench/bench.h"
#include "model/assignor/leader.h"
#include "model/assignor/numbering.h"
#include "sim/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum shape { SHAPE_SAME, SHAPE_BUCKETS, SHAPE_OVERLAP, SHAPE_COUNT };
enum event { EVENT_INITIAL, EVENT_LEAVES, EVENT_JOINS, EVENT_NOTHING, EVENT_COUNT };

static const char *const shape_names[] = {"same", "buckets", "overlap"};
static const char *const event_names[] = {"initial", "one leaves", "one joins", "nothing"};

struct size {
    int32_t members;
    int32_t topics;
    int32_t partitions; /* per topic */
};

static const struct row {
    const char *assignor;
    enum assignor_side side;
    enum shape shape;
    bool racks;
    double jvm_ms[EVENT_COUNT];
} rows[] = {
    {"sticky", ASSIGNOR_CLIENT, SHAPE_SAME, false, {0.76, 3.8, 3.6, 3.5}},
    {"cooperative-sticky", ASSIGNOR_CLIENT, SHAPE_SAME, false, {0.78, 2.4, 2.2, 2.2}},
    {"range", ASSIGNOR_CLIENT, SHAPE_SAME, false, {3.2, 3.1, 3.2, 3.2}},
    {"roundrobin", ASSIGNOR_CLIENT, SHAPE_SAME, false, {0.98, 0.77, 0.76, 0.77}},
    {"uniform", ASSIGNOR_SERVER, SHAPE_SAME, false, {0.31, 0.15, 0.18, 0.20}},
    {"range", ASSIGNOR_SERVER, SHAPE_SAME, false, {0.47, 0.27, 0.26, 0.26}},
    {"sticky", ASSIGNOR_CLIENT, SHAPE_SAME, true, {22, 11, 11, 11}},
    {"cooperative-sticky", ASSIGNOR_CLIENT, SHAPE_SAME, true, {23, 10, 9.9, 9.6}},
    {"range", ASSIGNOR_CLIENT, SHAPE_SAME, true, {10, 9.1, 9.4, 9.0}},
    {"sticky", ASSIGNOR_CLIENT, SHAPE_BUCKETS, false, {61, 3.7, 1520, 3.7}},
    {"cooperative-sticky", ASSIGNOR_CLIENT, SHAPE_BUCKETS, false, {62, 3.1, 1350, 3.0}},
    {"sticky", ASSIGNOR_CLIENT, SHAPE_OVERLAP, false, {29600, 876, 2030, 123}},
    {"cooperative-sticky", ASSIGNOR_CLIENT, SHAPE_OVERLAP, false, {30500, 866, 2020, 115}},
    {"uniform", ASSIGNOR_SERVER, SHAPE_BUCKETS, false, {0.7, 0.43, 0.49, 0.44}},
    {"uniform", ASSIGNOR_SERVER, SHAPE_OVERLAP, false, {1.7, 0.95, 0.85, 0.70}},
    {"range", ASSIGNOR_CLIENT, SHAPE_BUCKETS, false, {1.05, 1.05, 1.05, 1.05}},
    {"range", ASSIGNOR_CLIENT, SHAPE_OVERLAP, false, {1.4, 1.4, 1.4, 1.4}},
    {"roundrobin", ASSIGNOR_CLIENT, SHAPE_BUCKETS, false, {1.4, 1.1, 1.1, 1.1}},
    {"roundrobin", ASSIGNOR_CLIENT, SHAPE_OVERLAP, false, {1.1, 1.0, 1.0, 1.0}},
    {"range", ASSIGNOR_SERVER, SHAPE_BUCKETS, false, {0.36, 0.25, 0.25, 0.25}},
    {"range", ASSIGNOR_SERVER, SHAPE_OVERLAP, false, {0.27, 0.28, 0.27, 0.27}},
};

/* A group in both forms: as subscriptions, and as the assignors see it. Everything stays in the
 * memory until the row is done. */
struct group {
    struct memory *memory;
    struct names *names;
    const struct assignor *assignor;
    struct assign_topic *topics;
    int32_t topic_count;
    struct leader_member *leader_members;
    struct assign_member *members;
    int32_t member_count;
};

static int32_t topics_of(enum shape shape, struct size size, int32_t member, int32_t *topics)
{
    if (shape == SHAPE_SAME) {
        for (int32_t t = 0; t < size.topics; t++)
            topics[t] = t;
        return size.topics;
    }
    if (shape == SHAPE_BUCKETS) {
        const int32_t bucket = (int32_t)((int64_t)member * 5 / size.members) % 5;
        topics[0] = 2 * bucket % size.topics;
        topics[1] = (2 * bucket + 1) % size.topics;
        return 2;
    }
    for (int32_t i = 0; i < 3; i++)
        topics[i] = (member + i) % size.topics;
    return 3;
}

static void add_topics(struct group *group, struct size size, bool racks)
{
    name_id rack[3];
    for (int i = 0; i < 3; i++)
        rack[i] = names_format(group->names, "rack-%d", i);
    group->topics = memory_keep(group->memory, sizeof(*group->topics) * (size_t)size.topics);
    group->topic_count = size.topics;
    for (int32_t t = 0; t < size.topics; t++) {
        name_id *of_replicas =
            memory_keep(group->memory, sizeof(name_id) * 2 * (size_t)size.partitions);
        for (int32_t p = 0; p < size.partitions; p++) {
            of_replicas[2 * p] = rack[p % 3];
            of_replicas[2 * p + 1] = rack[(p + 1) % 3];
        }
        group->topics[t] =
            (struct assign_topic){.name = names_format(group->names, "topic-%02d", t),
                                  .partition_count = size.partitions,
                                  .id_high = 0x4000,
                                  .id_low = INT64_MIN + 1 + t,
                                  .racks = racks ? of_replicas : NULL,
                                  .rack_slots = racks ? 2 : 0};
    }
}

/* Member `number` with what `output` gave member `old` (-1 = it is new). */
static void add_member(struct group *group, const struct row *row, struct size size, int32_t number,
                       const struct assign_output *output, int32_t old)
{
    const int32_t index = group->member_count++;
    struct subscription *subscription = memory_keep(group->memory, sizeof(*subscription));
    struct assign_member *member = &group->members[index];
    int32_t *topics = memory_keep(group->memory, sizeof(int32_t) * (size_t)size.topics + 16);
    const int32_t topic_count = topics_of(row->shape, size, number % size.members, topics);
    name_id *topic_names = memory_keep(group->memory, sizeof(name_id) * (size_t)topic_count);
    for (int32_t i = 0; i < topic_count; i++)
        topic_names[i] = group->topics[topics[i]].name;
    int32_t owned_count = 0;
    for (int32_t slot = 0; output != NULL && slot < output->slot_count; slot++) {
        if (output->owner[slot] == old) owned_count++;
    }
    const size_t room = (size_t)owned_count + 1;
    struct assign_partition *owned = memory_keep(group->memory, sizeof(*owned) * room);
    struct topic_partition *named = memory_keep(group->memory, sizeof(*named) * room);
    int32_t used = 0;
    for (int32_t t = 0; output != NULL && t < group->topic_count; t++) {
        for (int32_t slot = output->first_slot[t]; slot < output->first_slot[t + 1]; slot++) {
            if (output->owner[slot] != old) continue;
            const int32_t partition = slot - output->first_slot[t];
            owned[used] = (struct assign_partition){.topic = t, .partition = partition};
            named[used++] =
                (struct topic_partition){.topic = group->topics[t].name, .partition = partition};
        }
    }
    const int32_t generation = output == NULL || old < 0 ? -1 : 1;
    const bool sticky = strcmp(row->assignor, "sticky") == 0;
    *member = (struct assign_member){.id = names_format(group->names, "member-%05d", number),
                                     .topics = topics,
                                     .topic_count = topic_count,
                                     .generation = generation,
                                     .user_data_generation = -1};
    if (row->racks) member->rack = names_format(group->names, "rack-%d", number % 3);
    *subscription = (struct subscription){.topics = topic_names,
                                          .topic_count = topic_count,
                                          .generation = generation,
                                          .user_data_is_null = true,
                                          .rack = member->rack};
    if (sticky && generation > 0) {
        const struct sticky_user_data user_data = {.owned = named,
                                                   .owned_count = used,
                                                   .generation = 1};
        subscription->user_data = sticky_user_data_encode(group->memory, group->names, &user_data);
    } else if (!sticky) {
        member->owned = owned;
        member->owned_count = used;
        subscription->owned = named;
        subscription->owned_count = used;
    }
    group->leader_members[index] =
        (struct leader_member){.id = member->id, .subscription = subscription};
}

static struct assign_input input_of(const struct group *group)
{
    return (struct assign_input){.names = group->names,
                                 .topics = group->topics,
                                 .topic_count = group->topic_count,
                                 .members = group->members,
                                 .member_count = group->member_count};
}

static void start_members(struct group *group, int32_t most)
{
    group->members = memory_keep(group->memory, sizeof(*group->members) * (size_t)most);
    group->leader_members =
        memory_keep(group->memory, sizeof(*group->leader_members) * (size_t)most);
    group->member_count = 0;
}

/* Decodes the user data of sticky into the members; counts towards the time. */
static void decode_user_data(struct group *group, const struct numbering *topic_index)
{
    for (int32_t m = 0; m < group->member_count; m++) {
        struct assign_member *member = &group->members[m];
        const struct bytes bytes = group->leader_members[m].subscription->user_data;
        struct sticky_user_data user_data;
        if (bytes.length == 0) continue;
        CHECK(sticky_user_data_decode(group->memory, group->names, bytes, &user_data));
        struct assign_partition *owned =
            memory_take(group->memory, sizeof(*owned) * (size_t)user_data.owned_count);
        for (int32_t i = 0; i < user_data.owned_count; i++) {
            owned[i] = (struct assign_partition){.topic = numbering_find(topic_index,
                                                                         user_data.owned[i].topic),
                                                 .partition = user_data.owned[i].partition};
        }
        member->user_data_owned = owned;
        member->user_data_owned_count = user_data.owned_count;
        member->user_data_generation = user_data.generation;
        sticky_user_data_free(group->memory, &user_data);
    }
}

static void give_user_data(struct group *group)
{
    for (int32_t m = 0; m < group->member_count; m++) {
        struct assign_member *member = &group->members[m];
        union {
            const struct assign_partition *borrowed;
            void *block;
        } owned = {.borrowed = member->user_data_owned};
        memory_give(group->memory, owned.block,
                    sizeof(struct assign_partition) * (size_t)member->user_data_owned_count);
        member->user_data_owned = NULL;
        member->user_data_owned_count = 0;
    }
}

static void call_assignor(struct group *group, const struct numbering *topic_index)
{
    decode_user_data(group, topic_index);
    const struct assign_input input = input_of(group);
    struct assign_output output = assign_output_new(group->memory, &input);
    CHECK(group->assignor->assign(&input, group->memory, &output) == ASSIGN_DONE);
    assign_output_free(group->memory, &output);
    give_user_data(group);
}

static void call_leader(struct group *group)
{
    struct leader_assignment lists =
        leader_assign(group->memory, group->names, group->assignor, group->leader_members,
                      group->member_count, group->topics, group->topic_count);
    leader_assignment_free(group->memory, &lists);
}

static int by_value(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* Median milliseconds of a call; the first fifth of the calls warms the caches. */
static double time_calls(struct group *group, bool leader)
{
    enum { MOST = 200 };
    uint64_t times[MOST];
    int count = 0;
    const uint64_t start = bench_now_ns();
    struct numbering topic_index = numbering_new(group->memory);
    for (int32_t t = 0; t < group->topic_count; t++) {
        numbering_add(&topic_index, group->topics[t].name);
    }
    while (count < MOST && (count < 5 || bench_now_ns() - start < 150000000U)) {
        const uint64_t before = bench_now_ns();
        if (leader) {
            call_leader(group);
        } else {
            call_assignor(group, &topic_index);
        }
        times[count++] = bench_now_ns() - before;
    }
    numbering_free(&topic_index);
    const int warm = count / 5;
    qsort(times + warm, (size_t)(count - warm), sizeof(times[0]), by_value);
    return (double)times[warm + (count - warm) / 2] / 1e6;
}

struct cell {
    double assignor_ms;
    double leader_ms; /* 0 on the server side */
};

static struct group group_new(const struct row *row, struct size size)
{
    struct group group = {.memory = memory_new(),
                          .assignor = assignor_find(row->assignor, row->side)};
    group.names = names_new(group.memory);
    add_topics(&group, size, row->racks);
    return group;
}

static void measure_row(const struct row *row, struct size size, int events, struct cell *cells)
{
    struct group group = group_new(row, size);
    start_members(&group, size.members);
    for (int32_t m = 0; m < size.members; m++)
        add_member(&group, row, size, m, NULL, -1);
    const struct assign_input input = input_of(&group);
    struct assign_output initial = assign_output_new(group.memory, &input);
    CHECK(group.assignor->assign(&input, group.memory, &initial) == ASSIGN_DONE);
    for (int event = 0; event < events; event++) {
        if (event != EVENT_INITIAL) {
            start_members(&group, size.members + 1);
            for (int32_t m = 0; m < size.members; m++) {
                if (event == EVENT_LEAVES && m == size.members / 2) continue;
                add_member(&group, row, size, m, &initial, m);
            }
            if (event == EVENT_JOINS) add_member(&group, row, size, size.members, &initial, -2);
        }
        cells[event].assignor_ms = time_calls(&group, false);
        cells[event].leader_ms = row->side == ASSIGNOR_CLIENT ? time_calls(&group, true) : 0;
    }
    memory_free_all(group.memory);
}

static void label(const struct row *row, char *text, size_t size)
{
    snprintf(text, size, "%s%s %s%s", row->side == ASSIGNOR_SERVER ? "server " : "", row->assignor,
             shape_names[row->shape], row->racks ? " racks" : "");
}

static int compare_with_jvm(void)
{
    const struct size size = {.members = 1000, .topics = 10, .partitions = 1000};
    double log_assignor = 0;
    double log_leader = 0;
    double least = 1e9;
    int cells = 0;
    printf("1,000 members x 10,000 partitions, milliseconds\n");
    printf("%-34s %-10s %9s %9s %9s %8s %8s\n", "assignor and shape", "event", "JVM", "assignor",
           "leader", "faster", "leader");
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct cell measured[EVENT_COUNT];
        char name[80];
        measure_row(&rows[r], size, EVENT_COUNT, measured);
        label(&rows[r], name, sizeof(name));
        for (int event = 0; event < EVENT_COUNT; event++) {
            const struct cell cell = measured[event];
            const double whole = cell.leader_ms > 0 ? cell.leader_ms : cell.assignor_ms;
            const double faster = rows[r].jvm_ms[event] / cell.assignor_ms;
            const double leader_faster = rows[r].jvm_ms[event] / whole;
            printf("%-34s %-10s %9.2f %9.3f %9.3f %7.1fx %7.1fx\n", name, event_names[event],
                   rows[r].jvm_ms[event], cell.assignor_ms, whole, faster, leader_faster);
            log_assignor += log(faster);
            log_leader += log(leader_faster);
            if (leader_faster < least) least = leader_faster;
            cells++;
        }
        fflush(stdout);
    }
    printf("geometric mean: assignor %.1fx, leader %.1fx; least in any cell %.1fx\n",
           exp(log_assignor / cells), exp(log_leader / cells), least);
    return least >= 1 ? 0 : 1;
}

static void show_growth(void)
{
    static const struct size sizes[] = {{100, 10, 100}, {1000, 10, 1000}, {5000, 10, 5000}};
    printf("\ngrowth, initial assignment and one leaves, milliseconds; memory of the assignor\n");
    printf("%-34s %13s %13s %13s %9s %9s %9s\n", "assignor and shape", "100x1k", "1,000x10k",
           "5,000x50k", "KiB", "KiB", "KiB");
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        char name[80];
        double kibibytes[3];
        label(&rows[r], name, sizeof(name));
        printf("%-34s", name);
        for (int s = 0; s < 3; s++) {
            struct cell measured[EVENT_COUNT];
            measure_row(&rows[r], sizes[s], EVENT_JOINS, measured);
            printf(" %6.2f %6.2f", measured[EVENT_INITIAL].assignor_ms,
                   measured[EVENT_LEAVES].assignor_ms);
            struct group group = group_new(&rows[r], sizes[s]);
            start_members(&group, sizes[s].members);
            for (int32_t m = 0; m < sizes[s].members; m++) {
                add_member(&group, &rows[r], sizes[s], m, NULL, -1);
            }
            const uint64_t before = memory_footprint_bytes(group.memory);
            const struct assign_input input = input_of(&group);
            struct assign_output output = assign_output_new(group.memory, &input);
            group.assignor->assign(&input, group.memory, &output);
            kibibytes[s] = (double)(memory_footprint_bytes(group.memory) - before) / 1024;
            memory_free_all(group.memory);
        }
        printf(" %9.0f %9.0f %9.0f\n", kibibytes[0], kibibytes[1], kibibytes[2]);
        fflush(stdout);
    }
}

int bench_assignors(void)
{
    const int result = compare_with_jvm();
    show_growth();
    return result;
}
