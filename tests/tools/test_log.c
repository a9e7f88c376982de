/* A run told in the words of brokers and clients. */
#include "model/kafka_types.h"
#include "tests/tools/harness/synthetic.h"
#include "tools/log_words.h"
#include "tools/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void collect(void *self, const struct log_line *line)
{
    static const char *const levels[] = {"I", "W", "E"};
    text_format(self, "%lld %s %s: %s\n", (long long)(line->at / SECONDS(1)), levels[line->level],
                line->source, line->text);
}

static bool take(void *words, const struct trace_record *record)
{
    log_words_take(words, record);
    return true;
}

/* Finishes the run and gives its whole log. */
static char *log_of(struct synthetic *s)
{
    char directory[256];
    snprintf(directory, sizeof directory, "%s", s->directory);
    synthetic_finish(s);
    char *error = NULL;
    struct store_reader *reader = store_open(directory, &error);
    if (reader == NULL) fail_msg("%s", error);
    struct text log = {0};
    struct log_words *words = log_words_new(reader, collect, &log);
    assert_true(store_visit(reader, NULL, 0, 0, SIM_TIME_NEVER, take, words, &error));
    log_words_finish(words);
    store_close(reader);
    return log.data;
}

static void a_crash_and_its_rebalance(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("log_classic", "orders", STORE_EVENTS_ALL);
    struct sim *sim = s->sim;
    name_id group = synthetic_name(s, "billing");
    name_id one = synthetic_name(s, "billing-1");
    name_id two = synthetic_name(s, "billing-2");
    name_id id_one = synthetic_name(s, "c1-uuid");
    name_id id_two = synthetic_name(s, "c2-uuid");
    name_id client = synthetic_name(s, "c1");
    synthetic_at(s, SECONDS(1));
    TRACE(sim, TRACE_COORDINATOR, 9, 2, 1, 0, MILLISECONDS(20));
    TRACE(sim, TRACE_CLIENT, group, one, CLIENT_JOINING, -1, NAME_NONE, 0, 0, NAME_NONE);
    TRACE(sim, TRACE_MEMBER_ADDED, group, one, id_one, NAME_NONE, NAME_NONE, client, NAME_NONE);
    TRACE(sim, TRACE_MEMBER_ADDED, group, two, id_two, synthetic_name(s, "pod-b"), NAME_NONE,
          NAME_NONE, NAME_NONE);
    synthetic_at(s, SECONDS(4));
    TRACE(sim, TRACE_REBALANCED, group, 7, 2, id_one, synthetic_name(s, "range"));
    TRACE(sim, TRACE_GROUP_STATE, group, GROUP_TRACE_PreparingRebalance,
          GROUP_TRACE_CompletingRebalance, 7, 2, 2);
    TRACE(sim, TRACE_CLIENT, group, one, CLIENT_JOINED, 7, id_one, 0, 0,
          synthetic_name(s, "range"));
    TRACE(sim, TRACE_GROUP_STATE, group, GROUP_TRACE_CompletingRebalance, GROUP_TRACE_Stable, 7, 2,
          2);
    TRACE(sim, TRACE_OWNED, group, one, PARTITION_ID(0, 0), 7, 1);
    TRACE(sim, TRACE_OWNED, group, one, PARTITION_ID(0, 1), 7, 1);
    TRACE(sim, TRACE_OWNED, group, two, PARTITION_ID(0, 2), 7, 1);
    TRACE(sim, TRACE_POSITION, group, one, PARTITION_ID(0, 0), 600, POSITION_COMMITTED, -1);
    synthetic_at(s, SECONDS(60));
    TRACE(sim, TRACE_FAULT, FAULT_BEGIN, synthetic_name(s, "crash"), two, NAME_NONE, 18, 0, 0);
    TRACE(sim, TRACE_PROCESS, two, PROCESS_TRACE_DEAD, 1);
    TRACE(sim, TRACE_DISOWNED, group, two, PARTITION_ID(0, 2), 7, OWNERSHIP_DIED, 1);
    synthetic_at(s, SECONDS(105));
    TRACE(sim, TRACE_MEMBER_REMOVED, group, two, id_two, CAUSE_SESSION_EXPIRED);
    TRACE(sim, TRACE_GROUP_STATE, group, GROUP_TRACE_Stable, GROUP_TRACE_PreparingRebalance, 7, 1,
          2);
    TRACE(sim, TRACE_REBALANCE, group, CAUSE_SESSION_EXPIRED, two, id_two, 7, NAME_NONE);
    TRACE(sim, TRACE_COMMIT_REJECTED, group, PARTITION_ID(0, 0), 900, one, id_one, 7, 27);
    char *log = log_of(s);
    assert_string_equal(
        log,
        "1 I broker 2: [GroupCoordinator id=2 topic=__consumer_offsets partition=9] Finished "
        "loading offsets and group metadata from __consumer_offsets-9 in 20 milliseconds; 0 "
        "groups.\n"
        "1 I billing-1: [Consumer clientId=billing-1, groupId=billing] (Re-)joining "
        "group\n"
        "1 I broker 2: [GroupCoordinator id=2 topic=__consumer_offsets partition=9] Pending "
        "dynamic member with id c1-uuid joins group billing in Empty state. Adding to the group "
        "now.\n"
        "1 I broker 2: [GroupCoordinator id=2 topic=__consumer_offsets partition=9] Static member "
        "pod-b with unknown member id joins group billing in Empty state. Created a new member id "
        "c2-uuid for this member.\n"
        "4 I broker 2: [GroupCoordinator id=2 topic=__consumer_offsets partition=9] Stabilized "
        "group billing generation 7 with 2 members.\n"
        "4 I billing-1: [Consumer clientId=c1, groupId=billing] Successfully joined group with "
        "generation Generation{generationId=7, memberId='c1-uuid', protocol='range'}\n"
        "4 I broker 2: [GroupCoordinator id=2 topic=__consumer_offsets partition=9] Assignment "
        "received from leader c1-uuid for group billing for generation 7. The group has 2 members, "
        "1 of which are static.\n"
        "4 I billing-1: [Consumer clientId=c1, groupId=billing] Adding newly assigned partitions: "
        "orders-0, orders-1\n"
        "4 I billing-2: [Consumer clientId=billing-2, groupId=billing] Adding newly "
        "assigned partitions: orders-2\n"
        "4 I billing-1: [Consumer clientId=c1, groupId=billing] Setting offset for partition "
        "orders-0 to the committed offset 600\n"
        "60 W timeline: crash billing-2 (line 18)\n"
        "60 W billing-2: process is DEAD (incarnation 1)\n"
        "60 W billing-2: [Consumer clientId=billing-2, groupId=billing] (died, and with "
        "it its hold on) orders-2\n"
        "105 I broker 2: [GroupCoordinator id=2 topic=__consumer_offsets partition=9] Member "
        "c2-uuid in group billing has failed, removing it from the group.\n"
        "105 I broker 2: [GroupCoordinator id=2 topic=__consumer_offsets partition=9] Preparing "
        "to rebalance group billing in state PreparingRebalance with old generation 7 (reason: "
        "removing member c2-uuid on heartbeat expiration).\n"
        "105 E billing-1: [Consumer clientId=c1, groupId=billing] Offset commit failed on "
        "partition orders-0 at offset 900: REBALANCE_IN_PROGRESS\n");
    free(log);
}

