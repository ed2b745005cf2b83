/* Every registered layer kind: derivatives. On the first f64 backend they are held against central
 * differences, one by one and with their signs; every other backend is held against that one. */
#include "flow/base.h"
#include "tests/common/backends.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Central differences are good to 1e-9 here; a wrong term is off by 1e-2. */
static const double TOLERANCE = 1e-6;

/* ---- which parameters take part: those that a tensor can set */

static char *live_parameters(flow_case *c)
{
    size_t n = flow_n_params(c->flow), bytes = flow_params_bytes(c->flow);
    double *theta = flow_params(c->flow), *kept = malloc(bytes + 1);
    char *live = malloc(n + 1);
    memcpy(kept, theta, bytes);
    memset(theta, 0, bytes);
    for (size_t t = 0; t < flow_n_tensors(c->flow); t++) {
        flow_tensor_info info;
        flow_tensor(c->flow, &info, t);
        size_t count = info.rows * (info.cols ? info.cols : 1);
        double *values = malloc(count * sizeof *values);
        for (size_t i = 0; i < count; i++)
            values[i] = 2.385;
        set_tensor(c->flow, t, values);
        free(values);
    }
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += (size_t)(live[i] = theta[i] != 0);
    cr_assert_eq(count, flow_n_weights(c->flow), "%s: %zu live of %zu", c->name, count,
                 flow_n_weights(c->flow));
    memcpy(theta, kept, bytes);
    free(kept);
    return live;
}

/* Every live parameter's derivative; the others have none. */
static void check_parameters(flow_case *c, void (*sum)(void *arg, double *out), const char *what)
{
    char *live = live_parameters(c);
    const double *gradient = c->gradient;
    double *theta = flow_params(c->flow);
    for (size_t i = 0; i < flow_n_params(c->flow); i++) {
        moved m = {.values = sum, .arg = c, .at = theta + i, .n_at = 1, .stride = 1};
        if (live[i])
            check_derivative(&gradient[i], &m, 1, TOLERANCE, "%s by parameter %zu, %s", what, i,
                             c->name);
        else
            cr_assert_eq(gradient[i], 0, "%s: padding or masked parameter %zu has gradient %g",
                         c->name, i, gradient[i]);
    }
    free(live);
}

/* ---- backward: L_r = dy_r . y_r + dlogdet_r logdet_r */

static void row_losses(void *arg, double *out)
{
    flow_case *c = arg;
    flow_pass_forward(c->pass, NULL, c->y, c->logdet, c->x, c->c, c->n);
    for (size_t r = 0; r < c->n; r++) {
        out[r] = c->dlogdet[r] * c->logdet[r];
        for (size_t i = r * c->dim; i < (r + 1) * c->dim; i++)
            out[r] += c->dy[i] * c->y[i];
    }
}

static double sum_of(const double *rows, size_t n)
{
    double sum = 0;
    for (size_t r = 0; r < n; r++)
        sum += rows[r];
    return sum;
}

static void loss(void *arg, double *out)
{
    double rows[64];
    row_losses(arg, rows);
    *out = sum_of(rows, ((flow_case *)arg)->n);
}

static void check_inputs(flow_case *c)
{
    double got[64];
    for (size_t i = 0; i < c->dim; i++) {
        moved m = {.values = row_losses, .arg = c, .at = c->x + i, .n_at = c->n, .stride = c->dim};
        for (size_t r = 0; r < c->n; r++)
            got[r] = c->dx[r * c->dim + i];
        check_derivative(got, &m, c->n, TOLERANCE, "backward by x_%zu, %s", i, c->name);
    }
}

static void check_backward(flow_case *c)
{
    flow_case_run(c);
    check_inputs(c);
    check_parameters(c, loss, "backward");
}

Test(conformance_gradients, backward_agrees_with_differences, .timeout = 300)
{
    flow_case_each(first_f64_backend(), 17, 7, check_backward);
}

/* ---- what backward promises beside its values */

