#include "tests/bench/naive.h"
#include "tests/bench/common.h"
#include "tests/bench/network.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARD = 128, MAX_MAPS = 8 };

typedef struct dense_map {
    size_t rows, cols;
    float *weight, *bias; /* (rows, cols), (rows) */
} dense_map;

/* A masked network and its affine transformer, or, without maps, a reordering. */
typedef struct dense_layer {
    size_t n_maps;
    dense_map maps[MAX_MAPS];
    size_t *order; /* y_i = x_order[i] */
} dense_layer;

struct naive {
    flow_pool *pool;
    size_t dim, n_layers, widest;
    dense_layer *layers;
    float *work; /* (threads, 4, SHARD * widest) */
};

/* ---- the weights */

static float *tensor(const flow *f, flow_tensor_info *info, size_t layer, size_t map,
                     const char *what)
{
    char name[96];
    snprintf(name, sizeof name, "layers.%zu.conditioner.%zu.%s", layer, map, what);
    for (size_t t = 0; t < flow_n_tensors(f); t++) {
        flow_tensor(f, info, t);
        if (strcmp(info->name, name) != 0)
            continue;
        size_t count = info->rows * (info->cols ? info->cols : 1);
        double *values = take(count, sizeof *values);
        float *out = take(count, sizeof *out);
        flow_tensor_get(f, values, t);
        for (size_t i = 0; i < count; i++)
            out[i] = (float)values[i];
        free(values);
        return out;
    }
    return NULL;
}

static void read_maps(naive *self, dense_layer *to, const flow *f, size_t layer)
{
    flow_tensor_info info;
    float *weight;
    while (to->n_maps < MAX_MAPS &&
           (weight = tensor(f, &info, layer, to->n_maps, "weight")) != NULL) {
        dense_map *map = &to->maps[to->n_maps];
        *map = (dense_map){.rows = info.rows, .cols = info.cols, .weight = weight};
        map->bias = tensor(f, &info, layer, to->n_maps++, "bias");
        self->widest = map->rows > self->widest ? map->rows : self->widest;
    }
    if (to->n_maps == 0)
        die("layer %zu: no network in the flow's tensors", layer);
}

static void read_order(naive *self, dense_layer *to, const json_t *order)
{
    to->order = take(self->dim, sizeof *to->order);
    for (size_t i = 0; i < self->dim; i++)
        to->order[i] = (size_t)json_integer_value(json_array_get(order, i));
}

naive *naive_create(const flow *maf, flow_pool *pool)
{
    naive *self = take(1, sizeof *self);
    json_t *description = flow_describe(maf);
    const json_t *layers = json_object_get(description, "layers");
    *self = (naive){.pool = pool, .dim = flow_dim(maf), .widest = flow_dim(maf)};
    self->n_layers = json_array_size(layers);
    self->layers = take(self->n_layers, sizeof *self->layers);
    for (size_t l = 0; l < self->n_layers; l++) {
        const json_t *order = json_object_get(json_array_get(layers, l), "order");
        if (order)
            read_order(self, &self->layers[l], order);
        else
            read_maps(self, &self->layers[l], maf, l);
    }
    json_decref(description);
    self->work = take(flow_pool_threads(pool) * 4 * SHARD * self->widest, sizeof *self->work);
    return self;
}

void naive_free(naive *self)
{
    if (!self)
        return;
    for (size_t l = 0; l < self->n_layers; l++) {
        for (size_t m = 0; m < self->layers[l].n_maps; m++) {
            free(self->layers[l].maps[m].weight);
            free(self->layers[l].maps[m].bias);
        }
        free(self->layers[l].order);
    }
    free(self->layers);
    free(self->work);
    free(self);
}

/* ---- one pass: out (n, rows) = network(x (n, D)); returns where the result is */

static void add_bias(float *y, const dense_map *map, size_t n, int rectify)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < map->rows; i++) {
            float v = y[r * map->rows + i] + map->bias[i];
            y[r * map->rows + i] = rectify && v < 0 ? 0 : v;
        }
}

static const float *network(const dense_layer *layer, float *a, float *b, const float *x, size_t n)
{
    for (size_t m = 0; m < layer->n_maps; m++) {
        const dense_map *map = &layer->maps[m];
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, (blasint)map->rows,
                    (blasint)map->cols, 1, x, (blasint)map->cols, map->weight, (blasint)map->cols,
                    0, a, (blasint)map->rows);
        add_bias(a, map, n, m + 1 < layer->n_maps);
        x = a;
        float *t = a;
        a = b;
        b = t;
    }
    return x;
}

/* x = (y - m(x)) e^-s(x), in all dimensions at once. */
static void solve_all(float *x, const float *y, const float *h, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float u = h[2 * i + 1], s = u / (1 + fabsf(u) / (float)BENCH_SCALE_BOUND);
        x[i] = (y[i] - h[2 * i]) * expf(-s);
    }
}

/* ---- the whole */

static void reorder_back(float *x, const float *y, const size_t *order, size_t n, size_t dim)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < dim; i++)
            x[r * dim + order[i]] = y[r * dim + i];
}

typedef struct job {
    const naive *self;
    double *x;
    const double *z;
    size_t n, passes;
} job;

static void shard_work(void *arg, size_t index, size_t worker)
{
    const job *j = arg;
    const naive *self = j->self;
    size_t row = index * SHARD, n = j->n - row < SHARD ? j->n - row : SHARD;
    size_t count = n * self->dim, room = SHARD * self->widest;
    float *y = self->work + worker * 4 * room, *x = y + room, *a = x + room, *b = a + room;
    for (size_t i = 0; i < count; i++)
        y[i] = (float)j->z[row * self->dim + i];
    for (size_t l = self->n_layers; l-- > 0;) {
        const dense_layer *layer = &self->layers[l];
        memset(x, 0, count * sizeof *x);
        for (size_t p = 0; layer->n_maps && p < j->passes; p++)
            solve_all(x, y, network(layer, a, b, x, n), count);
        if (layer->order)
            reorder_back(x, y, layer->order, n, self->dim);
        float *t = x;
        x = y;
        y = t;
    }
    for (size_t i = 0; i < count; i++)
        j->x[row * self->dim + i] = y[i];
}

void naive_sample(const naive *self, double *x, const double *z, size_t n, size_t passes)
{
    job j = {.self = self, .x = x, .z = z, .n = n, .passes = passes};
    flow_pool_run(self->pool, shard_work, &j, (n + SHARD - 1) / SHARD);
}
