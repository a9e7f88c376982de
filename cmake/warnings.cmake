# The warnings every target is built with; -Werror, because a warning nobody must mend is noise.
set(COHORT_WARNINGS
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wundef -Wformat=2
    -Wcast-qual -Wcast-align -Wwrite-strings -Wvla -Wswitch-enum -Wdouble-promotion)
set(COHORT_C_WARNINGS -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition)
add_compile_options(
    "${COHORT_WARNINGS}" "$<$<COMPILE_LANGUAGE:C>:${COHORT_C_WARNINGS}>"
    -fno-strict-overflow -ffp-contract=off)
