/* flow/shuffle.h -- a random order of n rows that takes no memory, both ways.
 *
 * A Feistel network on the numbers below a * b, with a about the root of n and a * b - n < a, walked on where it
 * leaves 0 .. n - 1 (Black and Rogaway 2002, "Ciphers with Arbitrary Finite Domains"). Six rounds
 * of a 64-bit mixer make it no cipher, but an order in which nothing hangs together (tests/flow/shuffle.c). Each row takes a few tens
 * of ns, so where rows are few an array (pcg_permutation_32) is as good, and is what is used. */
#ifndef FLOW_SHUFFLE_H
#define FLOW_SHUFFLE_H

#include "flow/pcg.h"

/* Of more rows than this. Part of the reproducibility promise. */
enum { FLOW_SHUFFLE_ROWS = 1 << 18, FLOW_SHUFFLE_ROUNDS = 6 };

typedef struct flow_shuffle {
    uint64_t n, a, b, keys[FLOW_SHUFFLE_ROUNDS];
} flow_shuffle;

/* 0 < n <= 2^32. Each row of a stream has an order of its own. */
flow_shuffle flow_shuffle_of(uint64_t n, pcg_stream stream, uint64_t row);

/* What is at place i < n, and the place that x < n is at. */
uint64_t flow_shuffle_at(const flow_shuffle *self, uint64_t i);
uint64_t flow_shuffle_place(const flow_shuffle *self, uint64_t x);

#endif
