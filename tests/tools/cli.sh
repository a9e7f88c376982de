#!/usr/bin/env bash
# What people type, from end to end: exit codes, what is written, and what is left behind when
# something goes wrong. usage: tests/tools/cli.sh COHORT WORK_DIRECTORY
set -u
source=$(cd "$(dirname "$0")/../.." && pwd)
cohort=$1
work=$2
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 2
failures=0

fail() {
    printf 'FAILED: %s\n' "$*"
    failures=$((failures + 1))
}

# expect CODE PATTERN COMMAND…: the exit code, and a fixed text in what it says (both streams).
expect() {
    local code=$1 pattern=$2
    shift 2
    local said
    said=$("$@" 2>&1 </dev/null)
    local got=$?
    [ "$got" = "$code" ] || fail "$* gave $got, not $code: $(printf '%s' "$said" | tail -3)"
    case $said in
    *"$pattern"*) ;;
    *) fail "$* does not say \"$pattern\": $(printf '%s' "$said" | tail -5)" ;;
    esac
}

# only NAMES…: what the work directory holds, hidden files included.
only() {
    local found
    found=$(ls -A | sort | tr '\n' ' ')
    [ "$found" = "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ] || fail "found: $found, expected: $*"
}

cat >small.yaml <<'YAML'
scenario: 1
name: small
duration: 60s
seed: 5
topics: {orders: {partitions: 4}}
producers: {shop: {topic: orders, rate: 50/s}}
groups:
  billing: {topics: [orders], members: 2, config: {session.timeout.ms: 10000}, process: {per_record: 1ms}}
timeline:
  - {at: 20s, crash: billing-1}
expect:
  - rebalances(billing) >= 1
  - produced(billing) > 2000
YAML
sed 's/>= 1/>= 99/' small.yaml >failing.yaml

# One run and everything that reads it.
expect 0 'reproduce: cohort run small.yaml --seed 5' "$cohort" run small.yaml
expect 0 'identical: ' "$cohort" replay small-seed5.cohort
expect 0 'CURRENT-OFFSET' "$cohort" describe small-seed5.cohort
expect 0 'has failed, removing it from the group.' "$cohort" log small-seed5.cohort --from 20s
expect 0 'ownership.svg' "$cohort" plot small-seed5.cohort --format svg
[ -s small-seed5.cohort/plots/group-lag.svg ] || fail 'no picture of the lag'
expect 0 'ok' sqlite3 small-seed5.cohort/run.db 'pragma integrity_check'
[ "$(sqlite3 small-seed5.cohort/run.db "select count(*) from sqlite_master where type='view'")" -gt 30 ] ||
    fail 'views are missing'
for view in $(sqlite3 small-seed5.cohort/run.db "select name from sqlite_master where type='view'"); do
    sqlite3 small-seed5.cohort/run.db "select * from \"$view\"" >/dev/null || fail "view $view"
done

# Machines read the same: every promised key, and the stored summary is the printed one.
"$cohort" run small.yaml --json --out json.cohort >out.json
python3 - out.json json.cohort/summary.json <<'PYTHON' || fail 'the keys of --json'
import json, sys
printed, stored = (json.load(open(path)) for path in sys.argv[1:3])
assert printed == stored
assert list(printed) == ['scenario', 'seed', 'version', 'fingerprints', 'virtual_seconds',
    'wall_seconds', 'events', 'events_per_second', 'tie_rate_ppm', 'groups', 'producers',
    'expect', 'violations']
assert list(printed['fingerprints']) == ['workload', 'protocol', 'full']
assert list(printed['groups']['billing']) == ['rebalances', 'rebalance_seconds_total',
    'rebalance_seconds_max', 'stopped_partition_seconds', 'lag_records_max', 'lag_seconds_max',
    'produced', 'processed', 'duplicates', 'skipped', 'lost', 'compacted', 'zombie', 'taken_back',
    'copies', 'commits', 'latency_ms',
    'anomalies', 'causes']
assert list(printed['groups']['billing']['anomalies']) == ['poll_skips', 'poll_rewinds',
    'rejected_commits', 'rejected_commits_by_error', 'commit_rewinds', 'offset_resets', 'moves',
    'unnecessary_moves', 'imbalance', 'longest_rest_seconds', 'longest_rest_load_most',
    'longest_rest_load_least', 'rebalances_by_cause', 'cascaded_rebalances',
    'generations_reused', 'reordered',
    'out_of_order', 'overtaken', 'forming_seconds', 'fatal_errors', 'fatal_errors_by_error', 'exceptions_caught',
    'waiting']
assert list(printed['groups']['billing']['commits']) == ['attempted', 'failed']
assert list(printed['groups']['billing']['latency_ms']) == ['p50', 'p95', 'p99', 'max']
assert list(printed['producers'][list(printed['producers'])[0]]) == ['arrived', 'acknowledged',
    'failed', 'resent', 'failed_by_error', 'unsent', 'unheard', 'down', 'pending', 'appended',
    'dropped', 'diverged', 'travelling']
assert list(printed['expect'][0]) == ['text', 'line', 'value', 'passed']
assert printed['virtual_seconds'] == 60.0 and printed['violations'] == []
PYTHON
full() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["fingerprints"]["full"])' "$1"; }

# The resolved scenario alone gives the same run; which records are kept changes nothing.
expect 0 'small' "$cohort" run small-seed5.cohort/scenario.yaml --out again.cohort --events none
[ "$(full again.cohort/summary.json)" = "$(full json.cohort/summary.json)" ] ||
    fail 'the resolved scenario gives another run'
