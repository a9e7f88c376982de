#!/usr/bin/env bash
# The frame every command stands in: exit codes, what goes to which stream, colour.
# usage: tests/command_line.sh COHORT
set -u
cohort=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
failed=0
unset NO_COLOR CLICOLOR_FORCE
export TERM=xterm

# expect NAME CODE STREAM PATTERN COMMAND...: runs the command; the pattern must be in the stream
# (out, err or none: nothing at all may be printed there).
expect() {
    local name=$1 code=$2 stream=$3 pattern=$4 got=0
    shift 4
    "$@" >out 2>err </dev/null || got=$?
    if [ "$got" != "$code" ]; then
        echo "$name: exit code $got, expected $code"
        cat err
        failed=1
    elif [ "$stream" = none ]; then
        [ -s "$pattern" ] && { echo "$name: something went to $pattern:"; cat "$pattern"; failed=1; }
    elif ! grep -qF -- "$pattern" "$stream"; then
        echo "$name: std$stream lacks \"$pattern\":"
        cat "$stream"
        failed=1
    fi
    return 0
}

cat >good.yaml <<'END'
scenario: 1
topics: {t: {partitions: 3}}
groups: {g: {members: 1}}
END
sed 's/members: 1/members: one/' good.yaml >bad.yaml
sed 's/members: 1/members: 5/' good.yaml >unwise.yaml

expect "no arguments" 0 out "usage: cohort COMMAND" "$cohort"
expect "no arguments" 0 out "cohort run scenarios/" "$cohort"
expect "--help" 0 out "commands:" "$cohort" --help
expect "-h" 0 out "commands:" "$cohort" -h
expect "--version" 0 out "(build " "$cohort" --version
expect "a misspelt command" 2 err "did you mean cohort check?" "$cohort" chekc good.yaml
expect "a misspelt command" 2 none out "$cohort" chekc good.yaml
expect "help of a command" 0 out "usage: cohort check [options] SCENARIO..." "$cohort" help check
expect "help of a command" 0 out "usage: cohort check [options] SCENARIO..." "$cohort" check --help
expect "help of a command" 0 out "usage: cohort check [options] SCENARIO..." "$cohort" check -h
expect "help of nothing" 2 err "unknown command nothing" "$cohort" help nothing
expect "the reference page" 0 out '| `session.timeout.ms` |' "$cohort" help scenario
expect "the schema" 0 out '"$schema": "http://json-schema.org/draft-07/schema#"' "$cohort" schema
expect "a missing argument" 2 err "SCENARIO... is missing" "$cohort" check
expect "an unknown option" 2 err "did you mean --set?" "$cohort" check --sett x good.yaml
expect "a sound scenario" 0 out "good.yaml: sound: 1 topic, 1 group with 1 member," "$cohort" check good.yaml
expect "a sound scenario" 0 none err "$cohort" check good.yaml
expect "an unwise scenario" 0 err "unwise.yaml:3:14: warning: 5 members for 3 partitions" "$cohort" check unwise.yaml
expect "a wrong scenario" 2 err "bad.yaml:3:23: error: members: one: not a whole number" "$cohort" check bad.yaml
expect "a wrong scenario" 2 none out "$cohort" check bad.yaml
expect "one wrong of two" 2 out "good.yaml: sound" "$cohort" check bad.yaml good.yaml
expect "standard input" 0 out "sound" bash -c "'$cohort' check - <good.yaml"
expect "--set" 0 out "with 7 members" "$cohort" check --set groups.g.members=7 good.yaml
expect "--seed" 0 out "seed: 99" "$cohort" check --resolved --seed 99 good.yaml
expect "a full disk" 3 err "stdout" bash -c "'$cohort' schema >/dev/full"

# Colour only where it is wanted: neither stream is a terminal here.
escape=$(printf '\033')
expect "--color=always" 2 err "$escape[" "$cohort" check --color=always bad.yaml
expect "CLICOLOR_FORCE" 2 err "$escape[" env CLICOLOR_FORCE=1 "$cohort" check bad.yaml
for variables in "TERM=xterm" "NO_COLOR=1 CLICOLOR_FORCE=1" "CLICOLOR_FORCE=0"; do
    # shellcheck disable=SC2086 # several variables
    env $variables "$cohort" check bad.yaml 2>err
    grep -q "$escape" err && { echo "$variables: colour"; failed=1; }
done
env CLICOLOR_FORCE=1 "$cohort" check --color never bad.yaml 2>err
grep -q "$escape" err && { echo "--color never: colour"; failed=1; }

# Nothing is left behind by any of this.
rm -f out err good.yaml bad.yaml unwise.yaml
[ -z "$(ls -A)" ] || { echo "left behind:"; ls -A; failed=1; }
# Every command has its help and an example.
for command in $("$cohort" | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    "$cohort" help "$command" | grep -q "^example:" || { echo "help $command has no example"; failed=1; }
done
exit $failed