static void the_consumer_protocol_has_its_own_words(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("log_consumer", "orders", STORE_EVENTS_ALL);
    struct sim *sim = s->sim;
    name_id group = synthetic_name(s, "billing");
    name_id one = synthetic_name(s, "billing-1");
    name_id id = synthetic_name(s, "gjWzAEmmRlOfypB2_GB_9Q");
    TRACE(sim, TRACE_COORDINATOR, 9, 2, 1, 0, 0);
    TRACE(sim, TRACE_MEMBER_ADDED, group, one, id, NAME_NONE, NAME_NONE, NAME_NONE, NAME_NONE);
    TRACE(sim, TRACE_REBALANCE, group, CAUSE_MEMBER_JOINED, one, id, 1, NAME_NONE);
    TRACE(sim, TRACE_REBALANCED, group, 1, 1, NAME_NONE, synthetic_name(s, "uniform"));
    TRACE(sim, TRACE_GROUP_STATE, group, GROUP_TRACE_Empty, GROUP_TRACE_Reconciling, 1, 1, 2);
    TRACE(sim, TRACE_GROUP_STATE, group, GROUP_TRACE_Reconciling, GROUP_TRACE_Stable, 1, 1, 2);
    TRACE(sim, TRACE_MEMBER_REMOVED, group, one, id, CAUSE_SESSION_EXPIRED);
    char *log = log_of(s);
#define PREFIX "0 I broker 2: [GroupCoordinator id=2 topic=__consumer_offsets partition=9] "
#define GROUP  PREFIX "[GroupId billing] "
    assert_string_equal(
        log,
        PREFIX "Finished loading offsets and group metadata from __consumer_offsets-9 in 0 "
               "milliseconds; 0 groups.\n" GROUP
               "Member gjWzAEmmRlOfypB2_GB_9Q joins the consumer group using the consumer "
               "protocol.\n" GROUP
               "Bumped group epoch to 1 (Adding new member gjWzAEmmRlOfypB2_GB_9Q; client reason: "
               "not provided).\n" GROUP
               "Computed a new target assignment for epoch 1 with 'uniform' assignor.\n" GROUP
               "All 1 members reached epoch 1.\n" GROUP
               "Member gjWzAEmmRlOfypB2_GB_9Q fenced from the group because the member session "
               "expired.\n");
    free(log);
}

