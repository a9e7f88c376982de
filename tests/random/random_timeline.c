/* What befalls a drawn world. */
#include "tests/random/random_draft.h"

#define FAULTS_MAX 24

/* Seconds that the number'th fault lasts. */
static int length(const struct draft *draft, uint64_t number, int low, int high)
{
    return draft_between(draft, "length", number, low, high);
}

static const char *a_broker(const struct draft *draft, uint64_t number)
{
    static const char *const brokers[] = {"broker 0",         "broker 1",   "broker 2",
                                          "coordinator of g", "any broker", "leader of orders-0"};
    return PICK(draft, "broker", number, brokers);
}

static const char *a_side(const struct draft *draft, uint64_t number)
{
    static const char *const sides[] = {"any 1 of g",       "g",        "broker 0",
                                        "coordinator of g", "broker 1", "producer shop"};
    return PICK(draft, "side", number, sides);
}

static const char *other_side(const struct draft *draft, uint64_t number)
{
    static const char *const sides[] = {"brokers", "broker 1", "broker 2", "coordinator of g",
                                        "leader of orders-0"};
    return PICK(draft, "other side", number, sides);
}

static const char *flag(const struct draft *draft, const char *what, uint64_t number)
{
    return draft_rarely(draft, what, number, 2) ? "true" : "false";
}

static void write_member_fault(struct draft *draft, uint64_t n)
{
    struct text *yaml = draft->yaml;
    switch (draft_below(draft, "member fault", n, 9)) {
    case 0:
        text_format(yaml, "crash: any 1 of g, for: %ds, host: %s", length(draft, n, 1, 60),
                    flag(draft, "host", n));
        return;
    case 1: text_append(yaml, draft->members > 1 ? "crash: any 2 of g" : "crash: g"); return;
    case 2: text_format(yaml, "pause: any 1 of g, for: %ds", length(draft, n, 1, 80)); return;
    case 3: text_format(yaml, "stall: any 1 of g, for: %ds", length(draft, n, 1, 80)); return;
    case 4: text_append(yaml, "restart: any 1 of g"); return;
    case 5: text_append(yaml, "rolling_restart: g"); return;
    case 6: text_format(yaml, "scale: g, to: %d", draft_between(draft, "scale", n, 1, 7)); return;
    case 7: text_format(yaml, "stop: any 1 of g, for: %ds", length(draft, n, 1, 60)); return;
    case 8:
        text_format(yaml, "slow: any 1 of g, factor: %d, for: %ds",
                    draft_between(draft, "factor", n, 2, 50), length(draft, n, 1, 40));
        return;
    }
}

static void write_broker_fault(struct draft *draft, uint64_t n)
{
    struct text *yaml = draft->yaml;
    const char *broker = a_broker(draft, n);
    switch (draft_below(draft, "broker fault", n, 8)) {
    case 0:
    case 1:
        text_format(yaml, "crash: %s, for: %ds, host: %s", broker, length(draft, n, 1, 60),
                    flag(draft, "host", n));
        return;
    case 2: text_format(yaml, "stop: %s, for: %ds", broker, length(draft, n, 1, 40)); return;
    case 3: text_format(yaml, "restart: %s", broker); return;
    case 4: text_format(yaml, "pause: %s, for: %ds", broker, length(draft, n, 1, 40)); return;
    case 5: text_format(yaml, "disk_stall: %s, for: %ds", broker, length(draft, n, 1, 20)); return;
    case 6:
        text_format(yaml, "elect: orders-%d",
                    draft_below(draft, "partition", n, draft->partitions));
        return;
    case 7: text_append(yaml, "elect: topic orders"); return;
    }
}

