/* Inputs that are no proper file: each is a clear message, at once, and nothing is read that need
 * not be. */
#include "tools/scenario_yaml.h"
#include "tools/text.h"

#include "sim/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* What is said about a path; the caller frees it. */
static char *refusal(const char *path)
{
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    assert_false(scenario_load(path, NULL, &document, diagnostics));
    assert_null(document);
    char *said = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&said, &size);
    diagnostics_print(diagnostics, stream);
    fclose(stream);
    diagnostics_free(diagnostics);
    return said;
}

static void assert_refusal(const char *path, const char *expected)
{
    char *said = refusal(path);
    assert_string_equal(said, expected);
    free(said);
}

static int in_new_directory(void **state)
{
    static char template[] = "/tmp/cohort-test-source-XXXXXX";
    *state = mkdtemp(template);
    return *state == NULL || chdir(template) != 0;
}

static int remove_directory(void **state)
{
    static const char *const names[] = {"huge.yaml", "unreadable.yaml", "long.yaml"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(names[i]);
    return chdir("/") != 0 || rmdir(*state) != 0;
}

static void a_directory(void **state)
{
    (void)state;
    assert_refusal(".", ".: error: is a directory, not a file\n1 error\n");
}

static void a_missing_file(void **state)
{
    (void)state;
    assert_refusal("none.yaml", "none.yaml: error: No such file or directory\n1 error\n");
}

static void a_file_of_100_megabytes(void **state)
{
    (void)state;
    FILE *file = fopen("huge.yaml", "wb");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 100000000), 0);
    fclose(file);
    assert_refusal("huge.yaml",
                   "huge.yaml: error: larger than 1024 KiB, the most such a file may have\n"
                   "1 error\n");
}

static void an_endless_device(void **state)
{
    (void)state;
    assert_refusal("/dev/zero",
                   "/dev/zero: error: larger than 1024 KiB, the most such a file may have\n"
                   "1 error\n");
}

static void an_unreadable_file(void **state)
{
    (void)state;
    FILE *file = fopen("unreadable.yaml", "wb");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(chmod("unreadable.yaml", 0), 0);
    if (access("unreadable.yaml", R_OK) == 0) return; /* root may read everything */
    assert_refusal("unreadable.yaml", "unreadable.yaml: error: Permission denied\n1 error\n");
}

/* The bound on the size is also one on the time: the worst texts of that size take a moment. */
static void the_largest_file_is_answered_quickly(void **state)
{
    (void)state;
    static const char *const pieces[] = {"[",      "{",   "- ",  "? ",  "a: ",  "&a ",
                                         "*a ",    "\"",  "a\n", "[a,", "{a: ", "x: {y: \n",
                                         "- - - ", "!a ", "'\n", "|\n "};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        FILE *file = fopen("long.yaml", "wb");
        assert_non_null(file);
        size_t length = strlen(pieces[i]);
        for (size_t written = 0; written + length <= 1000000; written += length)
            fputs(pieces[i], file);
        fclose(file);
        alarm(60);
        free(refusal("long.yaml"));
        alarm(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_directory),
        cmocka_unit_test(a_missing_file),
        cmocka_unit_test(a_file_of_100_megabytes),
        cmocka_unit_test(an_endless_device),
        cmocka_unit_test(an_unreadable_file),
        cmocka_unit_test(the_largest_file_is_answered_quickly),
    };
    return cmocka_run_group_tests(tests, in_new_directory, remove_directory);
}
