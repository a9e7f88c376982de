"""The incidents that are played on Kafka and in Cohort, and what is measured of both."""

import math

PARTITIONS = 6
RATE = 120  # records/s, dealt to the partitions in turn
SECONDS = 70
INCIDENT_AT = 30

CLASSIC = {"session.timeout.ms": 10000, "heartbeat.interval.ms": 3000}
EAGER = CLASSIC | {"partition.assignment.strategy": "range"}
COOPERATIVE = CLASSIC | {"partition.assignment.strategy": "cooperative-sticky"}
CONSUMER = {"group.protocol": "consumer"}
STATIC = EAGER | {"group.instance.id": "member"}
SHORT_POLL = EAGER | {"max.poll.interval.ms": 10000}

# name: settings, members at the start, what happens, seconds that it lasts
CASES = {
    "crash-eager": (EAGER, 3, "crash", 0),
    "crash-cooperative": (COOPERATIVE, 3, "crash", 0),
    "crash-848": (CONSUMER, 3, "crash", 0),
    "pause-eager": (EAGER, 3, "pause", 20),
    "pause-848": (CONSUMER, 3, "pause", 20),
    "stall-eager": (SHORT_POLL, 3, "stall", 25),
    "join-eager": (EAGER, 2, "join", 0),
    "join-cooperative": (COOPERATIVE, 2, "join", 0),
    "join-848": (CONSUMER, 2, "join", 0),
    "close-eager": (EAGER, 3, "close", 0),
    "close-cooperative": (COOPERATIVE, 3, "close", 0),
    "close-848": (CONSUMER, 3, "close", 0),
    "restart-static": (STATIC, 3, "restart", 3),
}
VICTIM = 2  # member that it happens to
NEWCOMER = 3  # member that joins


class Work:
    """One record processed: when, by which member, and when the record was made."""

    def __init__(self, at, member, partition, offset, made_at):
        self.at, self.member, self.partition = at, member, partition
        self.offset, self.made_at = offset, made_at


def longest_wait(works, partitions, begin):
    waits = [
        work.at - work.made_at
        for work in works
        if work.partition in partitions and begin - 1 <= work.made_at <= begin + 28
    ]
    return max(waits, default=0.0)


def is_at_rest(works, begin):
    """False when the machine was too slow for the group to have formed and caught up by then."""
    first = {}
    for work in works:
        if begin - 5 <= work.made_at <= begin - 1:
            first.setdefault((work.partition, work.offset), work)
    in_time = sum(work.at - work.made_at < 0.5 for work in first.values())
    return in_time >= 4 * RATE * 0.98


def measure(case, works, assigned_at, begin):
    """Figures of one run. `works` in order of time; `assigned_at`: when member 1's onPartitionsAssigned
    was called; `begin`: when it happened."""
    what = CASES[case][2]
    owner, members = {}, {}
    for work in works:
        if work.at < begin - 0.05:
            owner[work.partition] = work.member
        members.setdefault((work.partition, work.offset), set()).add(work.member)
    victims = {partition for partition in owner if owner[partition] == VICTIM}
    others = set(range(PARTITIONS)) - victims
    figures = {"records processed again": len(works) - len(members)}
    if what == "join":
        first = min((work.at for work in works if work.member == NEWCOMER), default=math.inf)
        figures["newcomer works after, s"] = first - begin
        figures["longest wait of a record, s"] = longest_wait(works, set(range(PARTITIONS)), begin)
    elif what == "restart":
        figures["longest wait of its records, s"] = longest_wait(works, victims, begin)
        figures["longest wait of other records, s"] = longest_wait(works, others, begin)
    else:
        taken = [
            min(
                work.at
                for work in works
                if work.partition == partition and work.member != VICTIM and work.at > begin
            )
            for partition in victims
        ]
        figures["all partitions taken over after, s"] = max(taken) - begin
        figures["longest wait of other records, s"] = longest_wait(works, others, begin)
    figures["onPartitionsAssigned calls"] = sum(at > begin for at in assigned_at)
    return figures
