/* Every cell of the table of consumer-protocol-848-coordinator.md section 4. */
#include "model/coordinator/consumer_reconcile.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

/* Partitions are letters: a digit is one of topic 10, a lower case letter one of topic 20. */
static void read_set(struct partition_list *list, const char *text)
{
    list->count = 0;
    for (const char *c = text; *c != '\0'; c++) {
        bool digit = *c >= '0' && *c <= '9';
        partition_list_add(list,
                           digit ? partition_key_of(10, *c - '0') : partition_key_of(20, *c - 'a'));
    }
    partition_list_sort(list);
}

static void write_set(const struct partition_list *list, char *text)
{
    for (uint32_t i = 0; i < list->count; i++) {
        int32_t partition = partition_key_partition(list->items[i]);
        char base = partition_key_topic(list->items[i]) == 10 ? '0' : 'a';
        *text++ = (char)(base + partition);
    }
    *text = '\0';
}

#define STABLE     CONSUMER_MEMBER_STABLE
#define UNREVOKED  CONSUMER_MEMBER_UNREVOKED_PARTITIONS
#define UNRELEASED CONSUMER_MEMBER_UNRELEASED_PARTITIONS
#define UNKNOWN    CONSUMER_MEMBER_UNKNOWN
#define SAME       RECONCILE_UNCHANGED
#define CHANGED    RECONCILE_CHANGED
#define FENCED     RECONCILE_FENCED

struct row {
    const char *what;
    enum consumer_member_state state;
    int32_t epoch, previous;
    const char *assigned, *revoking;
    int32_t target_epoch;
    const char *target;
    const char *owned; /* NULL = not reported */
    const char *held;  /* by others, beside what the member itself holds */
    enum reconcile_outcome outcome;
    enum consumer_member_state new_state;
    int32_t new_epoch, new_previous;
    const char *new_assigned, *new_revoking;
};