/* Between the lines of the others, in the order of time, those of the ledger. */
static void what_the_ledger_found_has_lines_of_its_own(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("log_ledger", "orders", STORE_EVENTS_ALL);
    name_id group = synthetic_name(s, "billing");
    name_id one = synthetic_name(s, "billing-1");
    name_id two = synthetic_name(s, "billing-2");
    synthetic_at(s, SECONDS(10));
    TRACE(s->sim, TRACE_PROCESS, one, PROCESS_TRACE_FROZEN, 1);
    synthetic_at(s, SECONDS(70));
    TRACE(s->sim, TRACE_PROCESS, one, PROCESS_TRACE_RUNNING, 1);
    const struct store_anomaly found[] = {
        {"cascade", group, STORE_PARTITION_UNKNOWN, 0, 0, SECONDS(71), one, NAME_NONE,
         "expelled member came back", 1},
        {"duplicate", group, PARTITION_ID(0, 3), 2450, 2950, SECONDS(60), two, one,
         "session expired", 480},
        {"imbalance", group, STORE_PARTITION_UNKNOWN, 0, 0, SECONDS(10), one, two, "rebalance", 2},
    };
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++)
        store_add_anomaly(s->store, &found[i]);
    char *log = log_of(s);
    assert_string_equal(
        log, "10 W billing-1: process is FROZEN (incarnation 1)\n"
             "10 I ledger: imbalance: 2 partitions, billing-1 against billing-2: rebalance\n"
             "60 W ledger: duplicate: orders-3 [2450, 2950), 480 records, billing-2 after "
             "billing-1: session expired\n"
             "70 I billing-1: process is RUNNING (incarnation 1)\n"
             "71 W ledger: cascade: a rebalance that the one before brought about, billing-1: "
             "expelled member came back\n");
    free(log);
}

static void the_log_cleaner_speaks_as_kafkas(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("log_cleaner", "orders", STORE_EVENTS_ALL);
    synthetic_at(s, SECONDS(15));
    TRACE(s->sim, TRACE_COMPACTED, PARTITION_ID(0, 2), 100, 20, 1); /* too many to be told */
    TRACE(s->sim, TRACE_CLEANED, PARTITION_ID(0, 2), 100, 500, 400, 300, 30000, 1);
    TRACE(s->sim, TRACE_LOG_START, PARTITION_ID(0, 2), 120, 1);
    const struct store_anomaly found = {"compacted away",
                                        synthetic_name(s, "billing"),
                                        PARTITION_ID(0, 2),
                                        120,
                                        500,
                                        SECONDS(20),
                                        NAME_NONE,
                                        NAME_NONE,
                                        "their keys had later records",
                                        280};
    store_add_anomaly(s->store, &found);
    char *log = log_of(s);
    assert_string_equal(log, "15 I broker 1: orders-2: the log cleaner removed 300 of 400 records "
                             "below offset 500 (dirty section = [100, 500])\n"
                             "15 I broker 1: orders-2: log start offset is 120, older records were "
                             "deleted\n"
                             "20 I ledger: compacted away: orders-2 [120, 500), 280 records, their "
                             "keys had later records\n");
    free(log);
}

