#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "tools/comparison.h"

#include "sim/check.h"
#include "tools/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xxhash.h>

const struct metric_info comparison_metrics[COMPARISON_METRIC_COUNT] = {
#define X(key, unit, label, before, less, more) {#key, METRIC_##unit, label, before, less, more},
    COMPARISON_METRICS(X)
#undef X
};

/* The value that begins at `text`: up to a comma outside brackets and quotes. */
static size_t value_length(const char *text)
{
    int depth = 0;
    char quote = '\0';
    size_t length = 0;
    for (; text[length] != '\0'; length++) {
        char c = text[length];
        if (quote != '\0') {
            if (c == quote) quote = '\0';
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (c == ',' && depth <= 0) {
            break;
        }
    }
    return length;
}

static char *copy_bytes(const char *bytes, size_t length)
{
    char *copy = tool_allocate(length + 1);
    memcpy(copy, bytes, length);
    return copy;
}

static bool split_vary(struct comparison *comparison, const char *vary,
                       struct diagnostics *diagnostics)
{
    const char *equals = strchr(vary, '=');
    if (equals == NULL || equals == vary) {
        diagnostic_error(diagnostics, (struct position){0},
                         "--vary: %s: expected PATH=VALUE,VALUE,…", vary);
        return false;
    }
    comparison->vary = copy_bytes(vary, (size_t)(equals - vary));
    for (const char *at = equals + 1;; at++) {
        size_t length = value_length(at);
        if (length == 0) {
            diagnostic_error(diagnostics, (struct position){0}, "--vary: %s: a value is empty",
                             vary);
            return false;
        }
        comparison->arms =
            tool_resize(comparison->arms, (comparison->arm_count + 1) * sizeof *comparison->arms);
        comparison->arms[comparison->arm_count++] = copy_bytes(at, length);
        at += length;
        if (*at == '\0') break;
    }
    if (comparison->arm_count >= 2) return true;
    diagnostic_error(diagnostics, (struct position){0}, "--vary: %s: one value is no comparison",
                     vary);
    return false;
}

static bool load_arm(struct comparison *comparison, size_t arm,
                     const struct scenario_overrides *overrides, struct diagnostics *diagnostics)
{
    struct text set = {0};
    text_format(&set, "%s=%s", comparison->vary, comparison->arms[arm]);
    const char **sets = tool_allocate((overrides->set_count + 1) * sizeof *sets);
    for (size_t i = 0; i < overrides->set_count; i++)
        sets[i] = overrides->sets[i];
    sets[overrides->set_count] = text_data(&set);
    const struct scenario_overrides all = {.sets = sets,
                                           .set_count = overrides->set_count + 1,
                                           .seed = overrides->seed};
    bool loaded = scenario_load(comparison->path, &all, &comparison->documents[arm], diagnostics);
    free(sets);
    text_free(&set);
    return loaded;
}

/* Arms must show the same groups, over the same time, or their figures cannot be set side by
 * side. */
static bool arms_match(const struct comparison *comparison, struct diagnostics *diagnostics)
{
    for (size_t arm = 1; arm < comparison->arm_count; arm++) {
        const struct scenario *other = scenario_document_scenario(comparison->documents[arm]);
        bool same = other->group_count == comparison->scenario->group_count &&
                    other->duration_ns == comparison->scenario->duration_ns;
        for (int32_t g = 0; same && g < other->group_count; g++) {
            same = strcmp(other->groups[g].name, comparison->scenario->groups[g].name) == 0;
        }
        if (same) continue;
        diagnostic_error(diagnostics, (struct position){0},
                         "--vary: %s=%s has other groups or another duration than %s",
                         comparison->vary, comparison->arms[arm], comparison->arms[0]);
        return false;
    }
    return true;
}

/* Of what was resolved, seed and all: what may be put together with earlier runs. */
static uint64_t identity_of(const struct comparison *comparison)
{
    struct text text = {0};
    text_append(&text, comparison->vary);
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        text_format(&text, "\n%s\n", comparison->arms[arm]);
        scenario_document_write(comparison->documents[arm], &text);
    }
    uint64_t identity = XXH64(text.data, text.length, 0);
    text_free(&text);
    return identity;
}

static void *allocate_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

