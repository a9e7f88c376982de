/* tools/report_ownership.c: who owned what, a row per partition, as a Gantt chart.
 *
 * Up to sixteen members have a colour each. More cannot be told apart, so then the colour counts
 * how often a partition changed its owner. Boxes that are wide enough bear the member's number. */
#include "tools/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLORS           16
#define ROWS_WITH_LABELS 32
/* A box narrower than this part of the picture has no room for a number. */
#define LABEL_SHARE      40

struct member_list {
    int64_t *names; /* in the order of their texts */
    size_t count;
};

static struct member_list load_members(const struct report_input *input)
{
    struct member_list members = {0};
    sqlite3_stmt *statement = NULL;
    /* payments-2 before payments-10: by length first. */
    const char *sql = "select distinct member_id from intervals i join names n on n.id=i.member_id"
                      " where what='ownership' and group_id=?1 order by length(n.text), n.text";
    if (sqlite3_prepare_v2(store_database(input->reader), sql, -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, input->group);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            members.names = tool_resize(members.names, (members.count + 1) * sizeof *members.names);
            members.names[members.count++] = sqlite3_column_int64(statement, 0);
        }
    }
    sqlite3_finalize(statement);
    return members;
}

/* "payments-12" -> "12": short enough for a box. */
static const char *short_name(const struct report_input *input, int64_t member)
{
    const char *name = store_name(input->reader, member);
    size_t length = strlen(input->group_name);
    bool is_ours = strncmp(name, input->group_name, length) == 0 && name[length] == '-';
    return is_ours ? name + length + 1 : name;
}

/* Okabe and Ito's, told apart by nearly everybody, the palest first, for black labels; then each
 * once more, lighter or darker. */
static const char *const colors[] = {"#56b4e9", "#e69f00", "#009e73", "#f0e442",
                                     "#cc79a7", "#d55e00", "#999999", "#0072b2",
                                     "#c3e4f7", "#f8dca0", "#8fd9c2", "#9c8f10",
                                     "#efcfe0", "#f4b48c", "#cfd8a0", "#8fbfe0"};

/* What the colours mean: a palette of `color_count` and its labels. */
static void append_palette(const struct report_input *input, const struct member_list *members,
                           int64_t changes_max, struct text *gnuplot)
{
    bool by_member = members->count <= COLORS;
    int64_t color_count = by_member ? (int64_t)members->count : changes_max + 1;
    if (color_count > COLORS) color_count = COLORS;
    text_format(gnuplot, "color_count = %" PRId64 "\ncolor_label = '%s'\nset cbtics scale 0 (",
                color_count, by_member ? "owner" : "changes of owner so far");
    for (int64_t i = 0; i < color_count; i++) {
        if (i > 0) text_append(gnuplot, ", ");
        if (by_member) {
            report_quote(gnuplot, short_name(input, members->names[i]));
        } else if (changes_max < COLORS) {
            text_format(gnuplot, "'%" PRId64 "'", i);
        } else if (i + COLORS > changes_max) {
            text_format(gnuplot, "'%" PRId64 "'", i);
        } else {
            text_format(gnuplot, "'%" PRId64 ", %" PRId64 "%s'", i, i + COLORS,
                        i + 2 * COLORS <= changes_max ? " …" : "");
        }
        text_format(gnuplot, " %" PRId64, i);
    }
    text_append(gnuplot, ")\nset palette defined (");
    /* Each colour twice: steps, not a gradient. */
    for (int64_t i = 0; i < color_count; i++) {
        text_format(gnuplot, "%s%" PRId64 " '%s', %" PRId64 " '%s'", i > 0 ? ", " : "", i,
                    colors[i], i + 1, colors[i]);
    }
    text_append(gnuplot, ")\n");
}

struct rows {
    int64_t *owner;   /* the last one, 0 = none yet; shape [row_count] */
    int64_t *changes; /* of owner so far */
    int64_t changes_max;
};

