#!/usr/bin/env python3
"""Runs the cases in Cohort, from many seeds, and sets their figures beside those of play.py.

usage: compare.py DIRECTORY COHORT [CASE...]

Prints a table in Markdown: each of Kafka's runs, and least, median and most of Cohort's."""

import bisect
import json
import math
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from cases import (
    CASES,
    INCIDENT_AT,
    NEWCOMER,
    PARTITIONS,
    RATE,
    SECONDS,
    VICTIM,
    Work,
    is_at_rest,
    measure,
)

SEEDS = 40
HEARTBEAT_S = 3  # the incident's place between two heartbeats differs from run to run


def kafka_figures(logs, case):
    for path in sorted(logs.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        if case not in result["began_at"]:
            continue
        began = result["began"]
        works, assigned_at = [], []
        for member in (1, 2, 3):
            log = logs / f"{path.stem}-{case}-{member}.log"
            for line in log.read_text(encoding="utf-8").splitlines():
                words = line.split()
                if len(words) < 2 or not words[0].isdigit():
                    continue
                at = int(words[0]) / 1000 - began
                if words[1] == "processed" and at < SECONDS:
                    partition, offset, made_at = map(int, words[2:5])
                    works.append(Work(at, member, partition, offset, made_at / 1000 - began))
                elif words[1] == "assigned" and member == 1:
                    assigned_at.append(at)
        works.sort(key=lambda work: work.at)
        begin = result["began_at"][case]
        if is_at_rest(works, begin):
            yield measure(case, works, assigned_at, begin)
        else:
            print(f"{path.stem} {case}: void, the group was not at rest", file=sys.stderr)


def scenario(case, at):
    settings, members, what, seconds = CASES[case]
    config = ", ".join(f"{name}: {value}" for name, value in settings.items())
    victim = f"g-{VICTIM}"
    entry = {
        "crash": f"crash: {victim}",
        "pause": f"pause: {victim}, for: {seconds}s",
        "stall": f"stall: {victim}, for: {seconds}s",
        "join": f"scale: g, to: {NEWCOMER}",
        "close": f"stop: {victim}",
        "restart": f"stop: {victim}, for: {seconds}s",
    }[what]
    feeds = "".join(
        f"  p{p}: {{rate: {RATE // PARTITIONS}/s, record_size: 100B, start: {p * 1000000 // RATE}us, "
        f"partition_weights: {[int(p == other) for other in range(PARTITIONS)]}}}\n"
        for p in range(PARTITIONS)
    )
    return f"""scenario: 1
duration: {SECONDS}s
cluster:
  brokers: 1
  network: {{latency: 50us}}
  config:
    offsets.topic.replication.factor: 1
    group.consumer.session.timeout.ms: 10000
    group.consumer.heartbeat.interval.ms: 3000
topics: {{t: {{partitions: {PARTITIONS}, replication: 1}}}}
producers:
{feeds}groups:
  g:
    members: {members}
    start_spread: {{uniform: {{low: 0s, high: 3s}}}}
    config: {{{config}, auto.offset.reset: earliest}}
    process: {{per_record: 10us}}
    deployment:
      startup: {{uniform: {{low: 1s, high: 3s}}}}
      termination: 0s
      restart_after_crash: false
timeline:
  - {{at: {at}s, {entry}}}
"""


def number(text):
    return int(text.rsplit("-", 1)[1])


def works_of(store):
    made_at = {}
    query = "select partition, base_offset, first_at_ns from event_batch_appended"
    for partition, offset, first_at_ns in store.execute(query):
        made_at.setdefault(number(partition), []).append((offset, first_at_ns / 1e9))
    for batches in made_at.values():
        batches.sort()
    query = "select begin_at_ns, at_ns, member, partition, base_offset, count from event_processed"
    for begin_ns, at_ns, member, partition, base_offset, count in store.execute(query):
        partition = number(partition)
        for i in range(count):
            at = (begin_ns + (at_ns - begin_ns) * (i + 1) / count) / 1e9
            offset = base_offset + i
            batch = bisect.bisect_right(made_at[partition], (offset, math.inf)) - 1
            yield Work(at, number(member), partition, offset, made_at[partition][batch][1])


def cohort_figures(cohort, case):
    with tempfile.TemporaryDirectory() as directory:
        file, run = Path(directory, "case.yaml"), Path(directory, "run")
        for seed in range(1, SEEDS + 1):
            at = round(INCIDENT_AT + HEARTBEAT_S * seed / SEEDS, 3)
            file.write_text(scenario(case, at), encoding="utf-8")
            subprocess.run(
                [cohort, "run", file, "--seed", str(seed), "-q", "-f", "-o", run, "--events", "all"],
                check=True, stdout=subprocess.DEVNULL,
            )
            store = sqlite3.connect(run / "run.db")
            works = sorted(works_of(store), key=lambda work: work.at)
            query = "select at_ns / 1e9 from event_client where event = 'ASSIGN_CALLBACK' and member = 'g-1'"
            assigned_at = [at for (at,) in store.execute(query)]
            store.close()
            yield measure(case, works, assigned_at, at)


def show(value):
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def main(directory, cohort, cases):
    print("| case | figure | Kafka's runs | Cohort: least, median, most |")
    print("|---|---|---|---|")
    for case in cases:
        kafka = list(kafka_figures(Path(directory) / "logs", case))
        ours = list(cohort_figures(cohort, case))
        for figure in ours[0]:
            values = sorted(run[figure] for run in ours)
            summary = [values[0], statistics.median_low(values), values[-1]]
            print(
                f"| {case} | {figure} | {', '.join(show(run[figure]) for run in kafka)} "
                f"| {', '.join(map(show, summary))} |"
            )
            case = ""


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:] or list(CASES))
