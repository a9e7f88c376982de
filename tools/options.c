/* tools/options.c: commands, and the options people type after them. */
#include "tools/options.h"

#include "sim/check.h"
#include "tools/diagnostic.h"
#include "tools/terminal.h"
#include "tools/text.h"

#include <stdlib.h>
#include <string.h>

struct common_values {
    bool help;
    const char *color;
};

static const struct option common_options[] = {
    {"color", 0, OPTION_CHOICE, "auto|always|never", offsetof(struct common_values, color),
     "colour on terminals only (auto, the default), always or never"},
    {"help", 'h', OPTION_FLAG, NULL, offsetof(struct common_values, help), "this page"},
};

/* One parse: the command's options fill `values`, the common ones `common`. */
struct parse {
    const struct command *command;
    char *values;
    struct common_values common;
    struct arguments arguments;
    struct diagnostics *diagnostics;
};

static void usage_error(struct parse *parse, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void usage_error(struct parse *parse, const char *format, ...)
{
    struct text text = {0};
    va_list arguments;
    va_start(arguments, format);
    text_format_list(&text, format, arguments);
    va_end(arguments);
    diagnostic_error(parse->diagnostics, (struct position){0}, "%s", text_data(&text));
    text_free(&text);
}

static const struct option *option_at(struct parse *parse, size_t index, char **base)
{
    size_t own = parse->command->option_count;
    if (index < own) {
        *base = parse->values;
        return &parse->command->options[index];
    }
    if (index - own >= ARRAY_LEN(common_options)) return NULL;
    *base = (char *)&parse->common;
    return &common_options[index - own];
}

static const struct option *find_by_name(struct parse *parse, const char *name, size_t length,
                                         char **base)
{
    const struct option *option;
    for (size_t i = 0; (option = option_at(parse, i, base)) != NULL; i++) {
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0)
            return option;
    }
    return NULL;
}

static const struct option *find_by_letter(struct parse *parse, char letter, char **base)
{
    const struct option *option;
    for (size_t i = 0; (option = option_at(parse, i, base)) != NULL; i++) {
        if (option->letter == letter) return option;
    }
    return NULL;
}

static bool is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = choices; length > 0; at++) {
        size_t span = strcspn(at, "|");
        if (span == length && memcmp(at, word, length) == 0) return true;
        at += span;
        if (*at == '\0') break;
    }
    return false;
}

static bool parse_integer(const char *text, int64_t *value)
{
    int64_t sum = 0;
    if (*text == '\0') return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return false;
        if (sum > (INT64_MAX - 9) / 10) return false;
        sum = sum * 10 + (*text - '0');
    }
    *value = sum;
    return true;
}

static void append(const char ***values, size_t *count, const char *value)
{
    *values = tool_resize(*values, (*count + 1) * sizeof **values);
    (*values)[(*count)++] = value;
}

static void store(struct parse *parse, const struct option *option, char *base, const char *value)
{
    void *field = base + option->offset;
    switch (option->type) {
    case OPTION_FLAG: *(bool *)field = true; break;
    case OPTION_TEXT: *(const char **)field = value; break;
    case OPTION_LIST: {
        struct option_list *list = field;
        append(&list->values, &list->count, value);
        break;
    }
    case OPTION_INTEGER:
        if (!parse_integer(value, field))
            usage_error(parse, "--%s %s: expected a whole number", option->name, value);
        break;
    case OPTION_CHOICE:
        if (is_choice(option->value, value)) {
            *(const char **)field = value;
        } else {
            usage_error(parse, "--%s %s: expected one of %s", option->name, value, option->value);
        }
        break;
    }
}

/* The value of an option: behind '=', or the next argument. NULL and an error when there is none.
 */
static const char *take_value(struct parse *parse, const struct option *option,
                              const char *attached, int argc, char **argv, int *at)
{
    if (attached != NULL) return attached;
    if (*at + 1 < argc) return argv[++*at];
    usage_error(parse, "--%s needs a value: --%s %s", option->name, option->name, option->value);
    return NULL;
}

static void unknown_option(struct parse *parse, const char *name, size_t length)
{
    struct text word = {0};
    text_append_bytes(&word, name, length);
    usage_error(parse, "unknown option --%s", text_data(&word));
    const char *names[64];
    size_t count = 0;
    char *base;
    const struct option *option;
    for (size_t i = 0; (option = option_at(parse, i, &base)) != NULL && count < 64; i++)
        names[count++] = option->name;
    const char *nearest = nearest_name(text_data(&word), names, count);
    if (nearest != NULL) diagnostic_hint(parse->diagnostics, "did you mean --%s?", nearest);
    text_free(&word);
}

