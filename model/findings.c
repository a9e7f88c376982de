#include "model/findings.h"

static const char *const kind_names[FINDING_KIND_COUNT] = {
#define X(name, text, help) [FINDING_##name] = text,
    FINDING_KINDS(X)
#undef X
};

static const struct {
    const char *name;
    const char *help;
} causes[FINDING_CAUSE_COUNT] = {
#define X(name, text, help) [FINDING_CAUSE_##name] = {text, help},
    FINDING_CAUSES(X)
#undef X
};

const char *finding_kind_name(enum finding_kind kind)
{
    return kind_names[kind];
}

const char *finding_cause_name(enum finding_cause cause)
{
    return causes[cause].name;
}

const char *finding_cause_help(enum finding_cause cause)
{
    return causes[cause].help;
}

static bool goes_on(const struct finding *last, const struct finding *next)
{
    return next->partition != FINDING_NO_PARTITION && last->kind == next->kind &&
           last->cause == next->cause && last->group == next->group &&
           last->partition == next->partition && last->member == next->member &&
           last->culprit == next->culprit && last->detail == next->detail && last->to == next->from;
}

void findings_add(struct findings *findings, struct memory *memory, const struct finding *finding)
{
    /* Partitions take turns, so the one to go on with is among the latest few. */
    uint32_t oldest = findings->count > 256 ? findings->count - 256 : 0;
    for (uint32_t i = findings->count; i > oldest; i--) {
        struct finding *last = &findings->list[i - 1];
        if (!goes_on(last, finding)) continue;
        last->to = finding->to;
        last->records += finding->records;
        last->last_at = finding->last_at;
        return;
    }
    uint32_t limit = finding->kind <= FINDING_ZOMBIE ? FINDINGS_KEPT : FINDINGS_KEPT_OTHERS;
    if (findings->kept[finding->kind] == limit) {
        findings->dropped++;
        return;
    }
    if (findings->count == findings->capacity) {
        uint32_t capacity = findings->capacity == 0 ? 16 : findings->capacity * 2;
        findings->list =
            memory_resize(memory, findings->list, findings->capacity * sizeof(*findings->list),
                          capacity * sizeof(*findings->list));
        findings->capacity = capacity;
    }
    findings->kept[finding->kind]++;
    findings->list[findings->count++] = *finding;
}
