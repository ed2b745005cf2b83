#include "flow/lanes.h"

#include <assert.h>

flow_lanes flow_lanes_cut(size_t batch, size_t shard)
{
    assert(batch > 0);
    if (shard == 0) {
        shard = ((batch + 1) / 2 + 15) / 16 * 16;
        shard = shard > FLOW_SHARD ? FLOW_SHARD : shard;
    }
    size_t shards = (batch + shard - 1) / shard;
    return (flow_lanes){.rows = batch,
                        .shard = shard,
                        .shards = shards,
                        .lanes = shards < FLOW_MAX_LANES ? shards : FLOW_MAX_LANES};
}

flow_lanes flow_lanes_cut_for(const flow *trained, size_t batch, size_t shard)
{
    enum { LARGE = 1 << 20 }; /* parameters */
    if (shard == 0 && flow_n_params(trained) >= LARGE)
        shard = batch < FLOW_SHARD ? batch : FLOW_SHARD;
    return flow_lanes_cut(batch, shard);
}

size_t flow_lanes_rows(const flow_lanes *self, size_t lane)
{
    if (lane >= self->lanes)
        return 0;
    size_t first = lane * self->shards / self->lanes * self->shard;
    size_t end = (lane + 1) * self->shards / self->lanes * self->shard;
    return (end < self->rows ? end : self->rows) - first;
}

typedef struct run {
    const flow_lanes *cut;
    void (*work)(void *arg, const flow_slice *slice);
    void *arg;
} run;

static void run_lane(void *arg, size_t lane, size_t worker)
{
    const run *r = arg;
    const flow_lanes *cut = r->cut;
    size_t end = (lane + 1) * cut->shards / cut->lanes;
    for (size_t shard = lane * cut->shards / cut->lanes; shard < end; shard++) {
        size_t row = shard * cut->shard, left = cut->rows - row;
        flow_slice slice = {.shard = shard,
                            .row = row,
                            .n = left < cut->shard ? left : cut->shard,
                            .lane = lane,
                            .worker = worker};
        r->work(r->arg, &slice);
    }
}

size_t flow_lanes_workers(const flow_lanes *self, const flow_pool *pool)
{
    return self->lanes == 1 ? 1 : flow_pool_threads(pool);
}

void flow_lanes_run(const flow_lanes *self, flow_pool *pool,
                    void (*work)(void *arg, const flow_slice *slice), void *arg)
{
    run r = {.cut = self, .work = work, .arg = arg};
    flow_pool_run(pool, run_lane, &r, self->lanes);
}
