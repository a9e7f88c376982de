/* tools/version.h: which Cohort this is. */
#ifndef TOOLS_VERSION_H
#define TOOLS_VERSION_H

/* "0.1.0" */
const char *version_number(void);
/* The first twelve hex digits of the linker's build id, a hash of the program itself: two programs
 * with one build id are the same program. "unknown" where the linker wrote none. */
const char *version_build_id(void);

#endif