static void check_promises(flow_case *c)
{
    size_t n = flow_n_params(c->flow), rows = c->n * c->dim;
    double *dx = malloc(rows * sizeof *dx), *gradient = c->gradient;
    flow_case_run(c);
    flow_pass_backward(c->pass, NULL, dx, NULL, c->dy, c->dlogdet);
    check_same(dx, c->dx, rows, "frozen, %s", c->name);
    double *once = malloc((n + 1) * sizeof *once);
    memcpy(once, gradient, n * sizeof *once);
    for (size_t i = 0; i < n; i++)
        cr_assert(isfinite(once[i]), "number %zu was not written, %s", i, c->name);
    flow_pass_backward(c->pass, NULL, NULL, &(flow_gradient){.block = gradient, .filled = 1}, c->dy,
                       c->dlogdet);
    for (size_t i = 0; i < n; i++)
        once[i] *= 2;
    check_close(gradient, once, n, 1e-12, 1e-12 * largest_of(once, n), "added twice, %s", c->name);
    double *zero = calloc(c->n, sizeof *zero), *other = malloc(rows * sizeof *other);
    flow_pass_backward(c->pass, NULL, dx, NULL, c->dy, zero);
    flow_pass_backward(c->pass, NULL, other, NULL, c->dy, NULL);
    check_same(other, dx, rows, "dlogdet NULL is zero, %s", c->name);
    free(dx);
    free(once);
    free(zero);
    free(other);
}

Test(conformance_gradients, frozen_added_and_no_logdet)
{
    flow_case_each(first_f64_backend(), 17, 16, check_promises);
}

/* A forward without a training pass gives the same bits, and so does another copy of the parameters
 * that is passed in. */
static void check_passes(flow_case *c)
{
    flow_err err = FLOW_ERR_INIT;
    size_t rows = c->n * c->dim, bytes = flow_params_bytes(c->flow);
    flow_pass *plain = flow_pass_create(c->flow, c->n, 0, &err);
    double *y = malloc((rows + c->n) * sizeof *y), *logdet = y + rows;
    void *copy = aligned_alloc(64, bytes + 64);
    flow_case_run(c);
    flow_pass_forward(plain, NULL, y, logdet, c->x, c->c, c->n);
    check_same(y, c->y, rows, "plain pass, %s", c->name);
    check_same(logdet, c->logdet, c->n, "plain pass, %s", c->name);
    memcpy(copy, flow_params_const(c->flow), bytes);
    memset(flow_params(c->flow), 0, bytes);
    flow_pass_forward(c->pass, copy, y, logdet, c->x, c->c, c->n);
    check_same(y, c->y, rows, "parameters passed in, %s", c->name);
    check_same(logdet, c->logdet, c->n, "parameters passed in, %s", c->name);
    flow_pass_backward(c->pass, copy, y, NULL, c->dy, c->dlogdet);
    check_same(y, c->dx, rows, "backward with parameters passed in, %s", c->name);
    free(y);
    free(copy);
    flow_pass_free(plain);
}

Test(conformance_gradients, passes_and_parameters_passed_in)
{
    flow_case_each(first_f64_backend(), 5, 7, check_passes);
}

/* ---- log q(y) = log N(x) - log|det dy/dx| at x = f^-1(y), through the inverse */

static void row_log_q(void *arg, double *out)
{
    flow_case *c = arg;
    double logdet[64];
    flow_pass_inverse(c->pass, NULL, c->x, logdet, c->y, c->c, c->n);
    flow_base_log_prob(c->flow, NULL, out, c->x, c->n);
    for (size_t r = 0; r < c->n; r++)
        out[r] += logdet[r];
}

/* The weighted sum over rows, so that no row hides behind another. */
static void log_q(void *arg, double *out)
{
    const flow_case *c = arg;
    double rows[64];
    row_log_q(arg, rows);
    *out = 0;
    for (size_t r = 0; r < c->n; r++)
        *out += c->dlogdet[r] * rows[r];
}

/* y is the point; x = f^-1(y) leaves the pass ready for score and backward; returns grad log q(y). */
static double *score_at(flow_case *c)
{
    size_t rows = c->n * c->dim;
    double *score = malloc(rows * sizeof *score);
    memcpy(c->y, c->x, rows * sizeof *score);
    flow_pass_inverse(c->pass, NULL, c->x, c->logdet, c->y, c->c, c->n);
    c->flow->base->ops->score(c->flow->base, score, base_params(c->flow, NULL), c->x, c->n);
    flow_pass_score(c->pass, NULL, score, score);
    return score;
}