expect 0 'identical: ' "$cohort" replay again.cohort
expect 0 'small' "$cohort" run small.yaml --out all.cohort --events all --tie-order random:3
expect 0 'identical: ' "$cohort" replay all.cohort
rm -rf json.cohort again.cohort all.cohort out.json

# Every metric that an `expect:` line can name is told by a run.
{
    sed '/^expect:/,$d' small.yaml
    echo 'expect:'
    grep -oE '^    \{"[a-z_]+", EXPECT_[A-Z]+, (true|false), [A-Z]+' "$source/tools/expect.c" |
        tr -d '{",' | while read -r name _ grouped aggregates; do
        case $aggregates in
        PLAIN) uses='' ;;
        SPREAD) uses='max mean total' ;;
        SERIES) uses='max min mean last at' ;;
        QUANTILES) uses='p50 p95 p99 max' ;;
        esac
        term="$name($([ "$grouped" = true ] && echo billing))"
        for use in ${uses:-plain}; do
            case $use in
            plain) echo "  - $term == $term" ;;
            at) echo "  - at(30s, $term) == at(30s, $term)" ;;
            *) echo "  - $use($term) == $use($term)" ;;
            esac
        done
    done
} >metrics.yaml
[ "$(grep -c '^  - .* == ' metrics.yaml)" -gt 30 ] || fail 'metrics were not found'
expect 0 ' hold' "$cohort" run metrics.yaml --no-store
rm -f metrics.yaml

# An altered store: the first record that differs is named.
cp -r small-seed5.cohort altered.cohort
sqlite3 altered.cohort/run.db "update events set f3=f3+1 where number=(select max(number) from event_position)"
expect 1 'the first record that differs is number ' "$cohort" replay altered.cohort
rm -rf altered.cohort

# Answers and mistakes have their own codes; nothing is overwritten unasked.
expect 1 'expectations: 1 of 2 hold' "$cohort" run failing.yaml --no-store
expect 2 '--force replaces it' "$cohort" run small.yaml
expect 0 'stored in' "$cohort" run small.yaml --force
expect 2 'is not a run directory; it is left alone' "$cohort" run small.yaml --force --out small.yaml
expect 2 'expected canonical, reverse or random:N' "$cohort" run small.yaml --tie-order sideways
expect 2 'No such file' "$cohort" run absent.yaml
expect 2 'did you mean billing?' "$cohort" describe small-seed5.cohort --group biling
expect 2 'is after the end of the run' "$cohort" describe small-seed5.cohort --at 61s
expect 2 'is not a run directory' "$cohort" log "$work"
expect 2 'did you mean ownership?' "$cohort" plot small-seed5.cohort ownershp
expect 3 'cannot write no/such/place' "$cohort" run small.yaml --out no/such/place
only failing.yaml small-seed5.cohort small.yaml

# Interrupted, out of disk, killed: a clear error or nothing, never half a run directory.
long=(run small.yaml --set duration=30d --out long.cohort)
# (On a loaded machine the signal can come before the program listens.)
for delay in 0.5 2 8; do
    timeout -s INT --preserve-status $delay "$cohort" "${long[@]}" 2>said
    [ $? = 130 ] || fail 'interrupted, but not 130'
    grep -q 'nothing was written' said && break
done
grep -q 'nothing was written' said || fail 'interrupted, and not said'
rm -f said
only failing.yaml small-seed5.cohort small.yaml
for delay in 0.02 0.1 0.3; do
    "$cohort" "${long[@]}" 2>/dev/null &
    sleep $delay
    kill -KILL $!
    wait $! 2>/dev/null
    [ -e long.cohort ] && fail 'killed, and there is a run directory'
done
expect 0 'stored in' "$cohort" run small.yaml --out long.cohort
only failing.yaml small-seed5.cohort small.yaml long.cohort # what the killed runs left is gone
rm -rf long.cohort
small_disk() { (ulimit -f 200 && "$cohort" run small.yaml --out full.cohort); }
expect 3 'cannot write' small_disk
only failing.yaml small-seed5.cohort small.yaml
without_gnuplot() { PATH=/nonexistent "$cohort" plot small-seed5.cohort --out "$work/pictures"; }
expect 3 'apt-get install gnuplot-nox' without_gnuplot
only failing.yaml small-seed5.cohort small.yaml
if [ "$(id -u)" != 0 ]; then
    mkdir closed && chmod 555 closed
    expect 3 'Permission denied' "$cohort" run small.yaml --out closed/r.cohort
    rmdir closed
fi

# Comparisons: an arm against itself is the same, more runs extend fewer bit for bit, and the number
# of jobs changes nothing.
vary=groups.billing.members=2,2,3
expect 0 '2 and 2 are the same in every figure of every seed.' "$cohort" compare small.yaml \
    --vary "$vary" --runs 3 --out few.cohort
expect 0 'stored in few.cohort' "$cohort" compare small.yaml --vary "$vary" --runs 5 --extend --out few.cohort
expect 0 'stored in many.cohort' "$cohort" compare small.yaml --vary "$vary" --runs 5 --jobs 1 --out many.cohort
for file in runs.csv lag.csv comparison.json; do
    cmp few.cohort/$file many.cohort/$file || fail "extended $file is another"
done
expect 0 'NOT paired' "$cohort" compare small.yaml --vary producers.shop.rate=50/s,60/s --runs 2
expect 2 'one value is no comparison' "$cohort" compare small.yaml --vary groups.billing.members=2
expect 2 'holds another comparison' "$cohort" compare small.yaml --vary groups.billing.members=2,3 \
    --runs 5 --extend --out few.cohort

[ $failures = 0 ] && echo 'all is well'
exit $((failures > 0))