static const struct row rows[] = {
    {"there already", STABLE, 3, 2, "01", "", 3, "01", NULL, "", SAME, STABLE, 3, 2, "01", ""},
    {"there already: even the target is not looked at", STABLE, 3, 2, "01", "", 3, "0", "", "",
     SAME, STABLE, 3, 2, "01", ""},
    {"joins, all free", STABLE, 0, -1, "", "", 1, "012", "", "", CHANGED, STABLE, 1, 0, "012", ""},
    {"joins, nothing for it", STABLE, 0, -1, "", "", 1, "", "", "", CHANGED, STABLE, 1, 0, "", ""},
    {"joins, all held", STABLE, 0, -1, "", "", 4, "23", "", "23", CHANGED, UNRELEASED, 4, 0, "",
     ""},
    {"joins, some held", STABLE, 0, -1, "", "", 4, "123", "", "2", CHANGED, UNRELEASED, 4, 0, "13",
     ""},
    {"new epoch, same partitions", STABLE, 3, 3, "01", "", 4, "01", NULL, "", CHANGED, STABLE, 4, 3,
     "01", ""},
    {"new epoch, gets more", STABLE, 3, 3, "01", "", 4, "012a", NULL, "", CHANGED, STABLE, 4, 3,
     "012a", ""},
    {"must give up, says nothing", STABLE, 3, 3, "0123", "", 4, "01", NULL, "", CHANGED, UNREVOKED,
     3, 3, "01", "23"},
    {"must give up, owns one of them", STABLE, 3, 2, "0123", "", 4, "01", "2", "", CHANGED,
     UNREVOKED, 3, 3, "01", "23"},
    {"must give up, does not own them any more", STABLE, 3, 3, "0123", "", 4, "01", "01", "",
     CHANGED, STABLE, 4, 3, "01", ""},
    {"must give up, owns none, gets another at once", STABLE, 3, 3, "01", "", 4, "02", "0", "",
     CHANGED, STABLE, 4, 3, "02", ""},
    {"must give up before it gets anything", STABLE, 3, 3, "01", "", 4, "23", NULL, "", CHANGED,
     UNREVOKED, 3, 3, "", "01"},
    {"must give up in one topic, keeps the other", STABLE, 3, 3, "0ab", "", 4, "0a", NULL, "",
     CHANGED, UNREVOKED, 3, 3, "0a", "b"},
    {"revoking, says nothing", UNREVOKED, 3, 3, "01", "23", 4, "01", NULL, "", SAME, UNREVOKED, 3,
     3, "01", "23"},
    {"revoking, still owns one", UNREVOKED, 3, 3, "01", "23", 4, "01", "013", "", SAME, UNREVOKED,
     3, 3, "01", "23"},
    {"revoking, the target moved on meanwhile", UNREVOKED, 3, 3, "01", "23", 9, "", "0123", "",
     SAME, UNREVOKED, 3, 3, "01", "23"},
    {"revoked, done", UNREVOKED, 3, 3, "01", "23", 4, "01", "01", "", CHANGED, STABLE, 4, 3, "01",
     ""},
    {"revoked, owns nothing at all", UNREVOKED, 3, 3, "01", "23", 4, "01", "", "", CHANGED, STABLE,
     4, 3, "01", ""},
    {"revoked, gets what is free", UNREVOKED, 3, 3, "0", "1", 4, "0ab", "0", "b", CHANGED,
     UNRELEASED, 4, 3, "0a", ""},
    {"revoked, waits", UNREVOKED, 3, 3, "0", "1", 4, "02", "0", "2", CHANGED, UNRELEASED, 4, 3, "0",
     ""},
    {"revoked, its own pending partitions are still held", UNREVOKED, 3, 3, "0", "1", 4, "01", "0",
     "", CHANGED, UNRELEASED, 4, 3, "0", ""},
    {"revoked, the new target takes more: one epoch on", UNREVOKED, 3, 3, "01", "2", 6, "0", "01",
     "", CHANGED, UNREVOKED, 4, 3, "0", "1"},
    {"revoked, the new target takes more that it does not own", UNREVOKED, 3, 3, "01", "2", 6, "0",
     "0", "", CHANGED, STABLE, 6, 3, "0", ""},
    {"a returned static member has nothing pending but says nothing", UNREVOKED, 0, 0, "01", "", 4,
     "01", NULL, "", SAME, UNREVOKED, 0, 0, "01", ""},
    {"a returned static member owns nothing", UNREVOKED, 0, 0, "01", "", 4, "01", "", "", CHANGED,
     STABLE, 4, 0, "01", ""},
    {"waiting, nothing new; the previous epoch follows", UNRELEASED, 4, 3, "0", "", 4, "02", NULL,
     "2", CHANGED, UNRELEASED, 4, 4, "0", ""},
    {"waiting, nothing new at all", UNRELEASED, 4, 4, "0", "", 4, "02", NULL, "2", SAME, UNRELEASED,
     4, 4, "0", ""},
    {"waiting, all free now", UNRELEASED, 4, 4, "0", "", 4, "02", NULL, "", CHANGED, STABLE, 4, 4,
     "02", ""},
    {"waiting, some free now", UNRELEASED, 4, 4, "0", "", 4, "023", NULL, "3", CHANGED, UNRELEASED,
     4, 4, "02", ""},
    {"waiting, another target: must give up", UNRELEASED, 4, 4, "01", "", 5, "0", NULL, "", CHANGED,
     UNREVOKED, 4, 4, "0", "1"},
    {"waiting, another target without what it waited for", UNRELEASED, 4, 4, "0", "", 5, "0", NULL,
     "2", CHANGED, STABLE, 5, 4, "0", ""},
    {"a state from the future, silent", UNKNOWN, 4, 4, "0", "", 5, "0", NULL, "", FENCED, UNKNOWN,
     4, 4, "0", ""},
    {"a state from the future, owns something", UNKNOWN, 4, 4, "0", "", 5, "0", "0", "", FENCED,
     UNKNOWN, 4, 4, "0", ""},
    {"a state from the future, owns nothing", UNKNOWN, 4, 4, "01", "", 5, "0a", "", "", CHANGED,
     STABLE, 5, 4, "0a", ""},
};

static void walk_row(struct memory *memory, const struct row *row)
{
    struct partition_list assigned, revoking, target, owned, held;
    struct partition_list *lists[] = {&assigned, &revoking, &target, &owned, &held};
    const char *texts[] = {row->assigned, row->revoking, row->target,
                           row->owned == NULL ? "" : row->owned, row->held};
    for (int i = 0; i < 5; i++) {
        partition_list_init(lists[i], memory);
        read_set(lists[i], texts[i]);
    }
    struct partition_epochs epochs;
    partition_epochs_init(&epochs, memory);
    partition_epochs_add(&epochs, partition_list_view(&assigned), row->epoch);
    partition_epochs_add(&epochs, partition_list_view(&revoking), row->epoch);
    partition_epochs_add(&epochs, partition_list_view(&held), 77);

    const struct reconcile_input input = {
        .state = row->state,
        .epoch = row->epoch,
        .previous_epoch = row->previous,
        .assigned = partition_list_view(&assigned),
        .revoking = partition_list_view(&revoking),
        .target_epoch = row->target_epoch,
        .target = partition_list_view(&target),
        .owned_given = row->owned != NULL,
        .owned = partition_list_view(&owned),
        .epochs = &epochs,
    };
    struct reconcile_output output;
    reconcile_output_init(&output, memory);
    assert_int_equal(consumer_reconcile(&input, &output), row->outcome);
    assert_string_equal(consumer_member_state_name(output.state),
                        consumer_member_state_name(row->new_state));
    assert_int_equal(output.epoch, row->new_epoch);
    assert_int_equal(output.previous_epoch, row->new_previous);
    char text[64];
    write_set(&output.assigned, text);
    assert_string_equal(text, row->new_assigned);
    write_set(&output.revoking, text);
    assert_string_equal(text, row->new_revoking);

    reconcile_output_release(&output);
    partition_epochs_release(&epochs);
    for (int i = 0; i < 5; i++)
        partition_list_release(lists[i]);
}