/* An outage fails thousands of batches: one line for each producer, reason and ten seconds. */
static void failed_sends_are_told_in_sums(void **state)
{
    (void)state;
    struct synthetic *s = synthetic_new("log_producers", "orders", STORE_EVENTS_ALL);
    name_id shop = synthetic_name(s, "shop");
    name_id group = synthetic_name(s, "billing");
    for (int i = 0; i < 12; i++) {
        synthetic_at(s, SECONDS(120) + MILLISECONDS(500) * i);
        TRACE(s->sim, TRACE_SEND_FAILED, shop, PARTITION_ID(0, i % 3), 5, SEND_FAILED,
              KAFKA_REQUEST_TIMED_OUT, i % 4, SECONDS(120), 0, 0);
        if (i == 2) TRACE(s->sim, TRACE_PROCESS, shop, PROCESS_TRACE_RUNNING, 1);
    }
    synthetic_at(s, SECONDS(131));
    TRACE(s->sim, TRACE_SEND_FAILED, shop, PARTITION_ID(0, 1), 1, SEND_FAILED,
          KAFKA_REQUEST_TIMED_OUT, 1, SECONDS(120), 0, 0);
    TRACE(s->sim, TRACE_SEND_FAILED, shop, PARTITION_ID(0, 1), 7, SEND_DROPPED,
          KAFKA_NOT_LEADER_OR_FOLLOWER, 1, 0, 0, 0);
    synthetic_at(s, SECONDS(140));
    TRACE(s->sim, TRACE_SEND_FAILED, shop, PARTITION_ID(0, 1), 2, SEND_UNSENT, KAFKA_NONE, 0, 0, 0,
          0);
    TRACE(s->sim, TRACE_SEND_FAILED, shop, PARTITION_ID(0, 1), 3, SEND_UNHEARD, KAFKA_NONE, 0, 0, 0,
          0);
    TRACE(s->sim, TRACE_SEND_FAILED, shop, PARTITION_ID(0, PARTITION_NUMBER_UNKNOWN), 4, SEND_DOWN,
          KAFKA_NONE, 0, 0, 0, 0);
    store_add_anomaly(s->store,
                      &(struct store_anomaly){"lost", group, PARTITION_ID(0, 1), 40, 40,
                                              SECONDS(131), NAME_NONE, shop, "acks=0", 7});
    char *log = log_of(s);
#define SHOP "shop: [Producer clientId=shop] "
    assert_string_equal(
        log, "120 E " SHOP "(application) send() failed: 60 records of orders-0 and 2 other "
             "partitions, given 120 s before, 3 attempts: REQUEST_TIMED_OUT (within 5.5 s)\n"
             "121 I shop: process is RUNNING (incarnation 1)\n"
             "131 E " SHOP "(application) send() failed: 1 record of orders-1, given 120 s before, "
             "1 attempt: REQUEST_TIMED_OUT\n"
             "131 W " SHOP "(acks=0, and it is not told) lost 7 records of orders-1: "
             "NOT_LEADER_OR_FOLLOWER\n"
             "131 W ledger: lost: orders-1 at 40, 7 records, after shop: acks=0\n"
             "140 W " SHOP "(killed) lost, from its memory, 2 records of orders-1\n"
             "140 W " SHOP "(killed) sent, but not answered yet: 3 records of orders-1\n"
             "140 W " SHOP "(not running) nobody took 4 records of orders\n");
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_and_its_rebalance),
        cmocka_unit_test(the_consumer_protocol_has_its_own_words),
        cmocka_unit_test(the_log_cleaner_speaks_as_kafkas),
        cmocka_unit_test(what_the_ledger_found_has_lines_of_its_own),
        cmocka_unit_test(failed_sends_are_told_in_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
