/* AdamW on lanes of gradients against the formulas of the papers, and what surrounds a step. */
#include "flow/optimizer.h"
#include "flow/backend.h"
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An lu_linear layer is the smallest flow with any number of parameters. 130^2 + 130 take two of
 * the optimiser's ranges. */
static flow *flow_of_dim(const flow_backend *backend, size_t dim)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(dim, 0, "data_to_noise", json_pack("{s:s}", "kind", "lu_linear"));
    flow *f = flow_create_on(backend, d, SIZE_MAX, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, 0.9, 3);
    json_decref(d);
    return f;
}

static double value_at(const flow *f, const void *block, size_t i)
{
    return flow_get_precision(f) == FLOW_F64 ? ((const double *)block)[i]
                                             : (double)((const float *)block)[i];
}

static void set_value(const flow *f, void *block, size_t i, double value)
{
    if (flow_get_precision(f) == FLOW_F64)
        ((double *)block)[i] = value;
    else
        ((float *)block)[i] = (float)value;
}

static double *block_values(const flow *f, const void *block)
{
    double *out = malloc(flow_n_params(f) * sizeof *out);
    for (size_t i = 0; i < flow_n_params(f); i++)
        out[i] = value_at(f, block, i);
    return out;
}

static flow_optimizer *optimizer_new(flow *f, const flow_optimizer_options *options, size_t lanes)
{
    flow_err err = FLOW_ERR_INIT;
    flow_optimizer *o = flow_optimizer_create(f, options, lanes, &err);
    cr_assert(o, "%s", err.text);
    return o;
}

/* Gradient of lane k at step t; what all lanes add up to goes to sum (n_params). An empty lane may
 * hold anything: it is filled with NaN before. */
static void fill_lanes(flow *f, flow_optimizer *o, size_t lanes, uint64_t t, double *sum)
{
    size_t n = flow_n_params(f);
    double *g = malloc(n * sizeof *g);
    memset(sum, 0, n * sizeof *sum);
    for (size_t k = 0; k < lanes; k++) {
        flow_gradient *lane = flow_optimizer_lane(o, k);
        cr_assert_not(lane->filled, "lane %zu is not empty", k);
        memset(lane->block, 0xff, flow_params_bytes(f));
        if (lanes > 3 && k == 2)
            continue; /* stays empty */
        random_numbers(g, n, 0.4, 100 * t + k);
        for (size_t i = 0; i < n; i++) {
            set_value(f, lane->block, i, g[i]);
            sum[i] += g[i];
        }
        lane->filled = 1;
    }
    free(g);
}

static double norm_of(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i] * values[i];
    return sqrt(sum);
}

/* ---- the step */

typedef struct adam_reference {
    double *theta, *m, *v, *average;
    flow_optimizer_options options;
} adam_reference;

/* Kingma & Ba 2015, algorithm 1; decay as in Loshchilov & Hutter 2019, algorithm 2; the average
 * weighs the newest 1 / (t + 1) at first and 1 - decay later. */
static void reference_step(adam_reference *r, const double *g, size_t n, size_t t, double lr,
                           double scale)
{
    const flow_optimizer_options *o = &r->options;
    double weight = fmax(1.0 / ((double)t + 1), 1 - o->average);
    for (size_t i = 0; i < n; i++) {
        double gi = scale * g[i];
        r->m[i] = o->beta1 * r->m[i] + (1 - o->beta1) * gi;
        r->v[i] = o->beta2 * r->v[i] + (1 - o->beta2) * gi * gi;
        double m_hat = r->m[i] / (1 - pow(o->beta1, (double)t));
        double v_hat = r->v[i] / (1 - pow(o->beta2, (double)t));
        r->theta[i] -= lr * o->weight_decay * r->theta[i];
        r->theta[i] -= lr * m_hat / (sqrt(v_hat) + o->eps);
        r->average[i] += weight * (r->theta[i] - r->average[i]);
    }
}

/* eps is large, so that the step depends on the size of the gradient and clipping shows. */
static const flow_optimizer_options awkward = {
    .beta1 = 0.83, .beta2 = 0.967, .eps = 0.17, .weight_decay = 0.31, .average = 0.85};

static adam_reference reference_new(const flow *f)
{
    size_t n = flow_n_params(f);
    return (adam_reference){.theta = block_values(f, flow_params_const(f)),
                            .m = calloc(n, sizeof(double)),
                            .v = calloc(n, sizeof(double)),
                            .average = block_values(f, flow_params_const(f)),
                            .options = awkward};
}

static void reference_release(adam_reference *r)
{
    free(r->theta);
    free(r->m);
    free(r->v);
    free(r->average);
}

