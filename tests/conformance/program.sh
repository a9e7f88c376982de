#!/usr/bin/env bash
# build/conformance as a program: last line, exit code, what it says about unusable input.
# usage: program.sh CONFORMANCE DATA_DIR
set -u
conformance=$1
data=$2
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory" || exit 1
failed=0

# expect WHAT EXIT_CODE LAST_LINE ARGUMENT...
expect() {
    local what=$1 code=$2 last=$3
    shift 3
    "$conformance" "$@" >out 2>err
    local got=$?
    [ "$got" = "$code" ] && [ "$(tail -n 1 out)" = "$last" ] && return
    echo "$what: exit $got (expected $code), last line '$(tail -n 1 out)' (expected '$last')"
    failed=1
}

# says WHAT PATTERN FILE: the file the last run left has such a line
says() {
    grep -q "$2" "$3" && return
    echo "$1: no '$2' in:"
    cat "$3"
    failed=1
}

zcat "$data/murmur2.jsonl.gz" | head -n 3 >plain.jsonl
expect "plain file" 0 "3 passed, 0 failed" plain.jsonl
expect "two files" 0 "303 passed, 0 failed" plain.jsonl "$data/roundrobin-partitioner.jsonl.gz"
printf '%s' "$(cat plain.jsonl)" >unended.jsonl
expect "no line feed at the end" 0 "3 passed, 0 failed" unended.jsonl

sed '2s/"partition":[0-9]*/"partition":99999/' plain.jsonl >wrong.jsonl
expect "one wrong" 1 "2 passed, 1 failed" wrong.jsonl
says "one wrong" 'FAILED dev-murmur2-00002 (murmur2, wrong.jsonl:2)' out
says "one wrong" 'partition: Kafka 99999, here' out

zcat "$data/range.jsonl.gz" | head -n 40 | sed '/"fixed"/!s/"output":{"assignment":{"\([^"]*\)":{[^}]*}/"output":{"assignment":{"\1":{}/' >moved.jsonl
"$conformance" moved.jsonl >out 2>err
says "changed assignments" ': Kafka nobody, here' out

expect "no such file" 2 "0 passed, 0 failed" nowhere.jsonl
says "no such file" 'nowhere.jsonl: error: No such file' err
echo 'not json' >broken.jsonl
expect "no JSON" 2 "0 passed, 0 failed" broken.jsonl
says "no JSON" 'broken.jsonl:1: error:' err
echo '{"id":"x","what":1}' >unknown.jsonl
expect "unknown kind" 2 "0 passed, 0 failed" unknown.jsonl
echo '{"id":"x","assignor":"range","input":{}}' >half.jsonl
expect "half a case" 2 "0 passed, 0 failed" half.jsonl
head -c 20000 "$data/murmur2.jsonl.gz" >cut.jsonl.gz
"$conformance" cut.jsonl.gz >out 2>err
[ $? = 2 ] || { echo "cut-off file: not exit 2"; failed=1; }
says "cut-off file" 'unexpected end of file' err
expect "no file at all" 2 ""
exit $failed
