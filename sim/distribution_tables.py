#!/usr/bin/env python3
"""Prints sim/distribution_tables.h. Run by hand when a table changes; the result is committed, so that
every compiler and machine has the same integers.

usage: python3 sim/distribution_tables.py >sim/distribution_tables.h
"""
from decimal import Decimal, getcontext
from statistics import NormalDist

getcontext().prec = 50
LN2 = Decimal(2).ln()


def rows(values, per_row, width):
    for start in range(0, len(values), per_row):
        yield "    " + ", ".join(f"{v:>{width}}" for v in values[start:start + per_row]) + ","


def table(comment, declaration, values, per_row, width=0):
    print(f"/* {comment} */\n{declaration} = {{")
    print("\n".join(rows(values, per_row, width)))
    print("};\n")


def fixed(value, bits):
    return int((value * (1 << bits)).to_integral_value())


def hexadecimal(value):
    return f"0x{value:016x}"


def tail_quantile(tail):
    """The z which a standard normal exceeds with this probability."""
    return Decimal(-NormalDist().inv_cdf(float(tail)))


print("/* sim/distribution_tables.h: made by sim/distribution_tables.py; do not edit. */")
print("/* clang-format off */")
print("#ifndef SIM_DISTRIBUTION_TABLES_H\n#define SIM_DISTRIBUTION_TABLES_H\n\n#include <stdint.h>\n")
table("log2(1 + i/256), 48 fraction bits", "static const uint64_t log2_table[257]",
      [hexadecimal(fixed((1 + Decimal(i) / 256).ln() / LN2, 48)) for i in range(257)], 5)
table("2^(i/256), 62 fraction bits", "static const uint64_t exp2_table[257]",
      [hexadecimal(fixed((LN2 * i / 256).exp(), 62)) for i in range(257)], 5)
OCTAVES, SEGMENTS = 36, 32
print(f"#define QUANTILE_OCTAVES {OCTAVES}\n#define QUANTILE_SEGMENTS {SEGMENTS}\n")
quantiles = []
for octave in range(OCTAVES):
    for segment in range(SEGMENTS):
        # Octave k holds the tails in (2^-(k+2), 2^-(k+1)], from its small end up.
        tail = (1 + Decimal(segment) / SEGMENTS) / (1 << (octave + 2))
        quantiles.append(fixed(tail_quantile(tail), 28))
    quantiles.append(fixed(tail_quantile(Decimal(1) / (1 << (octave + 1))), 28))
table("The z that a standard normal exceeds with probability (1 + segment/32) / 2^(octave + 2),\n"
      " * 28 fraction bits; each octave has its upper end as entry 32.",
      "static const int32_t quantile_table[QUANTILE_OCTAVES * (QUANTILE_SEGMENTS + 1)]",
      quantiles, 8, 10)
print("#endif")
