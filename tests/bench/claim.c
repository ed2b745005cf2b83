#include "tests/bench/claim.h"
#include "tests/bench/case.h"
#include "tests/bench/common.h"
#include "tests/bench/naive.h"

#include <math.h>
#include <stdlib.h>

enum { COMPARED = 512 };

static const bench_size size = {.dim = 64, .layers = 5, .hidden = 512, .batch = 1024, .rows = 4096};

static double largest_difference(const double *a, const double *b, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double off = fabs(a[i] - b[i]);
        most = off <= most ? most : off; /* keeps a NaN */
    }
    return most;
}

static void transport(const flow *f, flow_pool *pool, double *x, const double *z, size_t n)
{
    flow_err err = FLOW_ERR_INIT;
    if (flow_transport(f, pool, x, NULL, z, NULL, n, &err))
        die("%s", err.text);
}

static void compare(claim *out, const flow *teacher, flow_pool *pool)
{
    const pcg_stream stream = {.seed = 7, .stage = PCG_TEST, .purpose = PCG_BASE};
    const size_t n = COMPARED, count = n * size.dim;
    double *z = take(5 * count, sizeof *z), *fast = z + count, *slow = fast + count;
    double *precise = slow + count, *zero = precise + count;
    flow_err err = FLOW_ERR_INIT;
    flow *wide = flow_convert(teacher, FLOW_F64, &err);
    if (!wide)
        die("%s", err.text);
    naive *reference = naive_create(teacher, pool);
    pcg_normals(z, stream, 0, n, size.dim);
    transport(teacher, pool, fast, z, n);
    transport(wide, pool, precise, z, n);
    naive_sample(reference, slow, z, n, size.dim);
    out->rows = n;
    out->difference = largest_difference(fast, slow, count);
    out->rounding = largest_difference(fast, precise, count);
    out->largest = largest_difference(fast, zero, count);
    naive_free(reference);
    flow_free(wide);
    free(z);
}

static void time_rounds(claim *out, bench_case *c, size_t rounds, double least)
{
    double *t = take(5 * rounds, sizeof *t), *incremental = t, *forward = t + rounds;
    double *dense = t + 2 * rounds, *ratio = t + 3 * rounds, *dense_ratio = t + 4 * rounds;
    for (size_t r = 0; r < rounds; r++) {
        incremental[r] = bench_case_rate(c, BENCH_SAMPLE, least);
        forward[r] = bench_case_rate(c, BENCH_DENSITY, least) / (double)size.dim;
        dense[r] = bench_case_rate(c, BENCH_NAIVE, least);
        ratio[r] = incremental[r] / forward[r];
        dense_ratio[r] = incremental[r] / dense[r];
    }
    out->incremental = median(incremental, rounds);
    out->forward = median(forward, rounds);
    out->dense = median(dense, rounds);
    out->ratio = median(ratio, rounds);
    out->dense_ratio = median(dense_ratio, rounds);
    free(t);
}

/* Rounding differs by path, so the two need not agree better than either does with f64; a wrong
 * sampler is off by about the samples themselves. */
void claim_check(claim *out, flow_pool *pool, size_t rounds, double least)
{
    bench_case *c = bench_case_create(&size, pool);
    compare(out, bench_case_teacher(c), pool);
    time_rounds(out, c, rounds, least);
    out->agree = out->difference <= 20 * out->rounding && out->rounding <= 1e-3 * out->largest;
    out->holds = out->agree && out->ratio >= CLAIM_TIMES;
    bench_case_free(c);
}
