#define _GNU_SOURCE /* renameat2 */
#include "tools/run_directory.h"

#include "tools/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct run_directory {
    char *path;    /* its place in the end */
    char *parent;  /* of the place */
    char *partial; /* its hidden name until then */
    struct text file;
    int lock; /* the open, locked hidden directory: held while its maker lives */
    bool force;
};

static void explain(char **error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void explain(char **error, const char *format, ...)
{
    struct text text = {0};
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    free(*error);
    *error = text.data;
}

static char *join(const char *directory, const char *name)
{
    struct text text = {0};
    text_format(&text, "%s/%s", directory, name);
    return text.data;
}

/* Goes down into directories, never through symbolic links. */
static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    if (directory != NULL) {
        for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
            if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
            char *child = join(path, entry->d_name);
            struct stat status;
            if (lstat(child, &status) == 0 && S_ISDIR(status.st_mode)) {
                remove_tree(child);
            } else {
                unlink(child);
            }
            free(child);
        }
        closedir(directory);
    }
    rmdir(path);
}

/* Opens the directory and takes its lock; -1 when it is gone or its maker still lives. */
static int lock_directory(const char *path)
{
    int lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return -1;
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
    close(lock);
    return -1;
}

/* What killed runs to the same place left behind. */
static void remove_leftovers(const char *parent, const char *name)
{
    struct text prefix = {0};
    text_format(&prefix, ".%s.partial-", name);
    DIR *directory = opendir(parent);
    if (directory != NULL) {
        for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
            if (strncmp(entry->d_name, text_data(&prefix), prefix.length) != 0) continue;
            char *path = join(parent, entry->d_name);
            int lock = lock_directory(path);
            if (lock >= 0) {
                remove_tree(path);
                close(lock);
            }
            free(path);
        }
        closedir(directory);
    }
    text_free(&prefix);
}

static bool is_empty_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) return false;
    bool empty = true;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) empty = false;
    }
    closedir(directory);
    return empty;
}

/* May we put a run at `path`? */
static enum run_directory_result check_place(const char *path, bool force, char **error)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        if (errno == ENOENT) return RUN_DIRECTORY_FINE;
        explain(error, "%s: %s", path, strerror(errno));
        return RUN_DIRECTORY_FAILED;
    }
    /* What makes a directory one of ours: a run's store, or a comparison's results. */
    char *store = join(path, "run.db");
    char *results = join(path, "runs.csv");
    struct stat marker;
    bool is_run =
        S_ISDIR(status.st_mode) && (stat(store, &marker) == 0 || stat(results, &marker) == 0);
    free(store);
    free(results);
    if (S_ISDIR(status.st_mode) && is_empty_directory(path)) return RUN_DIRECTORY_FINE;
    if (!is_run) {
        explain(error, "%s exists and is not a run directory; it is left alone", path);
        return RUN_DIRECTORY_IN_THE_WAY;
    }
    if (force) return RUN_DIRECTORY_FINE;
    explain(error, "%s exists; --force replaces it, --out DIR writes elsewhere", path);
    return RUN_DIRECTORY_IN_THE_WAY;
}

static void free_directory(struct run_directory *directory)
{
    if (directory->lock >= 0) close(directory->lock);
    free(directory->path);
    free(directory->parent);
    free(directory->partial);
    text_free(&directory->file);
    free(directory);
}

enum run_directory_result run_directory_begin(const char *path, bool force,
                                              struct run_directory **directory, char **error)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    struct text place = {0};
    text_append_bytes(&place, path, length);
    if (length == 0 || strcmp(place.data, "/") == 0 || strcmp(place.data, ".") == 0 ||
        strcmp(place.data, "..") == 0) {
        explain(error, "\"%s\" cannot be the name of a run directory", path);
        text_free(&place);
        return RUN_DIRECTORY_IN_THE_WAY;
    }
    enum run_directory_result result = check_place(place.data, force, error);
    if (result != RUN_DIRECTORY_FINE) {
        text_free(&place);
        return result;
    }

    struct run_directory *made = tool_allocate(sizeof *made);
    made->path = place.data;
    made->force = force;
    made->lock = -1;
    const char *slash = strrchr(made->path, '/');
    const char *name = slash != NULL ? slash + 1 : made->path;
    struct text parent = {0};
    if (slash == NULL) {
        text_append(&parent, ".");
    } else {
        text_append_bytes(&parent, made->path,
                          slash == made->path ? 1 : (size_t)(slash - made->path));
    }
    made->parent = parent.data;
    remove_leftovers(made->parent, name);
    struct text partial = {0};
    text_format(&partial, "%s/.%s.partial-%ld", made->parent, name, (long)getpid());
    made->partial = partial.data;
    if (mkdir(made->partial, 0777) != 0 || (made->lock = lock_directory(made->partial)) < 0) {
        explain(error, "cannot write %s: %s", made->path, strerror(errno));
        free_directory(made);
        return RUN_DIRECTORY_FAILED;
    }
    *directory = made;
    return RUN_DIRECTORY_FINE;
}

