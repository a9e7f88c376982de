/* A flow from topics to members. An edge is one subscription; its flow is how many of the topic's
 * partitions the member has. Partitions of a topic differ only in whose they were, so an edge keeps
 * min(flow, had) of them, where had is how many the member had before.
 *
 * First loads are evened out: from a member along edges to one with at least two less. When there
 * is no such path, the sum of squares is the least possible. Then, with loads allowed only to
 * change places (one more here, one less there, among members whose loads differ by one), cycles
 * that keep more are looked for with Bellman and Ford's method and pushed around, until there is
 * none: then no assignment with these loads keeps more. */
#include "model/assignor/measure_flow.h"

#include "sim/check.h"

#include <string.h>

#define NO_EDGE (-1)

struct flow {
    const struct assign_input *input;
    const struct subscribers *subscribers;
    int32_t edges;
    int32_t *topic_of;   /* by edge */
    int32_t *flow;       /* by edge */
    int32_t *had;        /* by edge */
    int32_t *first_edge; /* by member: its edges are edge[first_edge[m]] up to the next member's */
    int32_t *edge;
    int32_t *load; /* by member */

    /* Nodes: members, then topics, then one per load (a member may pass "one more" to another whose
     * load is one higher, which then has one less). */
    int32_t node_count;
    int32_t *distance;
    int32_t *came_from; /* node */
    int32_t *came_by;   /* edge, or NO_EDGE to and from a load's node */
    int32_t *queue;
    int32_t *stamp;
};

static int32_t member_node(int32_t member)
{
    return member;
}

static int32_t topic_node(const struct flow *flow, int32_t topic)
{
    return flow->input->member_count + topic;
}

static int32_t load_node(const struct flow *flow, int32_t load)
{
    return flow->input->member_count + flow->input->topic_count + load;
}

static void index_edges(struct flow *flow, struct scratch *scratch)
{
    const int32_t members = flow->input->member_count;
    flow->first_edge = SCRATCH_ARRAY(scratch, int32_t, members + 1);
    flow->edge = SCRATCH_ARRAY(scratch, int32_t, flow->edges);
    int32_t *next = SCRATCH_ARRAY(scratch, int32_t, members);
    for (int32_t e = 0; e < flow->edges; e++)
        flow->first_edge[flow->subscribers->member[e] + 1]++;
    for (int32_t m = 0; m < members; m++) {
        flow->first_edge[m + 1] += flow->first_edge[m];
        next[m] = flow->first_edge[m];
    }
    for (int32_t t = 0; t < flow->input->topic_count; t++) {
        for (int32_t e = flow->subscribers->first[t]; e < flow->subscribers->first[t + 1]; e++) {
            flow->topic_of[e] = t;
            flow->edge[next[flow->subscribers->member[e]]++] = e;
        }
    }
}

/* Everybody keeps what it had; the rest goes to the least loaded subscriber. */
static void start_flow(struct flow *flow, const int32_t *previous, struct scratch *scratch)
{
    int32_t *edge_of = SCRATCH_ARRAY(scratch, int32_t, flow->input->member_count);
    int32_t slot = 0;
    for (int32_t t = 0; t < flow->input->topic_count; t++) {
        const int32_t first = flow->subscribers->first[t];
        const int32_t end = flow->subscribers->first[t + 1];
        for (int32_t e = first; e < end; e++)
            edge_of[flow->subscribers->member[e]] = e;
        int32_t fresh = 0;
        for (int32_t p = 0; p < order_partition_count(flow->input, t); p++, slot++) {
            if (previous[slot] == ASSIGN_NOBODY) {
                fresh++;
                continue;
            }
            flow->had[edge_of[previous[slot]]]++;
            flow->flow[edge_of[previous[slot]]]++;
            flow->load[previous[slot]]++;
        }
        for (; first < end && fresh > 0; fresh--) {
            int32_t least = first;
            for (int32_t e = first + 1; e < end; e++) {
                const int32_t load = flow->load[flow->subscribers->member[e]];
                if (load < flow->load[flow->subscribers->member[least]]) least = e;
            }
            flow->flow[least]++;
            flow->load[flow->subscribers->member[least]]++;
        }
    }
}

static void push(struct flow *flow, int32_t node, int32_t from)
{
    const int32_t edge = flow->came_by[node];
    if (edge == NO_EDGE) return;
    flow->flow[edge] += from < flow->input->member_count ? -1 : 1;
}

/* Looks from this member along edges for the one with the least load, and passes one partition
 * there if that evens the loads out. `mark` tells the nodes seen from those of earlier searches. */
static bool even_out_from(struct flow *flow, int32_t start, int32_t mark)
{
    const int32_t members = flow->input->member_count;
    int32_t head = 0;
    int32_t tail = 0;
    int32_t best = start;
    flow->queue[tail++] = start;
    flow->stamp[start] = mark;
    while (head < tail) {
        const int32_t member = flow->queue[head++];
        if (flow->load[member] < flow->load[best]) best = member;
        for (int32_t i = flow->first_edge[member]; i < flow->first_edge[member + 1]; i++) {
            const int32_t edge = flow->edge[i];
            const int32_t topic = flow->topic_of[edge];
            const int32_t node = topic_node(flow, topic);
            if (flow->flow[edge] == 0 || flow->stamp[node] == mark) continue;
            flow->stamp[node] = mark;
            flow->came_from[node] = member;
            flow->came_by[node] = edge;
            for (int32_t e = flow->subscribers->first[topic];
                 e < flow->subscribers->first[topic + 1]; e++) {
                const int32_t other = flow->subscribers->member[e];
                if (flow->stamp[other] == mark) continue;
                flow->stamp[other] = mark;
                flow->came_from[other] = node;
                flow->came_by[other] = e;
                flow->queue[tail++] = other;
            }
        }
    }
    CHECK(tail <= members);
    if (flow->load[best] > flow->load[start] - 2) return false;
    for (int32_t node = best; node != start; node = flow->came_from[node]) {
        push(flow, node, flow->came_from[node]);
    }
    flow->load[start]--;
    flow->load[best]++;
    return true;
}