static void check_against_reference(flow *f, const double *want, const char *what, size_t step)
{
    double tolerance = flow_get_precision(f) == FLOW_F64 ? 1e-13 : 2e-6; /* a few roundings */
    double *got = block_values(f, flow_params_const(f));
    check_close(got, want, flow_n_params(f), tolerance, tolerance, "%s after step %zu, %s", what,
                step, flow_backend_name(f));
    free(got);
}

ParameterizedTestParameters(optimizer, steps_follow_the_formula)
{
    return every_backend();
}

/* Eight steps of three lanes; every third is clipped to half its norm. */
ParameterizedTest(size_t *b, optimizer, steps_follow_the_formula)
{
    flow *f = flow_of_dim(flow_backend_at(*b), 5);
    flow_optimizer *o = optimizer_new(f, &awkward, 3);
    flow_pool *pool = flow_pool_create(1, NULL);
    adam_reference want = reference_new(f);
    size_t n = flow_n_params(f);
    double *g = malloc(n * sizeof *g);
    for (size_t t = 1; t <= 8; t++) {
        double norm, lr = 0.03 + 0.01 * (double)t, scale = 0.29;
        fill_lanes(f, o, 3, t, g);
        double true_norm = scale * norm_of(g, n), clip = t % 3 ? INFINITY : 0.5 * true_norm;
        flow_step_result result = flow_optimizer_step(o, pool, lr, scale, clip, &norm);
        cr_assert_eq(result, t % 3 ? FLOW_STEP_DONE : FLOW_STEP_CLIPPED);
        check_close(&norm, &true_norm, 1, 1e-6, 0, "norm at step %zu", t);
        reference_step(&want, g, n, t, lr, t % 3 ? scale : 0.5 * scale);
        check_against_reference(f, want.theta, "weights", t);
        flow_optimizer_swap_average(o);
        check_against_reference(f, want.average, "average", t);
        flow_optimizer_swap_average(o);
        check_against_reference(f, want.theta, "weights swapped back", t);
        cr_assert_eq(flow_optimizer_steps(o), t);
    }
    free(g);
    reference_release(&want);
    flow_optimizer_free(o);
    flow_pool_free(pool);
    flow_free(f);
}

/* Zero options are the usual ones: one step from zero moments moves every weight by lr, up to eps.
 */
Test(optimizer, defaults)
{
    flow *f = flow_of_dim(first_f64_backend(), 4);
    flow_optimizer *o = optimizer_new(f, &(flow_optimizer_options){0}, 1);
    flow_pool *pool = flow_pool_create(1, NULL);
    size_t n = flow_n_params(f);
    double *g = malloc(n * sizeof *g), *before = block_values(f, flow_params_const(f)), norm;
    for (uint64_t t = 1; t <= 2; t++) {
        fill_lanes(f, o, 1, t, g);
        flow_optimizer_step(o, pool, 0.0237, 0.71, INFINITY, &norm);
        for (size_t i = 0; i < n && t == 1; i++) {
            double want = before[i] - 0.0237 * 0.71 * g[i] / (fabs(0.71 * g[i]) + 1e-8);
            check_close((double *)flow_params(f) + i, &want, 1, 1e-12, 1e-14, "weight %zu", i);
        }
    }
    cr_assert_eq(flow_optimizer_steps(o), 2);
    double *raw = block_values(f, flow_params_const(f));
    flow_optimizer_swap_average(o); /* there is none */
    check_same(flow_params(f), raw, n, "swap without an average");
    free(g);
    free(before);
    free(raw);
    flow_optimizer_free(o);
    flow_optimizer_free(NULL);
    flow_pool_free(pool);
    flow_free(f);
}

/* ---- gradients that are not finite */