static void write_network_fault(struct draft *draft, uint64_t n)
{
    struct text *yaml = draft->yaml;
    const char *side = a_side(draft, n);
    const char *other = other_side(draft, n);
    switch (draft_below(draft, "network fault", n, 5)) {
    case 0:
    case 1:
        text_format(yaml, "cut: %s, to: %s, one_way: %s, for: %ds", side, other,
                    flag(draft, "one way", n), length(draft, n, 1, 60));
        return;
    case 2:
        text_format(yaml, "delay: %s, to: %s, by: {uniform: {low: 10ms, high: %dms}}, for: %ds",
                    side, other, draft_between(draft, "delay", n, 20, 4000),
                    length(draft, n, 1, 60));
        return;
    case 3:
        text_format(yaml, "delay: %s, to: %s, loss: 1/%d, for: %ds", side, other,
                    draft_between(draft, "loss", n, 2, 50), length(draft, n, 1, 60));
        return;
    case 4: text_format(yaml, "reset_connections: %s, to: %s", side, other); return;
    }
}

static void write_other_fault(struct draft *draft, uint64_t n)
{
    struct text *yaml = draft->yaml;
    switch (draft_below(draft, "other fault", n, 3)) {
    case 0: text_format(yaml, "sink_outage: g, for: %ds", length(draft, n, 1, 60)); return;
    case 1:
        text_format(yaml, "burst: shop, factor: %d, for: %ds",
                    draft_between(draft, "factor", n, 2, 8), length(draft, n, 1, 15));
        return;
    case 2:
        text_format(yaml, "hot_key: shop, key: k, share: %d%%, for: %ds",
                    draft_between(draft, "share", n, 20, 100), length(draft, n, 5, 60));
        return;
    }
}

static void write_fault(struct draft *draft, uint64_t n, int first_s, int last_s)
{
    static const char *const states[] = {"PreparingRebalance", "CompletingRebalance", "Stable"};
    static const char *const consumer_states[] = {"Assigning", "Reconciling", "Stable"};
    static const char *const victims[] = {"any 1 of g", "coordinator of g", "g"};
    struct text *yaml = draft->yaml;
    int at_ms = draft_between(draft, "at", n, first_s * 1000, last_s * 1000);
    if (draft_rarely(draft, "when", n, 10)) {
        /* In the rare windows that random instants hardly ever hit. */
        text_format(yaml,
                    "  - {when: {group: g, state: %s, skip: %d}, at: %dms, crash: %s, for: %ds}\n",
                    draft->consumer_protocol ? PICK(draft, "state", n, consumer_states)
                                             : PICK(draft, "state", n, states),
                    draft_below(draft, "skip", n, 4), at_ms, PICK(draft, "victim", n, victims),
                    length(draft, n, 1, 30));
        return;
    }
    text_format(yaml, "  - {at: %dms, ", at_ms);
    int kind = draft_below(draft, "kind", n, 10);
    if (kind < 4) {
        write_member_fault(draft, n);
    } else if (kind < 7) {
        write_broker_fault(draft, n);
    } else if (kind < 9) {
        write_network_fault(draft, n);
    } else {
        write_other_fault(draft, n);
    }
    text_append(yaml, "}\n");
}

/* ---- what is drawn in some worlds only ------------------------------------------------------- */

static int an_instant(const struct draft *draft, const char *what, uint64_t n, int first_s,
                      int last_s)
{
    return draft_between(draft, what, n, first_s * 1000, last_s * 1000);
}

static void write_unclean_elections(struct draft *draft, int first_s, int last_s)
{
    int count = draft_between(draft, "unclean elections", 0, 0, 3);
    for (int n = 0; n < count; n++)
        text_format(draft->yaml, "  - {at: %dms, elect: orders-%d, unclean: true}\n",
                    an_instant(draft, "unclean at", (uint64_t)n, first_s, last_s),
                    draft_below(draft, "unclean partition", (uint64_t)n, draft->partitions));
}

/* Some lie beyond what will be written. */
static void write_poison(struct draft *draft, int last_s)
{
    int count = draft_between(draft, "poisons", 0, 1, 3);
    for (int n = 0; n < count; n++)
        text_format(draft->yaml, "  - {at: 0s, poison: orders-%d, offset: %d, records: %d}\n",
                    draft_below(draft, "poison partition", (uint64_t)n, draft->partitions),
                    draft_below(draft, "poison offset", (uint64_t)n,
                                last_s * 20 / draft->partitions),
                    draft_between(draft, "poison records", (uint64_t)n, 1, 3));
}

