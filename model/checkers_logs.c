/* What the logs hold: I13, I15, I16. */
#include "model/checkers_internal.h"

/* A transaction was aborted: nobody who reads committed may have seen its records. */
void checkers_on_unreadable(struct checkers *checkers, const struct trace_record *record)
{
    if (record->field[3] != UNREADABLE_ABORTED) return;
    int64_t from = record->field[1];
    int64_t to = from + record->field[2];
    for (int32_t g = 0; g < checkers->scenario->group_count; g++) {
        const struct scenario_group *group = &checkers->scenario->groups[g];
        if (group->config.isolation_level != READ_COMMITTED) continue;
        const struct ledger_claim *claim =
            ledger_traced_claim(checkers->ledger, &checkers->ledger->groups[g], record->field[0]);
        if (claim == NULL) continue;
        int64_t seen = interval_set_covered(&claim->processed, from, to);
        if (seen == 0) continue;
        checkers_violate(
            checkers, CHECKER_I16, record, names_intern(sim_names(checkers->sim), group->name),
            "%s processed %lld records from %lld on of %s-%d before their transaction was "
            "aborted",
            group->name, (long long)seen, (long long)from,
            checkers_topic(checkers, record->field[0]),
            PARTITION_NUMBER((partition_id)record->field[0]));
    }
}

bool checkers_is_rewritten(const struct checkers *checkers, int64_t partition)
{
    int32_t topic = PARTITION_TOPIC((partition_id)partition);
    if (checkers->ledger->topics[topic].topic_id > 0) return true; /* created anew */
    for (uint32_t i = 0; i < checkers->rewritten_count; i++) {
        if (checkers->rewritten[i] == (partition_id)partition) return true;
    }
    return false;
}

static void note_rewritten(struct checkers *checkers, int64_t partition)
{
    if (checkers_is_rewritten(checkers, partition)) return;
    size_t size = checkers->rewritten_count * sizeof(partition_id);
    checkers->rewritten =
        memory_resize(checkers->memory, checkers->rewritten, size, size + sizeof(partition_id));
    checkers->rewritten[checkers->rewritten_count++] = (partition_id)partition;
}

void checkers_on_log(struct checkers *checkers, const struct trace_record *record)
{
    const struct ledger_log *log = ledger_traced_log(checkers->ledger, record->field[0]);
    if (log == NULL) return;
    int32_t number = PARTITION_NUMBER((partition_id)record->field[0]);
    if (record->kind == TRACE_BATCH_APPENDED) {
        if (record->field[9] != 0 || record->field[3] >= log->end) return;
        checkers_violate(checkers, CHECKER_I13, record, NAME_NONE,
                         "%s-%d: offset %lld was used again, the log ended at %lld",
                         checkers_topic(checkers, record->field[0]), number,
                         (long long)record->field[3], (long long)log->end);
        return;
    }
    bool unclean = record->field[4] != 0;
    int64_t new_end = record->field[3];
    if (record->field[1] < 0 || new_end < 0) return;
    if (unclean) {
        /* Even where nothing is lost: the former leader, cut off or frozen, was alone in sync, so
         * what it writes until it hears of its successor is visible, and will be taken back. */
        note_rewritten(checkers, record->field[0]);
        return;
    }
    int64_t taken_back = interval_set_covered(&log->safe, new_end, log->end);
    if (taken_back > 0) {
        checkers_violate(
            checkers, CHECKER_I15, record, NAME_NONE,
            "%s-%d: a clean election took back %lld records that acks=all had acknowledged",
            checkers_topic(checkers, record->field[0]), number, (long long)taken_back);
    }
}
