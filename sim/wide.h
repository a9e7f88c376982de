/* sim/wide.h: 128-bit integers, for products of two 64-bit ones before a division. gcc and clang
 * have them on every 64-bit target; ISO C does not, hence the extension mark. */
#ifndef SIM_WIDE_H
#define SIM_WIDE_H

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

#endif
