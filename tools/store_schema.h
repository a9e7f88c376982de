/* tools/store_schema.h: the tables and views of run.db, and the notes that explain them. */
#ifndef TOOLS_STORE_SCHEMA_H
#define TOOLS_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Creates the tables and fills what does not depend on a run. SQLite's error otherwise. */
int store_schema_create(sqlite3 *database);
/* A view per kind: event_<kind>, fields by name, names, partitions, enums and errors as text. */
int store_schema_create_views(sqlite3 *database);
/* After the last row: SQLite builds an index faster than it keeps one. */
int store_schema_create_indexes(sqlite3 *database);

/* The kinds whose number grows with traffic rather than with what happens to a group. */
bool store_kind_is_bulk(uint16_t kind);

#endif
