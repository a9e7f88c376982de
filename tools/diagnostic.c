/* tools/diagnostic.c: every mistake in an input, told in one go. */
#include "tools/diagnostic.h"

#include "sim/check.h"
#include "tools/terminal.h"
#include "tools/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PRINTED_MAX    100
#define LINE_SHOWN_MAX 160 /* characters of a source line that are shown */

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

struct source {
    char *name;
    char *text; /* NULL = nothing to show */
    size_t length;
};

/* A hint or note below a diagnostic. */
struct remark {
    bool is_note;
    struct position at;
    char *text;
};

struct diagnostic {
    enum severity severity;
    struct position at;
    size_t number; /* in the order reported: the last tie-break of the sort */
    char *text;
    struct remark *remarks;
    size_t remark_count;
};

struct diagnostics {
    struct source *sources; /* [0] is nowhere */
    size_t source_count;
    struct diagnostic *items;
    size_t count;
    size_t capacity;
    size_t error_count;
};

struct diagnostics *diagnostics_new(void)
{
    struct diagnostics *diagnostics = tool_allocate(sizeof *diagnostics);
    diagnostics_add_source(diagnostics, "cohort", NULL, 0);
    return diagnostics;
}

void diagnostics_free(struct diagnostics *diagnostics)
{
    if (diagnostics == NULL) return;
    for (size_t i = 0; i < diagnostics->source_count; i++) {
        free(diagnostics->sources[i].name);
        free(diagnostics->sources[i].text);
    }
    for (size_t i = 0; i < diagnostics->count; i++) {
        struct diagnostic *item = &diagnostics->items[i];
        for (size_t r = 0; r < item->remark_count; r++)
            free(item->remarks[r].text);
        free(item->remarks);
        free(item->text);
    }
    free(diagnostics->sources);
    free(diagnostics->items);
    free(diagnostics);
}

int32_t diagnostics_add_source(struct diagnostics *diagnostics, const char *name, const char *text,
                               size_t length)
{
    size_t count = diagnostics->source_count;
    diagnostics->sources =
        tool_resize(diagnostics->sources, (count + 1) * sizeof *diagnostics->sources);
    struct source *source = &diagnostics->sources[count];
    *source = (struct source){.name = tool_copy(name), .length = length};
    if (text != NULL) {
        source->text = tool_allocate(length + 1);
        memcpy(source->text, text, length);
    }
    diagnostics->source_count = count + 1;
    return (int32_t)count;
}

const char *diagnostics_source_name(const struct diagnostics *diagnostics, int32_t source)
{
    CHECK(source >= 0 && (size_t)source < diagnostics->source_count);
    return diagnostics->sources[source].name;
}