static void even_out(struct flow *flow)
{
    int32_t mark = 0;
    bool changed = true;
    while (changed) {
        changed = false;
        for (int32_t m = 0; m < flow->input->member_count; m++) {
            while (even_out_from(flow, m, ++mark))
                changed = true;
        }
    }
}

static bool relax(struct flow *flow, int32_t from, int32_t to, int32_t edge, int32_t cost)
{
    if (flow->distance[from] + cost >= flow->distance[to]) return false;
    flow->distance[to] = flow->distance[from] + cost;
    flow->came_from[to] = from;
    flow->came_by[to] = edge;
    return true;
}

static bool relax_all(struct flow *flow)
{
    bool changed = false;
    for (int32_t e = 0; e < flow->edges; e++) {
        const int32_t member = member_node(flow->subscribers->member[e]);
        const int32_t topic = topic_node(flow, flow->topic_of[e]);
        const int32_t units = flow->flow[e];
        if (units > 0) changed |= relax(flow, member, topic, e, units <= flow->had[e] ? 1 : 0);
        changed |= relax(flow, topic, member, e, units < flow->had[e] ? -1 : 0);
    }
    for (int32_t m = 0; m < flow->input->member_count; m++) {
        changed |= relax(flow, m, load_node(flow, flow->load[m] + 1), NO_EDGE, 0);
        changed |= relax(flow, load_node(flow, flow->load[m]), m, NO_EDGE, 0);
    }
    return changed;
}

/* Pushes one partition round every cycle among the predecessors; such cycles are all negative, and
 * have no node in common. */
static bool push_cycles(struct flow *flow)
{
    const int32_t members = flow->input->member_count;
    bool found = false;
    memset(flow->stamp, 0xff, sizeof(int32_t) * (size_t)flow->node_count);
    for (int32_t start = 0; start < flow->node_count; start++) {
        int32_t node = start;
        while (node >= 0 && flow->stamp[node] < 0) {
            flow->stamp[node] = start;
            node = flow->came_from[node];
        }
        if (node < 0 || flow->stamp[node] != start) continue;
        const int32_t first = node;
        found = true;
        do {
            const int32_t from = flow->came_from[node];
            push(flow, node, from);
            if (flow->came_by[node] == NO_EDGE && node < members) flow->load[node]--;
            if (flow->came_by[node] == NO_EDGE && from < members) flow->load[from]++;
            node = from;
        } while (node != first);
    }
    return found;
}

static bool keep_more(struct flow *flow)
{
    memset(flow->distance, 0, sizeof(int32_t) * (size_t)flow->node_count);
    memset(flow->came_from, 0xff, sizeof(int32_t) * (size_t)flow->node_count);
    while (relax_all(flow)) {
        if (push_cycles(flow)) return true;
    }
    return false;
}

void measure_flow(const struct assign_input *input, const struct subscribers *subscribers,
                  const int32_t *previous, struct scratch *scratch, int64_t *sum_of_squares,
                  int32_t *kept)
{
    struct flow flow = {.input = input,
                        .subscribers = subscribers,
                        .edges = subscribers->first[input->topic_count]};
    flow.topic_of = SCRATCH_ARRAY(scratch, int32_t, flow.edges);
    flow.flow = SCRATCH_ARRAY(scratch, int32_t, flow.edges);
    flow.had = SCRATCH_ARRAY(scratch, int32_t, flow.edges);
    flow.load = SCRATCH_ARRAY(scratch, int32_t, input->member_count);
    int32_t slots = 0;
    for (int32_t t = 0; t < input->topic_count; t++)
        slots += order_partition_count(input, t);
    flow.node_count = input->member_count + input->topic_count + slots + 2;
    flow.distance = SCRATCH_ARRAY(scratch, int32_t, flow.node_count);
    flow.came_from = SCRATCH_ARRAY(scratch, int32_t, flow.node_count);
    flow.came_by = SCRATCH_ARRAY(scratch, int32_t, flow.node_count);
    flow.queue = SCRATCH_ARRAY(scratch, int32_t, flow.node_count);
    flow.stamp = SCRATCH_ARRAY(scratch, int32_t, flow.node_count);
    index_edges(&flow, scratch);
    start_flow(&flow, previous, scratch);
    even_out(&flow);
    while (keep_more(&flow)) {
    }
    *sum_of_squares = 0;
    *kept = 0;
    for (int32_t m = 0; m < input->member_count; m++) {
        *sum_of_squares += (int64_t)flow.load[m] * flow.load[m];
    }
    for (int32_t e = 0; e < flow.edges; e++) {
        *kept += flow.flow[e] < flow.had[e] ? flow.flow[e] : flow.had[e];
    }
}
