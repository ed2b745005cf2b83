/* flow/layer/moments_low.h -- how units go together: their second moments over rows, and what each is as far as those
 * before it tell. */
#ifndef FLOW_LAYER_MOMENTS_LOW_H
#define FLOW_LAYER_MOMENTS_LOW_H

#include "flow/layer/real.h"

/* Of more units nobody takes the moments: it would be longer than it is worth. */
enum { MOMENTS_LOW_MOST = 256 };

#define moments_low_add FLOW_NAME(moments_low_add)
#define moments_low_predict FLOW_NAME(moments_low_predict)

/* sums (K, K) += a_i a_j over a shard of units a (K, ld), for i = row0 .. row1 - 1 and j <= i. */
void moments_low_add(double *sums, const real *a, size_t units, size_t row0, size_t row1,
                     size_t ld);

/* The sums over n rows become, in place, of row k the first k numbers: by how much unit k is expected to be higher for one
 * that unit j < k is, both as (a - mean) inverse; least squares, each unit with so much variance of its own besides.
 * By K = L D L^T: row k of 1 - L^-1. */
void moments_low_predict(double *sums, const real *mean, const real *inverse, size_t units,
                         size_t n, double own);

#endif