static void add(struct diagnostics *diagnostics, enum severity severity, struct position at,
                const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

static void add(struct diagnostics *diagnostics, enum severity severity, struct position at,
                const char *format, va_list arguments)
{
    struct text text = {0};
    text_format_list(&text, format, arguments);
    if (diagnostics->count == diagnostics->capacity) {
        diagnostics->capacity = diagnostics->capacity == 0 ? 16 : diagnostics->capacity * 2;
        diagnostics->items =
            tool_resize(diagnostics->items, diagnostics->capacity * sizeof *diagnostics->items);
    }
    diagnostics->items[diagnostics->count] = (struct diagnostic){.severity = severity,
                                                                 .at = at,
                                                                 .number = diagnostics->count,
                                                                 .text = text.data};
    diagnostics->count++;
    if (severity == SEVERITY_ERROR) diagnostics->error_count++;
}

void diagnostic_error(struct diagnostics *diagnostics, struct position at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(diagnostics, SEVERITY_ERROR, at, format, arguments);
    va_end(arguments);
}

void diagnostic_warning(struct diagnostics *diagnostics, struct position at, const char *format,
                        ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(diagnostics, SEVERITY_WARNING, at, format, arguments);
    va_end(arguments);
}

static void remark(struct diagnostics *diagnostics, const struct remark *remark)
{
    CHECK(diagnostics->count > 0);
    struct diagnostic *item = &diagnostics->items[diagnostics->count - 1];
    item->remarks = tool_resize(item->remarks, (item->remark_count + 1) * sizeof *item->remarks);
    item->remarks[item->remark_count++] = *remark;
}

void diagnostic_hint(struct diagnostics *diagnostics, const char *format, ...)
{
    struct text text = {0};
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    remark(diagnostics, &(struct remark){.is_note = false, .text = text.data});
}

void diagnostic_note(struct diagnostics *diagnostics, struct position at, const char *format, ...)
{
    struct text text = {0};
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    remark(diagnostics, &(struct remark){.is_note = true, .at = at, .text = text.data});
}

size_t diagnostics_errors(const struct diagnostics *diagnostics)
{
    return diagnostics->error_count;
}

size_t diagnostics_warnings(const struct diagnostics *diagnostics)
{
    return diagnostics->count - diagnostics->error_count;
}

static int by_position(const void *left, const void *right)
{
    const struct diagnostic *a = left;
    const struct diagnostic *b = right;
    if (a->at.source != b->at.source) return a->at.source < b->at.source ? -1 : 1;
    if (a->at.line != b->at.line) return a->at.line < b->at.line ? -1 : 1;
    if (a->at.column != b->at.column) return a->at.column < b->at.column ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

/* The bytes of line `number`, without its end. False when the source has no such line. */
static bool find_line(const struct source *source, int32_t number, const char **line,
                      size_t *length)
{
    if (source->text == NULL || number < 1) return false;
    const char *at = source->text;
    const char *end = source->text + source->length;
    for (int32_t i = 1; i < number; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL) return false;
        at = newline + 1;
    }
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    *line = at;
    *length = (size_t)((newline == NULL ? end : newline) - at);
    if (*length > 0 && at[*length - 1] == '\r') (*length)--;
    return true;
}

/* Bytes of the UTF-8 character at `at`; 0 when it is not one. */
static size_t character_length(const char *at, size_t left)
{
    unsigned char lead = (unsigned char)at[0];
    size_t length = lead < 0x80                   ? 1
                    : lead >= 0xc2 && lead < 0xe0 ? 2
                    : (lead & 0xf0) == 0xe0       ? 3
                    : lead >= 0xf0 && lead < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || length > left) return 0;
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80) return 0;
    }
    return length;
}

/* The line as it can be shown: what a terminal would act upon becomes '?', a tab a space. Starts at
 * character `first` (from 0). Returns how many characters were appended. */
static size_t show_line(struct text *text, const char *line, size_t length, size_t first)
{
    size_t character = 0;
    size_t shown = 0;
    for (size_t i = 0; i < length && shown < LINE_SHOWN_MAX; character++) {
        size_t bytes = character_length(line + i, length - i);
        if (character >= first) {
            unsigned char byte = (unsigned char)line[i];
            bool is_c1 = bytes == 2 && byte == 0xc2 && (unsigned char)line[i + 1] < 0xa0;
            if (byte == '\t') {
                text_append(text, " ");
            } else if (bytes == 0 || byte < 0x20 || byte == 0x7f || is_c1) {
                text_append(text, "?");
            } else {
                text_append_bytes(text, line + i, bytes);
            }
            shown++;
        }
        i += bytes == 0 ? 1 : bytes;
    }
    return shown;
}

/* The source line and the caret under it, as in the header's example. */
static void print_excerpt(const struct diagnostics *diagnostics, FILE *stream, struct position at,
                          const char *color)
{
    const char *line;
    size_t length;
    if (!find_line(&diagnostics->sources[at.source], at.line, &line, &length)) return;

    /* A long line is shown from a little before the place. */
    size_t column = at.column < 1 ? 0 : (size_t)at.column - 1;
    size_t first = column + 40 < LINE_SHOWN_MAX ? 0 : column - 40;
    struct text shown = {0};
    size_t characters = show_line(&shown, line, length, first);
    size_t caret = column - first < characters ? column - first : characters;
    size_t width = at.width < 1 ? 1 : (size_t)at.width;
    if (caret + width > characters) width = caret < characters ? characters - caret : 1;

    struct text pointer = {0};
    text_append_repeated(&pointer, ' ', caret);
    text_append(&pointer, "^");
    text_append_repeated(&pointer, '~', width - 1);
    fprintf(stream, "%5" PRId32 " | %s\n      | %s%s%s\n", at.line, text_data(&shown),
            terminal_color(stream, color), text_data(&pointer),
            terminal_color(stream, COLOR_RESET));
    text_free(&shown);
    text_free(&pointer);
}

/* Names and messages quote the input, which may hold anything: print them on one line, harmless. */
static void print_safely(FILE *stream, const char *string)
{
    struct text safe = {0};
    size_t length = strlen(string);
    for (size_t first = 0;; first += LINE_SHOWN_MAX) {
        if (show_line(&safe, string, length, first) < LINE_SHOWN_MAX) break;
    }
    fputs(text_data(&safe), stream);
    text_free(&safe);
}

