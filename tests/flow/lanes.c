/* How a batch is cut: every row once, the same cut for any number of threads, lanes in order. */
#include "flow/lanes.h"
#include "flow/flow.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>

typedef struct record {
    flow_slice slices[2048]; /* by shard */
    atomic_uint runs[2048];
    atomic_uint next_of_lane[FLOW_MAX_LANES]; /* shards that each lane has done */
    atomic_int disorder;
    const flow_lanes *cut;
    size_t threads;
} record;

static void note(void *arg, const flow_slice *slice)
{
    record *r = arg;
    r->slices[slice->shard] = *slice;
    atomic_fetch_add(&r->runs[slice->shard], 1);
    size_t first = slice->lane * r->cut->shards / r->cut->lanes;
    if (slice->worker >= r->threads || slice->lane >= r->cut->lanes ||
        first + atomic_fetch_add(&r->next_of_lane[slice->lane], 1) != slice->shard)
        atomic_fetch_add(&r->disorder, 1);
}

static record *run(const flow_lanes *cut, size_t threads)
{
    record *r = calloc(1, sizeof *r);
    r->cut = cut;
    r->threads = threads;
    flow_pool *pool = flow_pool_create(threads, NULL);
    flow_lanes_run(cut, pool, note, r);
    flow_pool_free(pool);
    return r;
}

/* Shards follow each other without gap; all but the last are full; every lane has some. */
static void check_cut(size_t batch, size_t shard)
{
    flow_lanes cut = flow_lanes_cut(batch, shard);
    size_t row = 0;
    cr_assert_eq(cut.rows, batch);
    cr_assert(shard == 0 || cut.shard == shard);
    cr_assert(cut.lanes >= 1 && cut.lanes <= FLOW_MAX_LANES && cut.lanes <= cut.shards);
    cr_assert(cut.lanes == cut.shards || cut.lanes == FLOW_MAX_LANES);
    record *one = run(&cut, 1), *three = run(&cut, 3);
    for (size_t s = 0; s < cut.shards; s++) {
        const flow_slice *a = &one->slices[s], *b = &three->slices[s];
        cr_assert(atomic_load(&one->runs[s]) == 1 && atomic_load(&three->runs[s]) == 1,
                  "batch %zu, shard %zu: shard %zu not once", batch, shard, s);
        cr_assert_eq(a->row, row, "batch %zu: shard %zu starts at %zu", batch, s, a->row);
        cr_assert_eq(a->n, s + 1 < cut.shards ? cut.shard : batch - row);
        cr_assert(a->n > 0 && a->n <= cut.shard);
        cr_assert(b->row == a->row && b->n == a->n && b->lane == a->lane,
                  "batch %zu: shard %zu differs between 1 and 3 threads", batch, s);
        row += a->n;
    }
    cr_assert_eq(row, batch);
    cr_assert(atomic_load(&one->disorder) == 0 && atomic_load(&three->disorder) == 0,
              "batch %zu, shard %zu: lanes out of order", batch, shard);
    size_t rows = 0;
    for (size_t lane = 0; lane < cut.lanes; lane++) {
        size_t of_lane = 0;
        for (size_t s = 0; s < cut.shards; s++)
            of_lane += one->slices[s].lane == lane ? one->slices[s].n : 0;
        cr_assert_eq(flow_lanes_rows(&cut, lane), of_lane, "batch %zu: lane %zu", batch, lane);
        rows += of_lane;
    }
    cr_assert_eq(rows, batch);
    cr_assert_eq(flow_lanes_rows(&cut, cut.lanes), 0);
    free(one);
    free(three);
}

Test(lanes, every_row_once)
{
    static const size_t batches[] = {1, 2, 15, 16, 17, 31, 33, 100, 128, 129, 256, 257, 1000, 1024};
    static const size_t shards[] = {0, 1, 7, 16, 100, 128};
    for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++)
        for (size_t s = 0; s < sizeof shards / sizeof shards[0]; s++)
            check_cut(batches[b], shards[s]);
}

/* Half the batch, in steps of 16, from 16 to FLOW_SHARD rows. */
Test(lanes, automatic_shard)
{
    static const size_t want[][2] = {{1, 16},           {16, 16},          {33, 32},
                                     {64, 32},          {65, 48},          {200, 112},
                                     {256, FLOW_SHARD}, {257, FLOW_SHARD}, {4096, FLOW_SHARD}};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        cr_assert_eq(flow_lanes_cut(want[i][0], 0).shard, want[i][1], "batch %zu: shard %zu",
                     want[i][0], flow_lanes_cut(want[i][0], 0).shard);
}