static size_t cells_size(const struct comparison *comparison)
{
    return comparison->arm_count * comparison->runs * sizeof(struct cell);
}

static size_t results_size(const struct comparison *comparison)
{
    return comparison->arm_count * comparison->runs * (comparison->group_count + 1) *
           sizeof(struct group_result);
}

struct comparison *comparison_new(const char *path, const struct scenario_overrides *overrides,
                                  const char *vary, size_t runs, struct diagnostics *diagnostics)
{
    struct comparison *comparison = tool_allocate(sizeof *comparison);
    comparison->path = path;
    comparison->runs = runs;
    bool good = split_vary(comparison, vary, diagnostics);
    if (good) {
        comparison->documents =
            tool_allocate(comparison->arm_count * sizeof(*comparison->documents));
    }
    for (size_t arm = 0; good && arm < comparison->arm_count; arm++) {
        good = load_arm(comparison, arm, overrides, diagnostics);
    }
    if (good) {
        comparison->scenario = scenario_document_scenario(comparison->documents[0]);
        comparison->group_count = (size_t)comparison->scenario->group_count;
        comparison->first_seed = comparison->scenario->seed;
        good = arms_match(comparison, diagnostics);
    }
    if (!good) {
        comparison_free(comparison);
        return NULL;
    }
    comparison->identity = identity_of(comparison);
    comparison->cells = allocate_shared(cells_size(comparison));
    comparison->results = allocate_shared(results_size(comparison));
    comparison->earlier_lag = tool_allocate(comparison->arm_count * (comparison->group_count + 1) *
                                            COMPARISON_POINTS * sizeof(int64_t));
    return comparison;
}

void comparison_free(struct comparison *comparison)
{
    if (comparison->cells != NULL) munmap(comparison->cells, cells_size(comparison));
    if (comparison->results != NULL) munmap(comparison->results, results_size(comparison));
    for (size_t arm = 0; arm < comparison->arm_count; arm++) {
        if (comparison->documents != NULL) scenario_document_free(comparison->documents[arm]);
        free(comparison->arms[arm]);
    }
    free(comparison->documents);
    free(comparison->arms);
    free(comparison->vary);
    free(comparison->earlier_lag);
    free(comparison);
}

struct cell *comparison_cell(const struct comparison *comparison, size_t arm, size_t run)
{
    return &comparison->cells[arm * comparison->runs + run];
}

struct group_result *comparison_result(const struct comparison *comparison, size_t arm, size_t run,
                                       size_t group)
{
    size_t cell = arm * comparison->runs + run;
    return &comparison->results[cell * (comparison->group_count + 1) + group];
}

bool comparison_is_paired(const struct comparison *comparison, size_t arm)
{
    for (size_t run = 0; run < comparison->runs; run++) {
        if (comparison_cell(comparison, 0, run)->fingerprints[0] !=
            comparison_cell(comparison, arm, run)->fingerprints[0]) {
            return false;
        }
    }
    return true;
}

struct paired comparison_compare(const struct comparison *comparison, size_t arm, size_t group,
                                 enum comparison_metric metric)
{
    int64_t *a = tool_allocate((comparison->runs + 1) * sizeof *a);
    int64_t *b = tool_allocate((comparison->runs + 1) * sizeof *b);
    for (size_t run = 0; run < comparison->runs; run++) {
        a[run] = comparison_result(comparison, 0, run, group)->metrics[metric];
        b[run] = comparison_result(comparison, arm, run, group)->metrics[metric];
    }
    struct paired result = comparison_is_paired(comparison, arm)
                               ? paired_compare(a, b, comparison->runs)
                               : unpaired_compare(a, comparison->runs, b, comparison->runs);
    free(a);
    free(b);
    return result;
}

int64_t comparison_lag_sum(const struct comparison *comparison, size_t arm, size_t group,
                           size_t point)
{
    int64_t sum =
        comparison
            ->earlier_lag[(arm * comparison->group_count + group) * COMPARISON_POINTS + point];
    for (size_t run = 0; run < comparison->runs; run++) {
        if (comparison_cell(comparison, arm, run)->from_file) continue;
        sum += comparison_result(comparison, arm, run, group)->lag[point];
    }
    return sum;
}
