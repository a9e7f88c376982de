/* tools/run_directory.h: a run directory appears whole or not at all.
 *
 * It is filled under a hidden name beside its place (.NAME.partial-PID), synced to the disk and
 * renamed. Killed before that, a run leaves only the hidden directory; the next run to the same
 * place removes it (a lock on the directory tells whether its maker still lives). An existing run
 * is replaced only with `force`, by exchanging the two names in one step, and nothing but a run
 * directory is ever replaced. */
#ifndef TOOLS_RUN_DIRECTORY_H
#define TOOLS_RUN_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

struct run_directory;

enum run_directory_result {
    RUN_DIRECTORY_FINE,
    RUN_DIRECTORY_IN_THE_WAY, /* something is there already: the user decides */
    RUN_DIRECTORY_FAILED,     /* the disk or its permissions */
};

/* Errors are told in `error` (to be freed by free()). */
enum run_directory_result run_directory_begin(const char *path, bool force,
                                              struct run_directory **directory, char **error);
/* Where a file of the directory is until the commit; valid until the next call. */
const char *run_directory_file(struct run_directory *directory, const char *name);
/* Writes a whole file. */
bool run_directory_write(struct run_directory *directory, const char *name, const char *data,
                         size_t length, char **error);
/* Frees the directory in any case; when it fails, nothing stays behind. */
enum run_directory_result run_directory_commit(struct run_directory *directory, char **error);
/* Removes what was written. */
void run_directory_abandon(struct run_directory *directory);

/* A whole file, written beside its place and renamed, so that it is never half there. */
bool write_file_whole(const char *path, const char *data, size_t length, char **error);

#endif