static void every_cell(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("  %s\n", rows[i].what);
        walk_row(memory, &rows[i]);
    }
    memory_free_all(memory);
}

static void state_names_and_values(void **state)
{
    (void)state;
    assert_int_equal(consumer_member_state_of(1), UNREVOKED);
    assert_int_equal(consumer_member_state_of(5), UNKNOWN);
    assert_string_equal(consumer_member_state_name(consumer_member_state_of(2)),
                        "UNRELEASED_PARTITIONS");
}

static void epochs_remember_the_holder(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct partition_epochs epochs;
    partition_epochs_init(&epochs, memory);
    struct partition_list list;
    partition_list_init(&list, memory);
    read_set(&list, "07ac");
    partition_epochs_add(&epochs, partition_list_view(&list), -2);
    assert_int_equal(partition_epochs_get(&epochs, partition_key_of(10, 7)), -2);
    assert_int_equal(partition_epochs_get(&epochs, partition_key_of(10, 6)), PARTITION_FREE);
    assert_int_equal(partition_epochs_get(&epochs, partition_key_of(10, 700)), PARTITION_FREE);
    assert_int_equal(partition_epochs_get(&epochs, partition_key_of(15, 0)), PARTITION_FREE);
    assert_int_equal(epochs.held, 4);
    partition_epochs_remove(&epochs, partition_list_view(&list), -2);
    assert_int_equal(partition_epochs_get(&epochs, partition_key_of(10, 7)), PARTITION_FREE);
    assert_int_equal(epochs.held, 0);
    assert_int_equal(epochs.count, 0);
    partition_list_release(&list);
    partition_epochs_release(&epochs);
    memory_free_all(memory);
}

static void sets(void **state)
{
    (void)state;
    struct memory *memory = memory_new();
    struct partition_list a, b, out;
    partition_list_init(&a, memory);
    partition_list_init(&b, memory);
    partition_list_init(&out, memory);
    static const struct {
        const char *a, *b, *common, *without, *both;
        bool intersects, subset;
    } cases[] = {
        {"", "", "", "", "", false, true},
        {"012", "", "", "012", "012", false, false},
        {"", "12", "", "", "12", false, true},
        {"210", "13a", "1", "02", "0123a", true, false},
        {"1a", "01ab", "1a", "", "01ab", true, true},
        {"3ab", "012", "", "3ab", "0123ab", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        read_set(&a, cases[i].a);
        read_set(&b, cases[i].b);
        struct partition_set left = partition_list_view(&a);
        struct partition_set right = partition_list_view(&b);
        partition_set_common(&out, left, right);
        write_set(&out, text);
        assert_string_equal(text, cases[i].common);
        partition_set_without(&out, left, right);
        write_set(&out, text);
        assert_string_equal(text, cases[i].without);
        partition_set_union(&out, left, right);
        write_set(&out, text);
        assert_string_equal(text, cases[i].both);
        assert_int_equal(partition_set_intersects(left, right), cases[i].intersects);
        assert_int_equal(partition_set_is_subset(left, right), cases[i].subset);
    }
    read_set(&a, "3113");
    assert_int_equal(a.count, 2);
    assert_true(partition_set_contains(partition_list_view(&a), partition_key_of(10, 3)));
    assert_false(partition_set_contains(partition_list_view(&a), partition_key_of(10, 2)));
    partition_list_release(&a);
    partition_list_release(&b);
    partition_list_release(&out);
    memory_free_all(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell),
        cmocka_unit_test(state_names_and_values),
        cmocka_unit_test(epochs_remember_the_holder),
        cmocka_unit_test(sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
