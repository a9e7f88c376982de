/* tools/replay.h: holds a run that happens again against its store.
 *
 * An observer that walks along the stored records in step with the new ones. The first difference
 * is kept with what came before it: a record that is not the same, is missing, or was never
 * emitted; else the first checkpoint whose fingerprints differ. */
#ifndef TOOLS_REPLAY_H
#define TOOLS_REPLAY_H

#include "tools/record_text.h"
#include "tools/store_reader.h"
#include "tools/text.h"

#include "sim/sim.h"

#include <stdbool.h>

struct replay;

/* `names` belong to the new run's world and `sim` to its engine. Both outlive the replay. NULL and
 * a reason in `error` (to be freed by free()) when the store cannot be read. */
struct replay *replay_new(const struct store_reader *reader, const struct sim *sim,
                          const struct record_names *names, char **error);
void replay_free(struct replay *replay);

/* A trace_observer. */
void replay_observe(void *replay, const struct trace_record *record);
/* A difference was found: there is no need to go on. */
bool replay_differs(const struct replay *replay);

/* After the last record: is anything left in the store? Do the fingerprints agree? True when the
 * run is identical; otherwise `report` says what differs first, in a few lines. */
bool replay_finish(struct replay *replay, struct text *report);

#endif