Test(optimizer, broken_gradients_are_skipped)
{
    const double broken[] = {NAN, INFINITY, -INFINITY, 1e200}; /* the last one's square */
    flow *f = flow_of_dim(first_f64_backend(), 5), *twin = flow_of_dim(first_f64_backend(), 5);
    flow_optimizer *o = optimizer_new(f, &awkward, 3), *other = optimizer_new(twin, &awkward, 3);
    flow_pool *pool = flow_pool_create(1, NULL);
    size_t n = flow_n_params(f);
    double *g = malloc(n * sizeof *g), *before = block_values(f, flow_params_const(f)), norm;
    for (size_t k = 0; k < 4; k++) {
        fill_lanes(f, o, 3, 50 + k, g); /* also checks that the lanes are empty again */
        set_value(f, flow_optimizer_lane(o, k % 3)->block, 7 * k, broken[k]);
        cr_assert_eq(flow_optimizer_step(o, pool, 0.1, 0.29, 2.5, &norm), FLOW_STEP_SKIPPED);
        cr_assert_not(isfinite(norm));
        check_same(flow_params(f), before, n, "weights after a gradient with %g", broken[k]);
        cr_assert_eq(flow_optimizer_steps(o), 0);
    }
    fill_lanes(f, o, 3, 1, g);
    fill_lanes(twin, other, 3, 1, g);
    cr_assert_eq(flow_optimizer_step(o, pool, 0.1, 0.29, INFINITY, &norm), FLOW_STEP_DONE);
    cr_assert_eq(flow_optimizer_step(other, pool, 0.1, 0.29, INFINITY, &norm), FLOW_STEP_DONE);
    check_same(flow_params(f), flow_params(twin), n, "the step after, with and without skips");
    flow_optimizer_swap_average(o);
    flow_optimizer_swap_average(other);
    check_same(flow_params(f), flow_params(twin), n, "the average, with and without skips");
    free(g);
    free(before);
    flow_optimizer_free(o);
    flow_optimizer_free(other);
    flow_pool_free(pool);
    flow_free(f);
    flow_free(twin);
}

/* ---- many threads */

/* The weights after six steps of five lanes. */
static double *train(size_t threads, const flow_backend *backend)
{
    flow *f = flow_of_dim(backend, 130);
    flow_optimizer *o = optimizer_new(f, &awkward, 5);
    flow_pool *pool = flow_pool_create(threads, NULL);
    double *g = malloc(flow_n_params(f) * sizeof *g), norm;
    for (uint64_t t = 0; t < 6; t++) {
        fill_lanes(f, o, 5, t, g);
        flow_optimizer_step(o, pool, 0.07, 0.3, t % 2 ? 1.3 : INFINITY, &norm);
    }
    flow_optimizer_swap_average(o);
    double *out = block_values(f, flow_params_const(f));
    free(g);
    flow_optimizer_free(o);
    flow_pool_free(pool);
    flow_free(f);
    return out;
}

Test(optimizer, threads_do_not_matter)
{
    static const size_t threads[] = {2, 3, 5};
    for (size_t b = 0; b < 2; b++) { /* f32 and f64 */
        double *one = train(1, flow_backend_at(b));
        for (size_t t = 0; t < 3; t++) {
            double *many = train(threads[t], flow_backend_at(b));
            check_same(many, one, 130 * 131, "%zu threads, %s", threads[t],
                       flow_backend_at(b)->name);
            free(many);
        }
        free(one);
    }
}

/* ---- norms and spreads */

Test(optimizer, norm_and_spread)
{
    flow *f = flow_of_dim(first_f64_backend(), 130);
    flow_optimizer *o = optimizer_new(f, &awkward, 4);
    flow_pool *pool = flow_pool_create(2, NULL);
    size_t n = flow_n_params(f);
    const size_t rows[] = {32, 48, 0, 16};
    double *g = malloc(n * sizeof *g), each = 0;
    fill_lanes(f, o, 4, 9, g);
    for (size_t k = 0; k < 4; k++) {
        const flow_gradient *lane = flow_optimizer_lane(o, k);
        double norm = lane->filled ? norm_of(lane->block, n) : 0;
        each += rows[k] ? norm * norm / (double)rows[k] : 0;
    }
    double got = flow_optimizer_lane_spread(o, pool, rows), norm = norm_of(g, n);
    double want = each - norm * norm / 96;
    check_close(&got, &want, 1, 1e-12, 0, "spread");
    fill_lanes(f, o, 4, 10, g); /* checks that the lanes are empty */
    got = flow_optimizer_gradient_norm(o, pool, -0.37);
    want = 0.37 * norm_of(g, n);
    check_close(&got, &want, 1, 1e-12, 0, "norm");
    free(g);
    flow_optimizer_free(o);
    flow_pool_free(pool);
    flow_free(f);
}

/* The sum of the lanes from `first` on, the others empty. */
Test(optimizer, empty_lanes_count_as_zero)
{
    flow *f = flow_of_dim(first_f64_backend(), 130);
    flow_optimizer *o = optimizer_new(f, &awkward, 3);
    flow_pool *pool = flow_pool_create(2, NULL);
    size_t n = flow_n_params(f);
    double *g = malloc(n * sizeof *g), norm;
    for (size_t first = 0; first <= 3; first++) {
        fill_lanes(f, o, 3, first, g);
        for (size_t k = 0; k < first; k++) {
            flow_gradient *lane = flow_optimizer_lane(o, k);
            for (size_t i = 0; i < n; i++)
                g[i] -= value_at(f, lane->block, i);
            lane->filled = 0;
        }
        double got = flow_optimizer_gradient_norm(o, pool, 1), want = norm_of(g, n);
        check_close(&got, &want, 1, 1e-12, 1e-12, "norm of lanes from %zu on", first);
        flow_optimizer_step(o, pool, 0, 1, INFINITY, &norm); /* takes the sum that is there */
        check_close(&norm, &want, 1, 1e-12, 1e-12, "norm of the step, lanes from %zu on", first);
    }
    free(g);
    flow_optimizer_free(o);
    flow_pool_free(pool);
    flow_free(f);
}

