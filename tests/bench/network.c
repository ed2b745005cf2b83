#include "tests/bench/network.h"
#include "tests/bench/common.h"
#include "tests/common/spec.h"

#include <math.h>
#include <stdlib.h>

const bench_size bench_sizes[BENCH_SIZES] = {
    {.dim = 2, .layers = 5, .hidden = 64, .batch = 256, .rows = 16384},
    {.dim = 8, .layers = 5, .hidden = 128, .batch = 512, .rows = 16384},
    {.dim = 21, .layers = 5, .hidden = 256, .batch = 512, .rows = 8192},
    {.dim = 43, .layers = 5, .hidden = 512, .batch = 512, .rows = 4096},
    {.dim = 64, .layers = 10, .hidden = 512, .batch = 1024, .rows = 4096},
    {.dim = 784, .layers = 5, .hidden = 1024, .batch = 100, .rows = 1024},
};

/* Uniform with variance gain^2 / columns: outputs of the order of 0.3, so that five or ten layers
 * neither blow up nor stand still. */
static void fill(double *values, const flow_tensor_info *info, pcg *rng)
{
    const double gain = 0.7;
    size_t count = info->rows * (info->cols ? info->cols : 1);
    double width = info->cols ? gain * sqrt(3.0 / (double)info->cols) : 0.2;
    for (size_t i = 0; i < count; i++)
        values[i] = width * (2 * pcg_uniform(rng) - 1);
}

static void mask(const flow *f, double *values, const flow_tensor_info *info, size_t t)
{
    unsigned char *live = take(info->cols + 1, 1);
    for (size_t row = 0; row < info->rows && info->cols; row++) {
        flow_tensor_live(f, live, t, row);
        for (size_t col = 0; col < info->cols; col++)
            values[row * info->cols + col] *= live[col];
    }
    free(live);
}

static void randomise(flow *f, uint64_t seed)
{
    pcg_stream stream = {.seed = seed, .stage = PCG_TEST, .purpose = PCG_INIT};
    for (size_t t = 0; t < flow_n_tensors(f); t++) {
        flow_tensor_info info;
        flow_err err = FLOW_ERR_INIT;
        pcg rng = pcg_at(stream, (uint64_t)t << 32, 1);
        flow_tensor(f, &info, t);
        double *values = take(info.rows * (info.cols ? info.cols : 1), sizeof *values);
        fill(values, &info, &rng);
        mask(f, values, &info, t);
        if (flow_tensor_set(f, values, t, &err))
            die("%s", err.text);
        free(values);
    }
}

static flow *create(const bench_size *size, flow_direction direction)
{
    const size_t hidden[] = {size->hidden, size->hidden};
    const flow_spec spec = {.dim = size->dim,
                            .direction = direction,
                            .layers = size->layers,
                            .hidden = hidden,
                            .n_hidden = 2,
                            .activation = "relu",
                            .transformer = "affine",
                            .scale_bound = BENCH_SCALE_BOUND,
                            .permute = FLOW_REVERSE};
    flow_err err = FLOW_ERR_INIT;
    flow *f = flow_spec_create(&spec, FLOW_F32, &err);
    if (!f)
        die("%s", err.text);
    return f;
}

flow *bench_new_network(const bench_size *size, flow_direction direction, uint64_t seed)
{
    const pcg_stream start = {.seed = seed, .stage = PCG_TEST, .purpose = PCG_INIT};
    flow *f = create(size, direction);
    flow_init(f, start);
    return f;
}

flow *bench_network(const bench_size *size, flow_direction direction, uint64_t seed)
{
    flow *f = create(size, direction);
    randomise(f, seed);
    return f;
}

double bench_live_weights(const flow *f)
{
    size_t biases = 0;
    for (size_t t = 0; t < flow_n_tensors(f); t++) {
        flow_tensor_info info;
        flow_tensor(f, &info, t);
        biases += info.cols == 0 ? info.rows : 0;
    }
    return (double)(flow_n_weights(f) - biases);
}