static void write_assigned_faults(struct draft *draft, int first_s, int last_s)
{
    static const char *const faults[] = {"crash: any 1 of r",
                                         "restart: any 1 of r",
                                         "pause: any 1 of r, for: 20s",
                                         "stall: any 1 of r, for: 20s",
                                         "sink_outage: r, for: 15s",
                                         "cut: any 1 of r, to: brokers, for: 20s",
                                         "stop: any 1 of r, for: 10s"};
    int count = draft_between(draft, "assigned faults", 0, 1, 5);
    for (int n = 0; n < count; n++)
        text_format(draft->yaml, "  - {at: %dms, %s}\n",
                    an_instant(draft, "assigned fault at", (uint64_t)n, first_s, last_s),
                    PICK(draft, "assigned fault", (uint64_t)n, faults));
}

/* The tool works on groups without members. */
static void write_operator(struct draft *draft, int first_s, int last_s)
{
    static const char *const commands[] = {"reset_offsets: g, to: earliest",
                                           "reset_offsets: g, to: latest",
                                           "reset_offsets: g, to: 40", "delete_group: g"};
    int at_s = draft_between(draft, "operator at", 0, first_s, last_s - 40);
    text_format(draft->yaml,
                "  - {at: %ds, stop: g, for: 40s}\n"
                "  - {at: %ds, %s}\n",
                at_s, at_s + draft_between(draft, "operator waits", 0, 1, 39),
                PICK(draft, "command", 0, commands));
}

static void write_throws(struct draft *draft, int first_s, int last_s)
{
    /* The last one has the classic protocol only: else the coordinator assigns. */
    static const char *const places[] = {"on_assigned", "on_revoked", "assignor"};
    int place_count = draft->consumer_protocol ? 2 : 3;
    int count = draft_between(draft, "throws", 0, 1, 3);
    for (int n = 0; n < count; n++)
        text_format(draft->yaml, "  - {at: %dms, throw: any 1 of g, in: %s, for: %ds}\n",
                    an_instant(draft, "throw at", (uint64_t)n, first_s, last_s),
                    places[draft_below(draft, "throw place", (uint64_t)n, place_count)],
                    draft_between(draft, "throw for", (uint64_t)n, 1, 30));
}

/* The last deletion may be for good. What comes after an instant that lies late comes late too. */
static void write_deletions(struct draft *draft, int first_s, int last_s)
{
    int count = draft_between(draft, "deletions", 0, 1, 2);
    for (int n = 0; n < count; n++) {
        int at_ms = an_instant(draft, "deletion at", (uint64_t)n, first_s, last_s);
        text_format(draft->yaml, "  - {at: %dms, delete_topic: orders}\n", at_ms);
        if (draft_rarely(draft, "for good", (uint64_t)n, 5)) continue;
        text_format(draft->yaml, "  - {at: %dms, create_topic: orders",
                    at_ms + draft_between(draft, "deleted for", (uint64_t)n, 1, 40000));
        if (draft_rarely(draft, "other partitions", (uint64_t)n, 2))
            text_format(draft->yaml, ", partitions: %d",
                        draft_between(draft, "recreated partitions", (uint64_t)n, 1, 9));
        text_append(draft->yaml, "}\n");
    }
}

/* Brokers do not agree about the group's size until the last of them is restarted, if ever. */
static void write_limits(struct draft *draft, int first_s, int last_s)
{
    int count = draft_between(draft, "limits", 1, 1, 4);
    for (int n = 0; n < count; n++)
        text_format(draft->yaml, "  - {at: %dms, restart: broker %d, config: {%s: %d}}\n",
                    an_instant(draft, "limit at", (uint64_t)n, first_s, last_s),
                    draft_below(draft, "limit broker", (uint64_t)n, 3),
                    draft->consumer_protocol ? "group.consumer.max.size" : "group.max.size",
                    draft_between(draft, "limit", (uint64_t)n, 1, draft->members + 2));
}

