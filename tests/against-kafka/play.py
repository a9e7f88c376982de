#!/usr/bin/env python3
"""Plays the cases on a real broker, all cases of a round at once, each in a group of its own.

usage: play.py DIRECTORY ROUND [CASE...]

DIRECTORY holds libs/ (Kafka's jars) and the compiled classes; the logs go to DIRECTORY/logs."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from cases import CASES, INCIDENT_AT, NEWCOMER, PARTITIONS, RATE, SECONDS, VICTIM

BROKER = "127.0.0.1:19092"
ASSIGNORS = {"range": "RangeAssignor", "cooperative-sticky": "CooperativeStickyAssignor"}


def java(directory, *arguments, **options):
    command = ["java", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", ".:libs/*"]
    return subprocess.Popen([*command, *map(str, arguments)], cwd=directory, **options)


def settings_of(case, member, stall_at):
    settings, _, what, seconds = CASES[case]
    for name, value in settings.items():
        if name == "partition.assignment.strategy":
            value = "org.apache.kafka.clients.consumer." + ASSIGNORS[value]
        if name == "group.instance.id":
            value = f"{case}-{member}"
        yield f"{name}={value}"
    if what == "stall" and member == VICTIM:
        yield f"stallAt={int(stall_at * 1000)}"
        yield f"stallMs={seconds * 1000}"


class Round:
    def __init__(self, directory, name, cases):
        self.directory, self.name, self.cases = directory, name, cases
        self.processes = {}
        self.logs = directory / "logs"
        self.logs.mkdir(exist_ok=True)
        topics = [f"{name}-{case}" for case in cases]
        self.feed = java(
            directory, "Feed", BROKER, PARTITIONS, RATE, SECONDS + 5, *topics,
            stdout=subprocess.PIPE, text=True,
        )
        self.began = int(self.feed.stdout.readline()) / 1000

    def start(self, case, member):
        group = f"{self.name}-{case}"
        with open(self.logs / f"{group}-{member}.log", "a", encoding="utf-8") as log:
            self.processes[case, member] = java(
                self.directory, "Member", group, f"bootstrap.servers={BROKER}", f"group.id={group}",
                f"client.id={case}-{member}", "auto.offset.reset=earliest",
                *settings_of(case, member, self.began + INCIDENT_AT), stdout=log, stderr=log,
            )

    def begin(self, case):
        victim = self.processes[case, VICTIM]
        what = CASES[case][2]
        if what == "crash":
            victim.kill()
        elif what == "pause":
            victim.send_signal(signal.SIGSTOP)
        elif what == "join":
            self.start(case, NEWCOMER)
        elif what in ("close", "restart"):
            victim.terminate()

    def end(self, case):
        if CASES[case][2] == "pause":
            self.processes[case, VICTIM].send_signal(signal.SIGCONT)
        elif CASES[case][2] == "restart":
            self.start(case, VICTIM)

    def wait_until(self, second):
        time.sleep(max(0, self.began + second - time.time()))

    def play(self):
        for case in self.cases:
            for member in range(1, CASES[case][1] + 1):
                self.start(case, member)
        self.wait_until(INCIDENT_AT)
        began_at = {}
        for case in self.cases:
            began_at[case] = time.time() - self.began
            self.begin(case)
        for case in sorted(self.cases, key=lambda case: CASES[case][3]):
            if CASES[case][3] > 0:
                self.wait_until(began_at[case] + CASES[case][3])
                self.end(case)
        self.wait_until(SECONDS)
        for process in self.processes.values():
            process.kill()
        self.feed.wait()
        result = {"began": self.began, "began_at": began_at}
        (self.logs / f"{self.name}.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    Round(Path(sys.argv[1]), sys.argv[2], sys.argv[3:] or list(CASES)).play()
