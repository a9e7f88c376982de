/* tools/properties.h: a Java properties file as a map of Kafka settings.
 *
 * `config: {file: consumer.properties}` takes an application's own settings; keys written beside
 * `file` override those in it. Positions point into the file. The format is
 * java.util.Properties.load's: key=value, key: value, key value; # and ! start comments; a
 * backslash continues a line or escapes. */
#ifndef TOOLS_PROPERTIES_H
#define TOOLS_PROPERTIES_H

#include "tools/reader.h"

/* The map with the file's settings in it; the same node when there is no key `file`. */
const struct node *properties_merge(struct reader *reader, const struct node *map);

#endif