static size_t member_index(const struct member_list *members, int64_t member)
{
    for (size_t i = 0; i < members->count; i++) {
        if (members->names[i] == member) return i;
    }
    return 0;
}

/* Of a data block: quotes and line breaks would end it. */
static void append_label(struct text *labels, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        bool is_plain = (unsigned char)*c >= ' ' && *c != '"' && *c != '\\';
        text_append_bytes(labels, is_plain ? c : "?", 1);
    }
}

/* A box per interval: begin, end, row, colour. */
static void append_boxes(const struct report_input *input, const struct member_list *members,
                         struct rows *rows, struct text *boxes, struct text *labels)
{
    sqlite3_stmt *statement = NULL;
    const char *sql = "select partition_id, member_id, begin_ns, end_ns from intervals"
                      " where what='ownership' and group_id=?1 order by begin_ns, end_ns";
    if (sqlite3_prepare_v2(store_database(input->reader), sql, -1, &statement, NULL) != SQLITE_OK) {
        return;
    }
    sqlite3_bind_int64(statement, 1, input->group);
    bool by_member = members->count <= COLORS;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        int row = report_row(input, sqlite3_column_int64(statement, 0));
        int64_t member = sqlite3_column_int64(statement, 1);
        sim_time begin_at = sqlite3_column_int64(statement, 2);
        sim_time end_at = sqlite3_column_int64(statement, 3);
        if (row < 0) continue;
        if (rows->owner[row] != 0 && rows->owner[row] != member) rows->changes[row]++;
        rows->owner[row] = member;
        int64_t changes = rows->changes[row];
        if (changes > rows->changes_max) rows->changes_max = changes;
        report_seconds(boxes, begin_at);
        text_append(boxes, " ");
        report_seconds(boxes, end_at);
        text_format(boxes, " %d %" PRId64 "\n", row,
                    by_member ? (int64_t)member_index(members, member) : changes % COLORS);
        if (input->row_count > ROWS_WITH_LABELS ||
            end_at - begin_at < input->duration_ns / LABEL_SHARE) {
            continue;
        }
        report_seconds(labels, begin_at + (end_at - begin_at) / 2);
        text_format(labels, " %d \"", row);
        append_label(labels, short_name(input, member));
        text_append(labels, "\"\n");
    }
    sqlite3_finalize(statement);
}

static bool write_report(const struct report_input *input, struct text *gnuplot, char **error)
{
    struct member_list members = load_members(input);
    if (members.count == 0) {
        *error = tool_copy("nobody owned a partition in this run");
        return false;
    }
    struct rows rows = {
        .owner = tool_allocate(input->row_count * sizeof *rows.owner),
        .changes = tool_allocate(input->row_count * sizeof *rows.changes),
    };
    struct text boxes = {0};
    struct text labels = {0};
    append_boxes(input, &members, &rows, &boxes, &labels);

    report_common(input, "who owned what", gnuplot);
    report_row_names(input, gnuplot);
    append_palette(input, &members, rows.changes_max, gnuplot);
    report_rebalances(input, gnuplot);
    text_append(gnuplot, "$rows << END\n");
    for (size_t row = 0; row < input->row_count; row++)
        text_format(gnuplot, "%zu\n", row);
    text_append(gnuplot, "END\n# begin and end in seconds, row, colour\n$owned << END\n");
    text_append(gnuplot, text_data(&boxes));
    text_append(gnuplot, "END\n# the middle of a box, its row, the number of its owner\n"
                         "$labels << END\n");
    /* gnuplot refuses an empty block; this one is outside the picture. */
    text_append(gnuplot, labels.length > 0 ? text_data(&labels) : "-1 -10 \" \"\n");
    text_append(gnuplot, "END\n");
    text_free(&boxes);
    text_free(&labels);
    free(rows.owner);
    free(rows.changes);
    free(members.names);
    return true;
}

const struct report report_ownership = {
    .name = "ownership",
    .summary = "who owned what, a row per partition, with rebalances and unowned gaps",
    .write = write_report,
};