static void write_repeated(struct draft *draft, int first_s, int last_s)
{
    static const char *const faults[] = {"crash: any 1 of g, for: 3s",
                                         "pause: any 1 of g, for: 9s",
                                         "crash: any broker, for: 8s",
                                         "elect: topic orders",
                                         "reset_connections: g, to: brokers",
                                         "slow: any broker, factor: 20, for: 10s",
                                         "restart: any 1 of g"};
    if (draft_rarely(draft, "every", 0, 2)) {
        text_format(draft->yaml, "  - {every: %ds, at: %ds, until: %ds, %s}\n",
                    draft_between(draft, "every", 1, 5, 40), first_s, last_s,
                    PICK(draft, "every", 2, faults));
        return;
    }
    text_format(draft->yaml,
                "  - {every: %ds, at: %ds, until: %ds, stable_for: %ds, chaos: [{%s}, {%s, "
                "weight: 2}]}\n",
                draft_between(draft, "chaos", 0, 5, 40), first_s, last_s,
                draft_between(draft, "chaos", 1, 0, 20), PICK(draft, "chaos", 2, faults),
                PICK(draft, "chaos", 3, faults));
}

static void write_special(struct draft *draft, int first_s, int last_s)
{
    if (draft->is_unclean) write_unclean_elections(draft, first_s, last_s);
    if (draft->is_poisoned) write_poison(draft, last_s);
    if (draft->has_readers) write_assigned_faults(draft, first_s, last_s);
    if (draft->has_operator) write_operator(draft, 1, last_s);
    if (draft_rarely(draft, "throw", 0, 8)) write_throws(draft, first_s, last_s);
    if (draft->is_deleted) write_deletions(draft, first_s, last_s);
    if (draft->has_pattern)
        text_format(draft->yaml, "  - {at: %dms, create_topic: orders-new}\n",
                    an_instant(draft, "new topic at", 0, first_s, last_s));
    if (draft_rarely(draft, "limits", 0, 10)) write_limits(draft, first_s, last_s);
    if (draft_rarely(draft, "repeated", 0, 6)) write_repeated(draft, first_s, last_s);
    if (draft_rarely(draft, "slow broker", 0, 8))
        text_format(draft->yaml, "  - {at: %dms, slow: any broker, factor: %d, for: %ds}\n",
                    an_instant(draft, "slow broker at", 0, first_s, last_s),
                    draft_between(draft, "slow broker factor", 0, 2, 100),
                    draft_between(draft, "slow broker for", 0, 1, 60));
    if (draft_rarely(draft, "paused producer", 0, 8))
        text_format(draft->yaml, "  - {at: %dms, pause: producer shop, for: %ds}\n",
                    an_instant(draft, "paused producer at", 0, first_s, last_s),
                    draft_between(draft, "paused producer for", 0, 1, 60));
}

/* Operations that `quiet` does not undo are undone before it. */
void draft_write_timeline(struct draft *draft, int quiet_s)
{
    int first_s = draft_rarely(draft, "early", 0, 3) ? 1 : 30;
    text_append(draft->yaml, "timeline:\n");
    if (draft->has_output)
        text_format(draft->yaml,
                    "  - {at: %ds, crash: any 1 of h, for: 5s}\n"
                    "  - {at: %ds, pause: any 1 of h, for: 20s}\n",
                    draft_between(draft, "reader fault", 0, first_s, quiet_s - 10),
                    draft_between(draft, "reader fault", 1, first_s, quiet_s - 10));
    int faults = draft_between(draft, "faults", 0, 1, FAULTS_MAX);
    for (int n = 0; n < faults; n++)
        write_fault(draft, (uint64_t)n, first_s, quiet_s - 10);
    write_special(draft, first_s, quiet_s - 10);
    /* A static leader of the classic protocol that is away does not notice new partitions when it
     * comes back (classic-consumer.md, section 4). */
    if ((draft->consumer_protocol || !draft->is_static) && draft_rarely(draft, "growth", 0, 4))
        text_format(draft->yaml, "  - {at: %ds, add_partitions: orders, to: %d}\n",
                    draft_between(draft, "growth at", 0, first_s, quiet_s - 10),
                    draft->partitions + draft_between(draft, "more partitions", 0, 1, 4));
    text_format(draft->yaml,
                "  - {at: %ds, scale: g, to: %d}\n"
                "  - {at: %ds, quiet: true}\n",
                quiet_s - 5, draft->members, quiet_s);
}
