#include "tests/common/far_modes.h"

#include "flow/preset.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static const double mean[FAR_MODES][2] = {{-1.2, -1}, {1.5, 0.5}, {0.1, 1.7}};
const double far_modes_share[FAR_MODES] = {0.6, 0.3, 0.1};
static const double *const share = far_modes_share, width = 0.12;

static void *work_create(const target *self, size_t max_rows, flow_err *err)
{
    (void)self, (void)max_rows, (void)err;
    return malloc(1);
}

static void work_free(const target *self, void *work)
{
    (void)self;
    free(work);
}

static double square(const double *x, size_t k)
{
    double a = x[0] - mean[k][0], b = x[1] - mean[k][1];
    return (a * a + b * b) / (width * width);
}

static double density(double *grad, const double *x)
{
    double each[FAR_MODES], top = -INFINITY, sum = 0;
    for (size_t k = 0; k < FAR_MODES; k++) {
        each[k] = log(share[k] / (width * width * 6.283185307179586)) - 0.5 * square(x, k);
        top = fmax(top, each[k]);
    }
    for (size_t k = 0; k < FAR_MODES; k++)
        sum += each[k] = exp(each[k] - top);
    for (size_t i = 0; grad && i < 2; i++) {
        grad[i] = 0;
        for (size_t k = 0; k < FAR_MODES; k++)
            grad[i] -= each[k] / sum * (x[i] - mean[k][i]) / (width * width);
    }
    return top + log(sum);
}

static int log_density(const target *self, double *logp, double *grad, target_status *status,
                       const double *x, const double *context, size_t n, void *work, flow_err *err)
{
    (void)self, (void)status, (void)context, (void)work, (void)err;
    for (size_t r = 0; r < n; r++)
        logp[r] = density(grad ? grad + 2 * r : NULL, x + 2 * r);
    return 0;
}

static int sample(const target *self, double *x, double *logp, target_status *status,
                  const double *context, const target_rows *rows, size_t n, void *work,
                  flow_err *err)
{
    pcg_stream which = rows->stream;
    which.purpose |= 1u << 30;
    pcg_normals(x, rows->stream, rows->first, n, 2);
    for (size_t r = 0; r < n; r++) {
        double u;
        pcg_uniforms(&u, which, rows->first + r, 1, 1);
        size_t k = u < share[0] ? 0 : u < share[0] + share[1] ? 1 : 2;
        for (size_t i = 0; i < 2; i++)
            x[2 * r + i] = mean[k][i] + width * x[2 * r + i];
    }
    return log_density(self, logp, NULL, status, x, context, n, work, err);
}

static void free_it(target *self)
{
    free(self);
}

static const target_ops ops = {.name = "far modes",
                               .free = free_it,
                               .work_create = work_create,
                               .work_free = work_free,
                               .log_density = log_density,
                               .sample = sample};

target *far_modes_create(void)
{
    target *self = malloc(sizeof *self);
    cr_assert(self);
    *self = (target){.ops = &ops, .dim = 2, .flags = TARGET_GRADIENT | TARGET_THREADS};
    return self;
}

flow *far_modes_student(void)
{
    return far_modes_flow(FLOW_NOISE_TO_DATA);
}

flow *far_modes_flow(flow_direction direction)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_place place = {.dim = 2, .stream = {1, PCG_TEST, PCG_PERMUTE}};
    json_t *said =
        json_pack("{s:s, s:i, s:{s:s, s:[i, i]}, s:{s:s, s:i}}", "kind",
                  direction == FLOW_NOISE_TO_DATA ? "iaf" : "maf", "layers", 3, "conditioner",
                  "kind", "mlp", "hidden", 32, 32, "transformer", "kind", "spline", "bins", 12);
    json_t *full = flow_kind_complete(&flow_presets, said, &err);
    flow *out = full ? flow_preset_create(full, direction, &place, FLOW_F32, &err) : NULL;
    cr_assert(out, "%s", err.text);
    json_decref(full);
    json_decref(said);
    return out;
}

size_t far_modes_nearest(const double *x)
{
    size_t best = 0;
    for (size_t k = 1; k < FAR_MODES; k++)
        best = square(x, k) < square(x, best) ? k : best;
    return best;
}

void check_far_modes(const flow *student, double most)
{
    enum { N = 20000 };
    const pcg_stream noise = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};
    double *x = malloc(2 * N * sizeof *x), *logq = malloc(N * sizeof *logq), got[FAR_MODES] = {0};
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_sample(student, pool, x, logq, NULL, noise, 0, N, NULL), 0);
    for (size_t r = 0; r < N; r++)
        got[far_modes_nearest(x + 2 * r)] += 1.0 / N;
    for (size_t k = 0; k < FAR_MODES; k++)
        cr_assert(fabs(got[k] - share[k]) < most, "mode %zu has %.3f, not %.3f", k, got[k],
                  share[k]);
    flow_pool_free(pool);
    free(x);
    free(logq);
}
