/* tools/moment.h: instants of a run, as people type and read them. */
#ifndef TOOLS_MOMENT_H
#define TOOLS_MOMENT_H

#include "sim/time.h"
#include "tools/text.h"

#include <stdbool.h>

/* "83s", "1m23.5s"; from 0 to `limit`. Tells stderr what is wrong with the value of `option`. */
bool moment_parse(const char *option, const char *value, sim_time limit, sim_time *at);
/* "83.000 s": seconds with three digits, more only when they are not zero. */
void moment_format(struct text *text, sim_time at);
/* "83.001 s": always three digits, as log lines have; what is beyond is cut off. */
void moment_format_short(struct text *text, sim_time at);
/* A duration for people, three significant digits: "0", "850 ms", "13.2 s", "4 min 5 s". */
void duration_format(struct text *text, sim_time duration_ns);
/* Thousands set apart: "1,234,567". */
void count_format(struct text *text, int64_t count);

#endif