static void check_score(flow_case *c)
{
    double *score = score_at(c), got[64];
    for (size_t i = 0; i < c->dim; i++) {
        moved m = {.values = row_log_q, .arg = c, .at = c->y + i, .n_at = c->n, .stride = c->dim};
        for (size_t r = 0; r < c->n; r++)
            got[r] = score[r * c->dim + i];
        check_derivative(got, &m, c->n, TOLERANCE, "score by y_%zu, %s", i, c->name);
    }
    free(score);
}

Test(conformance_gradients, score_agrees_with_differences)
{
    flow_case_each(first_f64_backend(), 17, 7, check_score);
}

/* d log q(y) / dtheta at a fixed y is backward with -score on y and -1 on the log-det. */
static void check_fixed_point(flow_case *c)
{
    double *score = score_at(c), minus[64];
    for (size_t r = 0; r < c->n; r++) {
        minus[r] = -c->dlogdet[r];
        for (size_t i = r * c->dim; i < (r + 1) * c->dim; i++)
            score[i] *= minus[r];
    }
    flow_pass_backward(c->pass, NULL, NULL, &(flow_gradient){.block = c->gradient}, score, minus);
    check_parameters(c, log_q, "log q at a fixed point");
    free(score);
}

Test(conformance_gradients, gradient_at_a_fixed_point, .timeout = 300)
{
    flow_case_each(first_f64_backend(), 5, 7, check_fixed_point);
}

/* ---- every other backend against the reference. f64: another order of the same sums, relative to
 * the largest number of the array. f32: inputs and parameters are exact, each step rounds to 6e-8,
 * and a spline's slopes and the solves of lu_linear magnify that a hundredfold or so. */

static const flow_backend *tested;

static void compare(const flow_case *c, const double *got, const double *want, size_t count,
                    const char *what)
{
    double tolerance = flow_get_precision(c->flow) == FLOW_F64 ? 1e-11 : 1e-4;
    check_close(got, want, count, 10 * tolerance, tolerance * largest_of(want, count), "%s, %s",
                what, c->name);
}

static void compare_gradients(const flow_case *got, const flow_case *want)
{
    size_t n = flow_n_params(want->flow);
    cr_assert_eq(flow_n_params(got->flow), n, "%s: %zu parameters", got->name, n);
    double *values = malloc((n + 1) * sizeof *values);
    for (size_t i = 0; i < n; i++)
        values[i] = flow_get_precision(got->flow) == FLOW_F64
                        ? ((const double *)got->gradient)[i]
                        : (double)((const float *)got->gradient)[i];
    compare(got, values, want->gradient, n, "gradient");
    free(values);
}

static void compare_with_reference(flow_case *want, size_t example)
{
    flow_case got;
    size_t rows = want->n * want->dim;
    flow_case_open(&got, tested, example, want->dim, want->context, want->n);
    double *a = malloc(2 * (rows + want->n) * sizeof *a), *b = a + rows + want->n;
    flow_case_run(want);
    flow_case_run(&got);
    compare(&got, got.y, want->y, rows, "y");
    compare(&got, got.logdet, want->logdet, want->n, "logdet");
    compare(&got, got.dx, want->dx, rows, "dx");
    compare_gradients(&got, want);
    flow_pass_score(want->pass, NULL, a, want->dy);
    flow_pass_score(got.pass, NULL, b, got.dy);
    compare(&got, b, a, rows, "score");
    flow_pass_inverse(want->pass, NULL, a, a + rows, want->x, want->c, want->n);
    flow_pass_inverse(got.pass, NULL, b, b + rows, got.x, got.c, got.n);
    compare(&got, b, a, rows, "inverse");
    compare(&got, b + rows, a + rows, want->n, "logdet of the inverse");
    free(a);
    flow_case_close(&got);
}

ParameterizedTestParameters(conformance_gradients, backends_agree)
{
    return every_backend();
}

ParameterizedTest(size_t *b, conformance_gradients, backends_agree)
{
    static const size_t dims[] = {1, 2, 3, 5, 17}, rows[] = {1, 7, 16, 33};
    tested = flow_backend_at(*b);
    for (size_t e = 0; e < example_count(); e += UNLESS_SANITIZED(1, 3))
        for (size_t d = 0; d < 5; d++)
            for (size_t context = 0; context <= 2; context += 2) {
                flow_case want;
                flow_case_open(&want, first_f64_backend(), e, dims[d], context, rows[(e + d) % 4]);
                compare_with_reference(&want, e);
                flow_case_close(&want);
            }
}
