/* tools/record_text.h: any trace record as one line, by the table of its kind.
 *
 *     #1234 83.456 s group_state group=payments from=Stable to=PreparingRebalance generation=7 … */
#ifndef TOOLS_RECORD_TEXT_H
#define TOOLS_RECORD_TEXT_H

#include "model/trace_kinds.h"
#include "tools/text.h"

/* Whoever knows the names: a store, or a world. */
struct record_names {
    const void *self;
    const char *(*name)(const void *self, int64_t name);
    /* Appends "payments-3". */
    void (*partition)(const void *self, int64_t partition, struct text *text);
};

void record_text(struct text *text, const struct trace_record *record,
                 const struct record_names *names);

#endif
