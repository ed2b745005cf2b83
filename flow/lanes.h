/* flow/lanes.h -- how a training batch is cut into work: rows into shards, shards into lanes.
 *
 * The cut follows from the batch alone, never from the number of threads. A lane's shards are run in
 * order by one thread, into one gradient block (optimizer.h), and lanes are summed from the first to the last.
 * Several machines would each need lanes of their own and a sum over a fixed tree: of other lanes, for a
 * large network has one only (flow_lanes_cut_for), and in another order, so with other bits than these. */
#ifndef FLOW_LANES_H
#define FLOW_LANES_H

#include "flow/flow.h"

enum { FLOW_MAX_LANES = 16 };

typedef struct flow_lanes {
    size_t rows;  /* of the batch */
    size_t shard; /* rows of a shard; the last one may have fewer */
    size_t shards;
    size_t lanes; /* min(shards, FLOW_MAX_LANES) */
} flow_lanes;

/* shard 0: half the batch, in steps of 16, from 16 to FLOW_SHARD rows. */
flow_lanes flow_lanes_cut(size_t batch, size_t shard);

/* The same for a training of `trained` by forward and backward alone. With shard 0, shards of a large
 * network are as long as they can be: threads share its maps anyway (pool.h), and a gradient lane
 * less is the less memory to go through. */
flow_lanes flow_lanes_cut_for(const flow *trained, size_t batch, size_t shard);

/* One shard: rows row .. row + n - 1 of the batch. */
typedef struct flow_slice {
    size_t shard, row, n;
    size_t lane, worker;
} flow_slice;

/* Rows of a lane; 0 for those beyond the last. */
size_t flow_lanes_rows(const flow_lanes *self, size_t lane);

/* Slices are given to workers 0 .. that - 1 only. */
size_t flow_lanes_workers(const flow_lanes *self, const flow_pool *pool);

void flow_lanes_run(const flow_lanes *self, flow_pool *pool,
                    void (*work)(void *arg, const flow_slice *slice), void *arg);

#endif