static void print_place(const struct diagnostics *diagnostics, FILE *stream, struct position at)
{
    const char *bold = terminal_color(stream, COLOR_BOLD);
    fputs(bold, stream);
    print_safely(stream, diagnostics->sources[at.source].name);
    if (at.line > 0) fprintf(stream, ":%" PRId32 ":%" PRId32, at.line, at.column);
    fputs(":", stream);
    fputs(terminal_color(stream, COLOR_RESET), stream);
}

static void print_message(const struct diagnostics *diagnostics, FILE *stream,
                          enum severity severity, struct position at, const char *text)
{
    static const struct {
        const char *word;
        const char *color;
    } looks[] = {
        [SEVERITY_ERROR] = {"error", COLOR_RED},
        [SEVERITY_WARNING] = {"warning", COLOR_YELLOW},
        [SEVERITY_NOTE] = {"note", COLOR_CYAN},
    };
    print_place(diagnostics, stream, at);
    fprintf(stream, " %s%s:%s ", terminal_color(stream, looks[severity].color),
            looks[severity].word, terminal_color(stream, COLOR_RESET));
    print_safely(stream, text);
    fputs("\n", stream);
    print_excerpt(diagnostics, stream, at, looks[severity].color);
}

void diagnostics_print(struct diagnostics *diagnostics, FILE *stream)
{
    if (diagnostics->count == 0) return;
    qsort(diagnostics->items, diagnostics->count, sizeof *diagnostics->items, by_position);
    for (size_t i = 0; i < diagnostics->count && i < PRINTED_MAX; i++) {
        const struct diagnostic *item = &diagnostics->items[i];
        print_message(diagnostics, stream, item->severity, item->at, item->text);
        for (size_t r = 0; r < item->remark_count; r++) {
            const struct remark *below = &item->remarks[r];
            if (below->is_note) {
                print_message(diagnostics, stream, SEVERITY_NOTE, below->at, below->text);
            } else {
                fputs("      = ", stream);
                print_safely(stream, below->text);
                fputs("\n", stream);
            }
        }
    }
    if (diagnostics->count > PRINTED_MAX)
        fprintf(stream, "… and %zu more\n", diagnostics->count - PRINTED_MAX);
    if (diagnostics->error_count > 0)
        fprintf(stream, "%zu error%s\n", diagnostics->error_count,
                diagnostics->error_count == 1 ? "" : "s");
}

static unsigned lower(char byte)
{
    unsigned value = (unsigned char)byte;
    return value >= 'A' && value <= 'Z' ? value + ('a' - 'A') : value;
}

#define NAME_COMPARED_MAX 80

/* Typing distance in half steps: 2 for a letter added, dropped or changed or two swapped, 1 for a
 * change of case (and for '-', '_' and '.', which people mix up). */
static unsigned typing_distance(const char *a, const char *b)
{
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    if (a_length > NAME_COMPARED_MAX || b_length > NAME_COMPARED_MAX) return UINT32_MAX;
    unsigned rows[3][NAME_COMPARED_MAX + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)(2 * j);
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *before = rows[(i - 1) % 3];
        row[0] = (unsigned)(2 * i);
        for (size_t j = 1; j <= b_length; j++) {
            bool alike = lower(a[i - 1]) == lower(b[j - 1]) ||
                         (strchr("-_.", a[i - 1]) != NULL && strchr("-_.", b[j - 1]) != NULL);
            unsigned change = a[i - 1] == b[j - 1] ? 0 : alike ? 1 : 2;
            unsigned best = before[j - 1] + change;
            if (before[j] + 2 < best) best = before[j] + 2;
            if (row[j - 1] + 2 < best) best = row[j - 1] + 2;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                unsigned swapped = rows[(i - 2) % 3][j - 2] + 2;
                if (swapped < best) best = swapped;
            }
            row[j] = best;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *nearest_name(const char *word, const char *const *candidates, size_t count)
{
    const char *nearest = NULL;
    unsigned best = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = typing_distance(word, candidates[i]);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    /* A third of the letters may be wrong, and one in a short word. */
    size_t length = strlen(word);
    unsigned tolerated = (unsigned)(length < 3 ? 2 : 2 + 2 * (length / 3));
    return best <= tolerated ? nearest : NULL;
}
