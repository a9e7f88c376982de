/* tools/timeline_config.h: settings that a broker is restarted with, `config: {group.max.size: 2}`.
 *
 * They are changes to cluster.config, not to what an earlier restart brought. */
#ifndef TOOLS_TIMELINE_CONFIG_H
#define TOOLS_TIMELINE_CONFIG_H

#include "tools/reader.h"
#include "tools/writer.h"

/* False when an error was reported. The settings live as long as the scenario. */
bool timeline_config_read(struct reader *reader, const struct node *node,
                          const struct broker_config **config);
/* What differs from cluster.config. */
void timeline_config_write(struct writer *writer, const struct broker_config *config);

#endif
