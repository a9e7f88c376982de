/* A run directory is whole or absent, whatever happens while it is made. */
#include "tests/tools/harness/synthetic.h"
#include "tools/run_directory.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char base[256];

static const char *at(const char *name)
{
    static char path[4][400];
    static int turn;
    char *chosen = path[turn++ % 4];
    snprintf(chosen, sizeof path[0], "%s/%s", base, name);
    return chosen;
}

static int fresh_base(void **state)
{
    (void)state;
    synthetic_directory("run_directory", base);
    return 0;
}

static int entries(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) return -1;
    int count = -2; /* . and .. */
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void write_text(struct run_directory *directory, const char *name, const char *text)
{
    char *error = NULL;
    if (!run_directory_write(directory, name, text, strlen(text), &error)) fail_msg("%s", error);
}

static const char *content(const char *path)
{
    static char text[256];
    FILE *file = fopen(path, "r");
    if (file == NULL) return "(absent)";
    size_t length = fread(text, 1, sizeof text - 1, file);
    text[length] = '\0';
    fclose(file);
    return text;
}

static enum run_directory_result make(const char *path, bool force, const char *text)
{
    struct run_directory *directory = NULL;
    char *error = NULL;
    enum run_directory_result result = run_directory_begin(path, force, &directory, &error);
    if (result == RUN_DIRECTORY_FINE) {
        write_text(directory, "run.db", text);
        result = run_directory_commit(directory, &error);
    }
    free(error);
    return result;
}

static void it_appears_at_the_commit(void **state)
{
    (void)state;
    struct run_directory *directory = NULL;
    char *error = NULL;
    assert_int_equal(run_directory_begin(at("r"), false, &directory, &error), RUN_DIRECTORY_FINE);
    write_text(directory, "run.db", "one");
    assert_int_equal(access(at("r"), F_OK), -1);
    assert_int_equal(run_directory_commit(directory, &error), RUN_DIRECTORY_FINE);
    assert_string_equal(content(at("r/run.db")), "one");
    assert_int_equal(entries(base), 1);
}

static void abandoned_it_leaves_nothing(void **state)
{
    (void)state;
    struct run_directory *directory = NULL;
    char *error = NULL;
    assert_int_equal(run_directory_begin(at("r/"), false, &directory, &error), RUN_DIRECTORY_FINE);
    write_text(directory, "run.db", "one");
    assert_int_equal(mkdir(run_directory_file(directory, "plots"), 0777), 0);
    run_directory_abandon(directory);
    assert_int_equal(entries(base), 0);
}

static void an_existing_run_is_replaced_only_by_force(void **state)
{
    (void)state;
    assert_int_equal(make(at("r"), false, "one"), RUN_DIRECTORY_FINE);
    assert_int_equal(make(at("r"), false, "two"), RUN_DIRECTORY_IN_THE_WAY);
    assert_string_equal(content(at("r/run.db")), "one");
    assert_int_equal(make(at("r"), true, "two"), RUN_DIRECTORY_FINE);
    assert_string_equal(content(at("r/run.db")), "two");
    assert_int_equal(entries(base), 1);
}

static void what_is_no_run_is_never_replaced(void **state)
{
    (void)state;
    assert_int_equal(mkdir(at("home"), 0777), 0);
    assert_int_equal(mkdir(at("home/photos"), 0777), 0);
    struct run_directory *directory = NULL;
    char *error = NULL;
    assert_int_equal(run_directory_begin(at("home"), true, &directory, &error),
                     RUN_DIRECTORY_IN_THE_WAY);
    assert_non_null(strstr(error, "exists and is not a run directory"));
    assert_int_equal(entries(at("home")), 1);
    assert_int_equal(run_directory_begin("", true, &directory, &error), RUN_DIRECTORY_IN_THE_WAY);
    assert_int_equal(run_directory_begin("..", true, &directory, &error), RUN_DIRECTORY_IN_THE_WAY);
    free(error);
}