static void parse_long(struct parse *parse, int argc, char **argv, int *at)
{
    const char *name = argv[*at] + 2;
    size_t length = strcspn(name, "=");
    const char *attached = name[length] == '=' ? name + length + 1 : NULL;
    char *base;
    const struct option *option = find_by_name(parse, name, length, &base);
    if (option == NULL) {
        unknown_option(parse, name, length);
        return;
    }
    if (option->type == OPTION_FLAG) {
        if (attached != NULL) usage_error(parse, "--%s takes no value", option->name);
        store(parse, option, base, NULL);
        return;
    }
    const char *value = take_value(parse, option, attached, argc, argv, at);
    if (value != NULL) store(parse, option, base, value);
}

/* "-ab" is "-a -b" as long as flags come; the rest of the word is the value of the last. */
static void parse_letters(struct parse *parse, int argc, char **argv, int *at)
{
    for (const char *letter = argv[*at] + 1; *letter != '\0'; letter++) {
        char *base;
        const struct option *option = find_by_letter(parse, *letter, &base);
        if (option == NULL) {
            usage_error(parse, "unknown option -%c", *letter);
            return;
        }
        if (option->type == OPTION_FLAG) {
            store(parse, option, base, NULL);
            continue;
        }
        const char *attached = letter[1] == '\0' ? NULL : letter + 1;
        const char *value = take_value(parse, option, attached, argc, argv, at);
        if (value != NULL) store(parse, option, base, value);
        return;
    }
}

static void parse_all(struct parse *parse, int argc, char **argv)
{
    bool options_ended = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (options_ended || word[0] != '-' || word[1] == '\0') {
            append(&parse->arguments.values, &parse->arguments.count, word);
        } else if (strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (word[1] == '-') {
            parse_long(parse, argc, argv, &i);
        } else {
            parse_letters(parse, argc, argv, &i);
        }
    }
}

static void check_argument_count(struct parse *parse)
{
    const struct command *command = parse->command;
    size_t count = parse->arguments.count;
    if (count < command->argument_min) {
        usage_error(parse, "%s: %s is missing", command->name, command->arguments);
    } else if (count > command->argument_max) {
        usage_error(parse, "%s: unexpected argument %s", command->name,
                    parse->arguments.values[command->argument_max]);
    } else {
        return;
    }
    diagnostic_hint(parse->diagnostics, "usage: cohort %s [options]%s%s", command->name,
                    command->arguments == NULL ? "" : " ",
                    command->arguments == NULL ? "" : command->arguments);
}

static void release(struct parse *parse)
{
    for (size_t i = 0; i < parse->command->option_count; i++) {
        const struct option *option = &parse->command->options[i];
        if (option->type != OPTION_LIST) continue;
        void *field = parse->values + option->offset;
        free(((struct option_list *)field)->values);
    }
    free(parse->values);
    free(parse->arguments.values);
    diagnostics_free(parse->diagnostics);
}

int command_execute(const struct command *command, int argc, char **argv)
{
    struct parse parse = {.command = command,
                          .values = tool_allocate(command->values_size),
                          .common = {.color = "auto"},
                          .diagnostics = diagnostics_new()};
    if (command->defaults != NULL && command->values_size > 0)
        memcpy(parse.values, command->defaults, command->values_size);

    parse_all(&parse, argc, argv);
    const char *color = parse.common.color;
    terminal_set_color(strcmp(color, "always") == 0  ? COLOR_ALWAYS
                       : strcmp(color, "never") == 0 ? COLOR_NEVER
                                                     : COLOR_AUTO);
    int code = EXIT_FINE;
    if (parse.common.help) {
        command_print_help(command, stdout);
    } else {
        check_argument_count(&parse);
        if (diagnostics_errors(parse.diagnostics) > 0) {
            diagnostics_print(parse.diagnostics, stderr);
            fprintf(stderr, "see: cohort help %s\n", command->name);
            code = EXIT_BAD_INPUT;
        } else {
            code = command->run(parse.values, &parse.arguments);
        }
    }
    release(&parse);
    return code;
}

static void print_option(const struct option *option, FILE *stream)
{
    struct text left = {0};
    if (option->letter != 0) {
        text_format(&left, "-%c, ", option->letter);
    } else {
        text_append(&left, "    ");
    }
    text_format(&left, "--%s", option->name);
    if (option->value != NULL) text_format(&left, " %s", option->value);
    if (left.length > 26) {
        fprintf(stream, "  %s\n  %26s  %s\n", text_data(&left), "", option->help);
    } else {
        fprintf(stream, "  %-26s  %s\n", text_data(&left), option->help);
    }
    text_free(&left);
}

void command_print_help(const struct command *command, FILE *stream)
{
    fprintf(stream, "cohort %s: %s\n\nusage: cohort %s [options]%s%s\n\n", command->name,
            command->summary, command->name, command->arguments == NULL ? "" : " ",
            command->arguments == NULL ? "" : command->arguments);
    fputs("options:\n", stream);
    for (size_t i = 0; i < command->option_count; i++)
        print_option(&command->options[i], stream);
    for (size_t i = 0; i < ARRAY_LEN(common_options); i++)
        print_option(&common_options[i], stream);
    if (command->details != NULL) fprintf(stream, "\n%s\n", command->details);
    fprintf(stream, "\nexample:\n  %s\n", command->example);
}
