#include "tools/report_draw.h"

#include "sim/check.h"
#include "tools/run_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PICTURE_WIDTH 1400

static const char *const extensions[] = {[PICTURE_PNG] = "png", [PICTURE_SVG] = "svg"};

/* What gnuplot ends with when there is no such program, and when it was interrupted. */
#define NOT_FOUND   127
#define FAILED      126
#define INTERRUPTED 130

/* In the child: becomes gnuplot in `directory` (NULL = here), its stderr going to `end`. */
static _Noreturn void become_gnuplot(const char *directory, const char *first, const char *second,
                                     const char *third, int end)
{
    signal(SIGINT, SIG_DFL);
    int nothing = open("/dev/null", O_RDWR);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(end, STDERR_FILENO);
    if (directory != NULL && chdir(directory) != 0) _exit(FAILED);
    execlp("gnuplot", "gnuplot", first, second, third, (char *)NULL);
    _exit(errno == ENOENT ? NOT_FOUND : FAILED);
}

/* Runs gnuplot; what it says on stderr is appended to `said`. Its exit code or one of the above.
 * While it runs, Ctrl-C ends it and not us, so that we can tidy up. */
static int run_gnuplot(const char *directory, const char *first, const char *second,
                       const char *third, struct text *said)
{
    int ends[2];
    if (pipe(ends) != 0) return FAILED;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    sigaction(SIGINT, &ignore, &before);
    pid_t child = fork();
    if (child == 0) become_gnuplot(directory, first, second, third, ends[1]);
    close(ends[1]);
    char buffer[1024];
    ssize_t length;
    while (child > 0 && (length = read(ends[0], buffer, sizeof buffer)) > 0) {
        text_append_bytes(said, buffer, (size_t)length);
    }
    close(ends[0]);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) status = -1;
    sigaction(SIGINT, &before, NULL);
    if (status == -1) return FAILED;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) return INTERRUPTED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : FAILED;
}

bool gnuplot_is_there(char **error)
{
    struct text said = {0};
    int code = run_gnuplot(NULL, "--version", NULL, NULL, &said);
    text_free(&said);
    if (code == 0) return true;
    *error = tool_copy("plots are drawn by gnuplot, which is not installed; on Debian and Ubuntu: "
                       "apt-get install gnuplot-nox fonts-dejavu-core");
    return false;
}

static bool append_file(struct text *text, const char *name, char **error)
{
    struct text path = {0};
    const char *directory = getenv("COHORT_PLOTS");
    text_format(&path, "%s/%s", directory != NULL ? directory : COHORT_PLOTS_DIR, name);
    FILE *file = fopen(text_data(&path), "r");
    if (file == NULL) {
        struct text message = {0};
        text_format(&message, "cannot read the plot template %s: %s", text_data(&path),
                    strerror(errno));
        *error = message.data;
        text_free(&path);
        return false;
    }
    char buffer[4096];
    size_t length;
    while ((length = fread(buffer, 1, sizeof buffer, file)) > 0) {
        text_append_bytes(text, buffer, length);
    }
    fclose(file);
    text_free(&path);
    return true;
}

static void append_terminal(struct text *script, int height, enum picture_format format,
                            const char *stem)
{
    /* noenhanced: names with _ and ^ are not formulas. */
    if (format == PICTURE_PNG) {
        text_format(script,
                    "set terminal pngcairo noenhanced size %d,%d font 'DejaVu Sans,11' "
                    "background rgb 'white'\n",
                    PICTURE_WIDTH, height);
    } else {
        text_format(script,
                    "set terminal svg noenhanced size %d,%d font 'DejaVu Sans,12' "
                    "background rgb 'white'\n",
                    PICTURE_WIDTH, height);
    }
    text_format(script, "if (!exists('picture')) picture = '%s.%s'\nset output picture\n", stem,
                extensions[format]);
}

static void explain_gnuplot(int code, const char *stem, const struct text *said, char **error)
{
    struct text message = {0};
    if (code == INTERRUPTED) {
        text_append(&message, "interrupted");
    } else {
        text_format(&message, "gnuplot could not draw %s: %s", stem,
                    said->length > 0 ? said->data : "it gave no reason");
    }
    while (message.length > 0 && message.data[message.length - 1] == '\n') {
        message.data[--message.length] = '\0';
    }
    free(*error);
    *error = message.data;
}

/* Draws under hidden names, for gnuplot leaves an empty file when it fails; then renames. */
static bool draw_script(const struct text *script, const char *directory, const char *stem,
                        const char *extension, char **error)
{
    struct text hidden_name = {0};
    struct text setting = {0};
    struct text hidden[2] = {{0}, {0}}; /* script, picture */
    struct text place[2] = {{0}, {0}};
    const char *const endings[2] = {"gp", extension};
    for (int i = 0; i < 2; i++) {
        text_format(&hidden[i], "%s/.%s.%s.partial-%ld", directory, stem, endings[i],
                    (long)getpid());
        text_format(&place[i], "%s/%s.%s", directory, stem, endings[i]);
    }
    text_append(&hidden_name, text_data(&hidden[0]) + strlen(directory) + 1);
    text_format(&setting, "picture = '%s'", text_data(&hidden[1]) + strlen(directory) + 1);

    bool drawn = write_file_whole(text_data(&hidden[0]), script->data, script->length, error);
    if (drawn) {
        struct text said = {0};
        int code =
            run_gnuplot(directory, "-e", text_data(&setting), text_data(&hidden_name), &said);
        struct stat status;
        drawn = code == 0 && stat(text_data(&hidden[1]), &status) == 0 && status.st_size > 0;
        if (!drawn) explain_gnuplot(code, stem, &said, error);
        text_free(&said);
    }
    for (int i = 0; i < 2; i++) {
        if (drawn && rename(text_data(&hidden[i]), text_data(&place[i])) != 0) {
            explain_gnuplot(FAILED, strerror(errno), &(struct text){0}, error);
            drawn = false;
        }
        if (!drawn) unlink(text_data(&hidden[i]));
        text_free(&hidden[i]);
        text_free(&place[i]);
    }
    text_free(&hidden_name);
    text_free(&setting);
    return drawn;
}

bool gnuplot_draw(const char *template, const char *data, int height, enum picture_format format,
                  const char *directory, const char *stem, char **error)
{
    struct text script = {0};
    text_format(&script, "# Drawn by cohort. Draw it again here, after any change: gnuplot %s.gp\n",
                stem);
    append_terminal(&script, height, format, stem);
    text_append(&script, data);
    bool done = append_file(&script, "style.gp", error) && append_file(&script, template, error) &&
                draw_script(&script, directory, stem, extensions[format], error);
    text_free(&script);
    return done;
}

/* Rows of partitions want room, but a picture should fit on a screen and a half. */
static int picture_height(const struct report_input *input)
{
    int height = 260 + (int)input->row_count * 24;
    if (input->row_count > 40) height = 420 + (int)input->row_count * 4;
    if (height < 500) height = 500;
    return height > 1600 ? 1600 : height;
}

bool report_draw(const struct report *report, const struct report_input *input,
                 enum picture_format format, const char *directory, const char *stem, char **error)
{
    struct text data = {0};
    if (!report->write(input, &data, error)) {
        text_free(&data);
        return false;
    }
    struct text template = {0};
    text_format(&template, "%s.gp", report->name);
    int height = report == &report_group_lag ? 760 : picture_height(input);
    bool done = gnuplot_draw(text_data(&template), text_data(&data), height, format, directory,
                             stem, error);
    text_free(&template);
    text_free(&data);
    return done;
}