static void a_run_that_appears_meanwhile_is_kept(void **state)
{
    (void)state;
    struct run_directory *slow = NULL;
    char *error = NULL;
    assert_int_equal(run_directory_begin(at("r"), false, &slow, &error), RUN_DIRECTORY_FINE);
    write_text(slow, "run.db", "slow");
    /* Another process; in this one the hidden names would be the same. */
    pid_t other = fork();
    if (other == 0) _exit(make(at("r"), false, "quick") == RUN_DIRECTORY_FINE ? 0 : 1);
    int status = 0;
    waitpid(other, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(run_directory_commit(slow, &error), RUN_DIRECTORY_IN_THE_WAY);
    assert_string_equal(content(at("r/run.db")), "quick");
    assert_int_equal(entries(base), 1);
    free(error);
}

static void killed_it_leaves_what_the_next_run_removes(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct run_directory *directory = NULL;
        char *error = NULL;
        run_directory_begin(at("r"), false, &directory, &error);
        write_text(directory, "run.db", "half");
        raise(SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(entries(base), 1);
    assert_int_equal(access(at("r"), F_OK), -1);
    assert_int_equal(make(at("r"), false, "whole"), RUN_DIRECTORY_FINE);
    assert_int_equal(entries(base), 1);
    assert_string_equal(content(at("r/run.db")), "whole");
}

/* Replacing, killed after k microseconds: at the place stands the old run or the new one. */
static void killed_while_replacing_one_of_the_two_is_there(void **state)
{
    (void)state;
    assert_int_equal(make(at("r"), false, "old"), RUN_DIRECTORY_FINE);
    for (long delay_us = 0; delay_us < 4000; delay_us += 100) {
        pid_t child = fork();
        if (child == 0) {
            for (;;)
                make(at("r"), true, "new");
        }
        nanosleep(&(struct timespec){.tv_nsec = delay_us * 1000}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        const char *text = content(at("r/run.db"));
        if (strcmp(text, "old") != 0 && strcmp(text, "new") != 0) fail_msg("found %s", text);
    }
    assert_int_equal(make(at("r"), true, "last"), RUN_DIRECTORY_FINE);
    assert_int_equal(entries(base), 1);
}

static void a_full_disk_is_a_clear_error(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        const struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
        setrlimit(RLIMIT_FSIZE, &limit);
        struct run_directory *directory = NULL;
        char *error = NULL;
        char data[4000] = {0};
        bool refused = run_directory_begin(at("r"), false, &directory, &error) == 0 &&
                       !run_directory_write(directory, "run.db", data, sizeof data, &error) &&
                       strstr(error, "cannot write run.db of ") != NULL &&
                       strstr(error, "File too large") != NULL;
        run_directory_abandon(directory);
        _exit(refused ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(entries(base), 0);
}

static void a_place_without_access_is_a_clear_error(void **state)
{
    (void)state;
    struct run_directory *directory = NULL;
    char *error = NULL;
    assert_int_equal(run_directory_begin(at("no/such/place"), false, &directory, &error),
                     RUN_DIRECTORY_FAILED);
    assert_non_null(strstr(error, "No such file or directory"));
    /* root writes everywhere, so the read-only case needs somebody else. */
    if (geteuid() != 0) {
        assert_int_equal(chmod(base, 0555), 0);
        assert_int_equal(run_directory_begin(at("r"), false, &directory, &error),
                         RUN_DIRECTORY_FAILED);
        assert_int_equal(chmod(base, 0777), 0);
        assert_non_null(strstr(error, "Permission denied"));
    }
    free(error);
}

static void a_single_file_is_whole_too(void **state)
{
    (void)state;
    char *error = NULL;
    assert_true(write_file_whole(at("picture.svg"), "abc", 3, &error));
    assert_true(write_file_whole(at("picture.svg"), "defg", 4, &error));
    assert_string_equal(content(at("picture.svg")), "defg");
    assert_int_equal(entries(base), 1);
    assert_false(write_file_whole(at("no/picture.svg"), "abc", 3, &error));
    assert_non_null(strstr(error, "No such file or directory"));
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_appears_at_the_commit, fresh_base),
        cmocka_unit_test_setup(abandoned_it_leaves_nothing, fresh_base),
        cmocka_unit_test_setup(an_existing_run_is_replaced_only_by_force, fresh_base),
        cmocka_unit_test_setup(what_is_no_run_is_never_replaced, fresh_base),
        cmocka_unit_test_setup(a_run_that_appears_meanwhile_is_kept, fresh_base),
        cmocka_unit_test_setup(killed_it_leaves_what_the_next_run_removes, fresh_base),
        cmocka_unit_test_setup(killed_while_replacing_one_of_the_two_is_there, fresh_base),
        cmocka_unit_test_setup(a_full_disk_is_a_clear_error, fresh_base),
        cmocka_unit_test_setup(a_place_without_access_is_a_clear_error, fresh_base),
        cmocka_unit_test_setup(a_single_file_is_whole_too, fresh_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
