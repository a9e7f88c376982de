/* Every file of tests/bad_scenarios gives exactly the message beside it, and nothing else happens.
 *
 * `test_bad_scenarios --write` writes the messages anew, to be read before they are committed. */
#include "tools/scenario_yaml.h"
#include "tools/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define CORPUS COHORT_SOURCE_DIR "/tests/bad_scenarios"

/* Names of the corpus without ".yaml", sorted; the caller frees them. */
static char **list_corpus(size_t *count)
{
    struct dirent **entries;
    int found = scandir(CORPUS, &entries, NULL, alphasort);
    assert_true(found > 0);
    char **names = tool_allocate((size_t)found * sizeof *names);
    *count = 0;
    for (int i = 0; i < found; i++) {
        char *dot = strrchr(entries[i]->d_name, '.');
        if (dot != NULL && strcmp(dot, ".yaml") == 0) {
            *dot = '\0';
            names[(*count)++] = tool_copy(entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    return names;
}

/* What `cohort check NAME.yaml` prints in the corpus; the caller frees it. */
static char *check(const char *name, bool *loaded)
{
    char *data = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&data, &size);
    struct text path = {0};
    text_format(&path, "%s.yaml", name);
    struct diagnostics *diagnostics = diagnostics_new();
    struct scenario_document *document = NULL;
    *loaded = scenario_load(text_data(&path), NULL, &document, diagnostics);
    diagnostics_print(diagnostics, stream);
    diagnostics_free(diagnostics);
    scenario_document_free(document);
    text_free(&path);
    fclose(stream);
    return data;
}

/* The whole file, or NULL; the caller frees it. */
static char *read_expected(const char *name)
{
    struct text path = {0};
    text_format(&path, "%s.expected", name);
    FILE *file = fopen(text_data(&path), "rb");
    text_free(&path);
    if (file == NULL) return NULL;
    char block[4096];
    struct text content = {0};
    size_t count;
    while ((count = fread(block, 1, sizeof block, file)) > 0)
        text_append_bytes(&content, block, count);
    fclose(file);
    text_append(&content, "");
    return content.data;
}

static void each_file_gives_its_message(void **state)
{
    (void)state;
    size_t count;
    char **names = list_corpus(&count);
    size_t failed = 0;
    assert_true(count >= 60);
    for (size_t i = 0; i < count; i++) {
        bool loaded;
        char *said = check(names[i], &loaded);
        char *expected = read_expected(names[i]);
        if (expected == NULL || loaded || strcmp(said, expected) != 0) {
            failed++;
            print_error("tests/bad_scenarios/%s.yaml %s\n%s--- and not\n%s", names[i],
                        loaded ? "was taken for sound" : "said", said,
                        expected == NULL ? "(no .expected file)\n" : expected);
        }
        free(said);
        free(expected);
        free(names[i]);
    }
    free(names);
    assert_int_equal(failed, 0);
}

static int write_messages(void)
{
    size_t count;
    char **names = list_corpus(&count);
    for (size_t i = 0; i < count; i++) {
        bool loaded;
        char *said = check(names[i], &loaded);
        struct text path = {0};
        text_format(&path, "%s.expected", names[i]);
        FILE *file = fopen(text_data(&path), "wb");
        if (file == NULL || fputs(said, file) < 0 || fclose(file) != 0) {
            perror(text_data(&path));
            return 1;
        }
        if (loaded) printf("%s.yaml is sound\n", names[i]);
        text_free(&path);
        free(said);
        free(names[i]);
    }
    free(names);
    return 0;
}

int main(int argc, char **argv)
{
    /* Messages name the file as it was given: without directory, they are the same everywhere. */
    if (chdir(CORPUS) != 0) {
        perror(CORPUS);
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "--write") == 0) return write_messages();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_gives_its_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