const char *run_directory_file(struct run_directory *directory, const char *name)
{
    text_clear(&directory->file);
    text_format(&directory->file, "%s/%s", directory->partial, name);
    return text_data(&directory->file);
}

/* All of it on the disk, or an error; the file is removed then. */
static bool write_synced(const char *path, const char *data, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return false;
    int failure = 0;
    while (length > 0 && failure == 0) {
        ssize_t written = write(file, data, length);
        if (written > 0) {
            data += written;
            length -= (size_t)written;
        } else if (errno != EINTR) {
            failure = errno;
        }
    }
    if (failure == 0 && fsync(file) != 0) failure = errno;
    if (close(file) != 0 && failure == 0) failure = errno;
    if (failure == 0) return true;
    unlink(path);
    errno = failure;
    return false;
}

bool run_directory_write(struct run_directory *directory, const char *name, const char *data,
                         size_t length, char **error)
{
    if (write_synced(run_directory_file(directory, name), data, length)) return true;
    explain(error, "cannot write %s of %s: %s", name, directory->path, strerror(errno));
    return false;
}

static bool sync_path(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    bool synced = fsync(file) == 0;
    int failure = errno;
    close(file);
    errno = failure;
    return synced;
}

/* The files first, then the directory that lists them. */
static bool sync_tree(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) return false;
    bool synced = true;
    for (struct dirent *entry = readdir(directory); entry != NULL && synced;
         entry = readdir(directory)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char *child = join(path, entry->d_name);
        struct stat status;
        bool is_directory = lstat(child, &status) == 0 && S_ISDIR(status.st_mode);
        synced = is_directory ? sync_tree(child) : sync_path(child);
        free(child);
    }
    closedir(directory);
    return synced && sync_path(path);
}

/* After the exchange the old run has the hidden name, which the caller removes. */
static bool put_in_place(const struct run_directory *directory)
{
    if (rename(directory->partial, directory->path) == 0) return true;
    if (!directory->force || (errno != ENOTEMPTY && errno != EEXIST)) return false;
    if (renameat2(AT_FDCWD, directory->partial, AT_FDCWD, directory->path, RENAME_EXCHANGE) == 0) {
        return true;
    }
    if (errno != EINVAL && errno != ENOSYS) return false;
    /* A file system that cannot exchange: for a moment the place is empty, and both runs exist. */
    struct text aside = {0};
    text_format(&aside, "%s.replaced", directory->partial);
    bool done = rename(directory->path, aside.data) == 0;
    if (done && rename(directory->partial, directory->path) != 0) {
        int failure = errno;
        rename(aside.data, directory->path);
        errno = failure;
        done = false;
    }
    if (done) remove_tree(aside.data);
    text_free(&aside);
    return done;
}

enum run_directory_result run_directory_commit(struct run_directory *directory, char **error)
{
    enum run_directory_result result = check_place(directory->path, directory->force, error);
    if (result == RUN_DIRECTORY_FINE &&
        !(sync_tree(directory->partial) && put_in_place(directory) &&
          sync_path(directory->parent))) {
        explain(error, "cannot write %s: %s", directory->path, strerror(errno));
        result = RUN_DIRECTORY_FAILED;
    }
    remove_tree(directory->partial);
    free_directory(directory);
    return result;
}

void run_directory_abandon(struct run_directory *directory)
{
    remove_tree(directory->partial);
    free_directory(directory);
}

bool write_file_whole(const char *path, const char *data, size_t length, char **error)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    struct text partial = {0};
    text_append_bytes(&partial, path, (size_t)(name - path));
    text_format(&partial, ".%s.partial-%ld", name, (long)getpid());
    bool written = write_synced(partial.data, data, length);
    if (written && rename(partial.data, path) != 0) {
        int failure = errno;
        unlink(partial.data);
        errno = failure;
        written = false;
    }
    if (!written) explain(error, "cannot write %s: %s", path, strerror(errno));
    text_free(&partial);
    return written;
}
