/* build/bench: events per second of the engine, beside a bare floor in the same run.
 *
 * usage: bench [--json] [--rounds N] [NAME]...     without names: every workload
 *        bench assignors                           the assignors beside a warm JVM */
#include "bench/assignors.h"
#include "bench/bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS_MAX 99

static const struct workload workloads[] = {
    {"hold-1e2", "100 pending events, each posts the next", hold_1e2_engine, hold_1e2_floor, 7},
    {"hold-1e4", "10,000 pending events", hold_1e4_engine, hold_1e4_floor, 7},
    {"hold-1e6", "1,000,000 pending events", hold_1e6_engine, hold_1e6_floor, 3},
    {"heartbeats", "W3: 10,000 members, 3 s beats, 45 s sessions, 10 min", heartbeats_engine,
     heartbeats_floor, 5},
    {"heartbeats-network", "the same over connections, latencies drawn by key", heartbeats_network,
     NULL, 3},
    {"coordinator-heartbeats", "10,000 members in one classic group, the coordinator alone",
     coordinator_heartbeats, NULL, 3},
    {"coordinator-rebalance", "1,000 members, 10,000 partitions: one whole classic rebalance",
     coordinator_rebalances, NULL, 3},
    {"coordinator-load", "one shard's share of 12,000 members: beats and commits, 10 ms linger",
     coordinator_load, NULL, 3},
    {"consumer-heartbeats", "the same heartbeats of a consumer group (KIP-848)",
     coordinator_consumer_heartbeats, NULL, 3},
    {"consumer-rebalance", "1,000 members, 10,000 partitions: half leave, half join",
     coordinator_consumer_rebalances, NULL, 3},
    {"consumer-all-move", "1,000 members, 10,000 partitions: a topic created anew, every one moves",
     consumer_all_move, NULL, 3},
    {"consumer-joins", "1,000 members join one by one, 10,000 partitions", consumer_joins, NULL, 3},
    {"data-busy", "1,000,000 records/s, 10,000 partitions, 1,000 consumers, RF 3: per batch",
     data_busy, NULL, 1},
    {"data-more", "ten times the records at the same request rate", data_more, NULL, 1},
    {"data-busy-keyed", "data-busy with a million keys: batches of 20 records", data_busy_keyed,
     NULL, 1},
    {"data-more-keyed", "data-more with a million keys: batches of 200", data_more_keyed, NULL, 1},
    {"data-idle", "12,000 consumers in 200 groups, idle: per consumer and virtual second",
     data_idle, NULL, 1},
    {"groups-hour", "one virtual hour: 12,000 scripted members in 200 groups, per request",
     groups_hour, NULL, 1},
    {"idle-hour", "one virtual hour: 12,000 whole clients in 200 groups, mostly idle topic",
     idle_hour, NULL, 1},
    {"busy-hour", "one virtual hour of data-busy", busy_hour, NULL, 1},
    {"busy-hour-keyed", "one virtual hour of data-busy-keyed", busy_hour_keyed, NULL, 1},
    {"idle-hour-848", "the same in the consumer protocol (KIP-848)", idle_hour_848, NULL, 1},
};

#define WORKLOADS (sizeof workloads / sizeof workloads[0])

uint64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double ns_per_event(struct measure measure)
{
    return (double)measure.nanoseconds / (double)measure.events;
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

/* False when engine and floor did not do the same work. */
static bool run(const struct workload *workload, unsigned rounds, bool json, bool first)
{
    double engine[ROUNDS_MAX], bare[ROUNDS_MAX];
    struct measure measured = {0}, expected = {0};
    if (rounds == 0) rounds = workload->rounds;
    for (unsigned round = 0; round < rounds; round++) {
        measured = workload->engine();
        engine[round] = ns_per_event(measured);
        if (workload->floor == NULL) continue;
        expected = workload->floor();
        bare[round] = ns_per_event(expected);
        if (measured.events != expected.events || measured.check != expected.check) {
            fprintf(stderr, "%s: engine and floor did different work\n", workload->name);
            return false;
        }
    }
    double engine_ns = median(engine, rounds);
    double floor_ns = workload->floor == NULL ? 0 : median(bare, rounds);
    double seconds = engine_ns * (double)measured.events / 1e9;
    double memory_mib = (double)measured.memory_bytes / (1 << 20);
    if (json) {
        printf("%s\n  {\"name\": \"%s\", \"events\": %llu, \"ns_per_event\": %.2f, "
               "\"events_per_second\": %.0f",
               first ? "" : ",", workload->name, (unsigned long long)measured.events, engine_ns,
               1e9 / engine_ns);
        if (workload->floor != NULL) {
            printf(", \"floor_ns_per_event\": %.2f, \"ratio\": %.3f", floor_ns,
                   engine_ns / floor_ns);
        }
        printf(", \"seconds\": %.2f, \"memory_mib\": %.0f}", seconds, memory_mib);
    } else {
        printf("%-22s %10llu %9.1f %13.0f %8.2f", workload->name,
               (unsigned long long)measured.events, engine_ns, 1e9 / engine_ns, seconds);
        if (workload->floor != NULL) printf(" %9.1f %6.2f", floor_ns, engine_ns / floor_ns);
        if (measured.memory_bytes > 0) printf(" %23.0f", memory_mib);
        printf("\n");
    }
    fflush(stdout);
    return true;
}

static bool is_wanted(const struct workload *workload, char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], workload->name) == 0) return true;
    }
    return count == 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: bench [--json] [--rounds N] [NAME]...\n       bench assignors\n");
    for (size_t i = 0; i < WORKLOADS; i++) {
        fprintf(stderr, "  %-22s %s\n", workloads[i].name, workloads[i].help);
    }
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "assignors") == 0) return bench_assignors();
    bool json = false;
    unsigned rounds = 0;
    int next = 1;
    for (; next < argc && strncmp(argv[next], "--", 2) == 0; next++) {
        if (strcmp(argv[next], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[next], "--rounds") == 0 && next + 1 < argc) {
            rounds = (unsigned)strtoul(argv[++next], NULL, 10);
            if (rounds == 0 || rounds > ROUNDS_MAX) return usage();
        } else {
            return usage();
        }
    }
    char *const *names = argv + next;
    int count = argc - next;
    for (int i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < WORKLOADS; k++)
            found |= strcmp(names[i], workloads[k].name) == 0;
        if (!found) return usage();
    }

    if (json) {
        printf("[");
    } else {
        printf("%-22s %10s %9s %13s %8s %9s %6s %6s\n", "workload", "events", "ns/event",
               "events/s", "seconds", "floor ns", "ratio", "MiB");
    }
    bool first = true, good = true;
    for (size_t i = 0; i < WORKLOADS; i++) {
        if (!is_wanted(&workloads[i], names, count)) continue;
        good &= run(&workloads[i], rounds, json, first);
        first = false;
    }
    if (json) printf("\n]\n");
    return good ? 0 : 1;
}
