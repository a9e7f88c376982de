/* bench/assignors.h: the assignors beside the recorded figures of a warm JVM. */
#ifndef BENCH_ASSIGNORS_H
#define BENCH_ASSIGNORS_H

/* Prints its own tables. 1 when some cell is slower than the JVM. */
int bench_assignors(void);

#endif
