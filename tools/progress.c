#include "tools/progress.h"

#include "tools/terminal.h"
#include "tools/text.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR_WIDTH        10
#define REFRESH_SECONDS  0.1
#define FIRST_AT_SECONDS 0.3 /* what is quicker needs no bar */

double wall_clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_begin(struct progress *progress, bool wanted)
{
    progress->is_live = wanted && terminal_is_live(stderr);
    progress->started_at = wall_clock_seconds();
    progress->shown_at = progress->started_at + FIRST_AT_SECONDS - REFRESH_SECONDS;
}

bool progress_is_due(struct progress *progress)
{
    return progress->is_live && wall_clock_seconds() - progress->shown_at >= REFRESH_SECONDS;
}

static size_t terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

/* Bytes of the first `columns` characters (UTF-8). */
static size_t fitting_length(const char *text, size_t columns)
{
    size_t length = 0;
    while (text[length] != '\0') {
        bool begins_character = ((unsigned char)text[length] & 0xc0) != 0x80;
        if (begins_character && columns-- == 0) break;
        length++;
    }
    return length;
}

void progress_show(struct progress *progress, int done_permille, const char *text)
{
    if (!progress->is_live) return;
    progress->shown_at = wall_clock_seconds();
    struct text line = {0};
    int filled = done_permille * BAR_WIDTH / 1000;
    text_append(&line, "[");
    text_append_repeated(&line, '#', (size_t)filled);
    text_append_repeated(&line, '.', (size_t)(BAR_WIDTH - filled));
    text_format(&line, "] %3d %%  %s", done_permille / 10, text);
    size_t length = fitting_length(text_data(&line), terminal_columns() - 1);
    fprintf(stderr, "\r%.*s\033[K", (int)length, text_data(&line));
    fflush(stderr);
    text_free(&line);
}

void progress_end(struct progress *progress)
{
    if (progress->is_live) fputs("\r\033[K", stderr);
    progress->is_live = false;
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    if (interrupted) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
    interrupted = 1;
}

void interrupts_catch(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction before;
        sigaction(signals[i], NULL, &before);
        /* nohup and shells in the background ignore some on purpose. */
        if (before.sa_handler != SIG_IGN) sigaction(signals[i], &action, NULL);
    }
    /* A file that grows beyond a limit is an error of write(), to be told like a full disk. */
    signal(SIGXFSZ, SIG_IGN);
}

bool interrupts_pending(void)
{
    return interrupted != 0;
}
