#!/usr/bin/env bash
# The rules that keep runs repeatable and layers apart, checked on the source text.
# usage: tests/architecture.sh SOURCE_DIR     exit 1 and a list when a rule is broken
set -u
cd "$1" || exit 2
failed=0

# A rule: what it is about, the pattern nobody may write, the files it holds for.
# Comment lines and trailing comments are not code; they are cut off before the search.
rule() {
    local title=$1 pattern=$2
    shift 2
    local hits
    hits=$(for file in "$@"; do
        [ -f "$file" ] || continue
        sed -E 's@//.*$@@; s@/\*.*\*/@@; s@^ *\*.*$@@; s@/\*.*$@@; s@"([^"\\]|\\.)*"@""@g' "$file" |
            grep -nE "$pattern" | sed "s@^@$file:@"
    done)
    [ -z "$hits" ] && return 0
    printf '%s\n%s\n\n' "$title" "$hits"
    failed=1
}

# Includes are strings, so they are looked at before strings are blanked.
layer() {
    local title=$1 pattern=$2
    shift 2
    local hits
    hits=$(grep -nE "$pattern" "$@" /dev/null 2>/dev/null)
    [ -z "$hits" ] && return 0
    printf '%s\n%s\n\n' "$title" "$hits"
    failed=1
}

mapfile -t sim < <(find sim -name '*.[ch]' | sort)
mapfile -t sim_cc < <(find sim -name '*.cc' | sort)
mapfile -t model < <(find model -name '*.[ch]' | sort)

layer "sim/ may include only sim/ and the C library:" '#include "(model|tools|tests)/' "${sim[@]}" "${sim_cc[@]}"
layer "model/ may include only sim/ and model/:" '#include "(tools|tests)/' "${model[@]}"
layer "pointers must not be printed or hashed:" '%p' "${sim[@]}" "${sim_cc[@]}" "${model[@]}"
layer "no clock, locale, thread or file header in sim/ and model/:" \
    '#include <(time|sys/time|locale|pthread|threads|unistd|fcntl|math|fenv|signal)\.h>' "${sim[@]}" "${model[@]}"
rule "wall clock, environment and unkeyed draws are banned in sim/ and model/:" \
    '\b(rand|srand|random|srandom|drand48|time|clock|clock_gettime|gettimeofday|getenv|setlocale|arc4random|getpid)[[:space:]]*\(' \
    "${sim[@]}" "${sim_cc[@]}" "${model[@]}"
rule "floating point is banned in sim/ and model/:" '\b(double|float|long double)\b' "${sim[@]}" "${model[@]}"
rule "pointers must not be compared or hashed as numbers in sim/ and model/:" '\(u?intptr_t\)' "${sim[@]}" "${model[@]}"
exit $failed
