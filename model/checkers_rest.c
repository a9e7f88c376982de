/* When the faults are over: L1, L3. */
#include "model/checkers_internal.h"

#include <string.h>

/* From here on things must come to rest: remember where they stand. */
void checkers_note_quiet(struct checkers *checkers, const struct trace_record *record)
{
    if (strcmp(checkers_text(checkers, record->field[1]), "quiet") != 0) return;
    checkers->quiet_at = record->at;
    for (int32_t g = 0; g < checkers->scenario->group_count; g++) {
        for (int32_t t = 0; t < checkers->scenario->topic_count; t++) {
            const struct ledger_claim *claims = checkers->ledger->groups[g].claims[t];
            if (claims == NULL) continue;
            for (int32_t p = 0; p < checkers->ledger->topics[t].partition_count; p++)
                checkers_claim_of(checkers, g, PARTITION_ID(t, p))->next_at_quiet = claims[p].next;
        }
    }
}

/* The longest that a group may need to come to rest once nothing disturbs it: everybody's poll
 * interval (a slow member holds up the rest), then two sessions. */
static sim_time settling_ns(const struct scenario_group *group)
{
    return MILLISECONDS(group->config.max_poll_interval_ms) +
           2 * MILLISECONDS(group->config.session_timeout_ms);
}

/* A group whose applications take longer than the poll interval, run out of memory or throw,
 * with nothing else amiss, need never come to rest. */
void checkers_on_client(struct checkers *checkers, int32_t group, const struct trace_record *record)
{
    if (checkers->quiet_at == SIM_TIME_NEVER) return;
    sim_time poll_interval_ns =
        MILLISECONDS(checkers->scenario->groups[group].config.max_poll_interval_ms);
    switch (record->field[2]) {
    case CLIENT_POLL_TIMEOUT:
        /* One that began under the faults may end soon after them. */
        if (record->at <= checkers->quiet_at + poll_interval_ns) return;
        break;
    case CLIENT_OUT_OF_MEMORY:
    case CLIENT_EXCEPTION:
    case CLIENT_FATAL: break;
    default: return;
    }
    checkers->groups[group].gives_up = true;
}

/* A record that its application can neither process nor pass over stops a partition for good,
 * and those who come across it leave the group or crash, one after the other. */
static bool may_be_blocked(const struct scenario *scenario, const struct scenario_group *group)
{
    if (group->process.retry != RETRY_FOREVER && group->process.retry != RETRY_CRASH) return false;
    for (int32_t i = 0; i < scenario->event_count; i++) {
        const struct scenario_event *event = &scenario->timeline[i];
        if (event->kind != TIMELINE_POISON) continue;
        for (int32_t t = 0; t < group->topic_count; t++) {
            if (strcmp(group->topics[t], scenario->topics[event->target.topic].name) == 0)
                return true;
        }
    }
    return false;
}

void checkers_judge_rest(struct checkers *checkers, int32_t g)
{
    const struct scenario_group *group = &checkers->scenario->groups[g];
    struct watched_group *watched = &checkers->groups[g];
    if (watched->gives_up || may_be_blocked(checkers->scenario, group)) return;
    name_id name = names_intern(sim_names(checkers->sim), group->name);
    sim_time waited = sim_now(checkers->sim) - checkers->quiet_at;
    if (waited < settling_ns(group)) return;
    if (!watched->at_rest) {
        checkers_violate(checkers, CHECKER_L1, NULL, name,
                         "group %s is still rebalancing %lld s after the faults ended", group->name,
                         (long long)(waited / SECONDS(1)));
    }
    if (!watched->at_rest || watched->members == 0) return;
    for (int32_t t = 0; t < checkers->scenario->topic_count; t++) {
        const struct ledger_claim *claims = checkers->ledger->groups[g].claims[t];
        if (claims == NULL) continue;
        for (int32_t p = 0; p < checkers->ledger->topics[t].partition_count; p++) {
            int64_t before = checkers_claim_of(checkers, g, PARTITION_ID(t, p))->next_at_quiet;
            if (claims[p].lag == 0 || claims[p].next > before) continue;
            /* A static member that comes back is given what it had, and nobody rebalances: not
             * for partitions that were added while a static leader was away
             * (ConsumerCoordinator.onLeaderElected, skipAssignment), and not for those that it was
             * to let go between the two rounds of a cooperative rebalance. */
            bool is_forgotten = group->config.static_membership &&
                                group->config.group_protocol == GROUP_PROTOCOL_CLASSIC &&
                                claims[p].assigned_id == NAME_NONE;
            if (is_forgotten) continue;
            checkers_violate(
                checkers, CHECKER_L3, NULL, name,
                "%s-%d has %lld records waiting and did not move after the faults ended",
                checkers->scenario->topics[t].name, p, (long long)claims[p].lag);
        }
    }
}