/* Lanes whose rows agree have no spread, however many rows each has. */
Test(optimizer, spread_of_equal_lanes)
{
    flow *f = flow_of_dim(first_f64_backend(), 3);
    flow_optimizer *o = optimizer_new(f, &awkward, 3);
    flow_pool *pool = flow_pool_create(1, NULL);
    const size_t rows[] = {2, 7, 4};
    for (size_t k = 0; k < 3; k++) {
        flow_gradient *lane = flow_optimizer_lane(o, k);
        double *values = lane->block;
        random_numbers(values, flow_n_params(f), 1.9, 5);
        for (size_t i = 0; i < flow_n_params(f); i++)
            values[i] *= (double)rows[k];
        lane->filled = 1;
    }
    double got = flow_optimizer_lane_spread(o, pool, rows);
    check_close(&got, &(double){0}, 1, 0, 1e-12, "spread");
    flow_optimizer_free(o);
    flow_pool_free(pool);
    flow_free(f);
}

/* ---- schedules */

Test(schedule, warm_up_and_cosine)
{
    for (size_t step = 0; step < 5; step++) {
        double want = ((double)step + 1) / 5;
        for (int kind = FLOW_CONSTANT; kind <= FLOW_PLATEAU; kind++) {
            double got = flow_schedule_factor((flow_schedule)kind, step, 5, 40);
            check_close(&got, &want, 1, 1e-15, 0, "warm-up, schedule %d, step %zu", kind, step);
        }
    }
    for (size_t step = 5; step < 60; step++) {
        cr_assert_eq(flow_schedule_factor(FLOW_CONSTANT, step, 5, 40), 1);
        cr_assert_eq(flow_schedule_factor(FLOW_PLATEAU, step, 5, 40), 1);
        double got = flow_schedule_factor(FLOW_COSINE, step, 5, 40), want = 0;
        if (step < 40)
            want = 0.5 + 0.5 * cos(acos(-1) * ((double)step - 5) / 35);
        check_close(&got, &want, 1, 0, 1e-15, "cosine at step %zu", step);
    }
    cr_assert_eq(flow_schedule_factor(FLOW_COSINE, 0, 0, 40), 1);
    double end = flow_schedule_factor(FLOW_COSINE, 50, 50, 40); /* warm-up beyond the end */
    cr_assert(end >= 0 && end <= 1);
}

Test(schedule, plateau)
{
    const double losses[] = {2.7, 2.3, 2.3, 2.4, 2.5, 2.2, 2.9, NAN, 3.1, 2.0, 2.1, 2.1, 2.1};
    const double rates[] = {1, 1, 1, 1, 0.3, 0.3, 0.3, 0.3, 0.09, 0.09, 0.09, 0.09, 0.027};
    flow_plateau p;
    flow_plateau_init(&p, 0.3, 2);
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        double got = flow_plateau_update(&p, losses[i]);
        check_close(&got, &rates[i], 1, 1e-14, 0, "rate after loss %zu", i);
    }
}

/* ---- running median */

Test(median, of_a_window)
{
    flow_median m = {0};
    for (size_t i = 0; i < 15; i++) {
        flow_median_add(&m, 2.385 + (double)i);
        cr_assert_eq(flow_median_get(&m), INFINITY, "after %zu values", i + 1);
    }
    flow_median_add(&m, -40.5);
    check_close(&(double){flow_median_get(&m)}, &(double){9.385}, 1, 1e-15, 0, "of 16 values");
    for (size_t i = 0; i < FLOW_MEDIAN_WINDOW; i++) /* pushes all of the first out */
        flow_median_add(&m, (double)((i * 37) % FLOW_MEDIAN_WINDOW) + 0.713);
    check_close(&(double){flow_median_get(&m)}, &(double){64.713}, 1, 1e-15, 0, "of the window");
    for (size_t i = 0; i < 65; i++)
        flow_median_add(&m, 1e9);
    cr_assert_eq(flow_median_get(&m), 1e9);
}
