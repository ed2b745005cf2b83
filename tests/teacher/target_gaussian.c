/* The Gaussian target against closed forms, and the registry it is made by. */
#include "teacher/target_gaussian.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream noise = {.seed = 58, .stage = PCG_TEST, .purpose = PCG_TARGET};

static target *create(const char *text, flow_err *err)
{
    json_t *description = json_loads(text, 0, NULL);
    cr_assert(description, "no JSON: %s", text);
    *err = (flow_err)FLOW_ERR_INIT;
    target *t = target_create(description, err);
    json_decref(description);
    return t;
}

static const char three[] = "{\"kind\": \"gaussian\", \"mean\": [0.3, -0.2, 0.1], \"covariance\": "
                            "[[1.69, 0.91, -0.52], [0.91, 0.85, 0.02], [-0.52, 0.02, 1.22]], "
                            "\"log_z\": -2.385}";

/* Every kind makes its example, and says what it is. */
Test(target_gaussian, registry)
{
    flow_err err;
    for (const target_kind *const *k = target_kinds; *k; k++) {
        cr_assert(*(*k)->kind.name && *(*k)->kind.doc);
        if (!(*k)->example)
            continue; /* it needs a file: tests/e2e/targets.sh */
        target *t = create((*k)->example, &err);
        cr_assert(t, "%s: %s", (*k)->kind.name, err.text);
        cr_assert_str_eq(t->ops->name, (*k)->kind.name);
        target_free(t);
    }
    cr_assert(!create("{\"kind\": \"gausian\"}", &err) && err.code == FLOW_ECONFIG);
    cr_assert(strstr(err.text, "did you mean 'gaussian'"), "%s", err.text);
    cr_assert(!create("{\"mean\": [1]}", &err) && strstr(err.text, "\"kind\""), "%s", err.text);
}

/* By hand: Sigma = [[.64, .4], [.4, 1.69]], det .9216, x - m = (.4, -.8), so the square is
 * (1.69 .16 + 2 .4 .32 + .64 .64) / .9216 and the gradient -Sigma^-1 (x - m). */
Test(target_gaussian, log_density_and_gradient_by_hand)
{
    flow_err err;
    target *t = create(target_gaussian.example, &err);
    const double x[] = {1.1, -1.2}, det = 0.64 * 1.69 - 0.16;
    const double square = (1.69 * 0.16 + 2 * 0.4 * 0.32 + 0.64 * 0.64) / det;
    const double want = 1.25 - 0.5 * square - 0.5 * log(det) - log(2 * acos(-1));
    const double slope[] = {-(1.69 * 0.4 + 0.4 * 0.8) / det, (0.4 * 0.4 + 0.64 * 0.8) / det};
    double logp, grad[2];
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(target_log_density(t, pool, &logp, grad, NULL, x, NULL, 1, &err), 0);
    check_close(&logp, &want, 1, 1e-14, 0, "log density");
    check_close(grad, slope, 2, 1e-14, 0, "gradient");
    cr_assert_eq(t->log_z, 1.25);
    flow_pool_free(pool);
    target_free(t);
}

typedef struct at {
    const target *target;
    flow_pool *pool;
    double *x;
    size_t n;
} at;

static void log_densities(void *arg, double *out)
{
    const at *a = arg;
    cr_assert_eq(target_log_density(a->target, a->pool, out, NULL, NULL, a->x, NULL, a->n, NULL),
                 0);
}

Test(target_gaussian, gradient_is_that_of_the_density)
{
    enum { N = 21 };
    flow_err err;
    target *t = create(three, &err);
    double x[3 * N], logp[N], grad[3 * N], column[N];
    flow_pool *pool = flow_pool_create(1, NULL);
    at a = {t, pool, x, N};
    random_numbers(x, 3 * N, 1.2, 6);
    cr_assert_eq(target_log_density(t, pool, logp, grad, NULL, x, NULL, N, &err), 0);
    for (size_t i = 0; i < 3; i++) {
        moved m = {.values = log_densities, .arg = &a, .at = x + i, .n_at = N, .stride = 3};
        for (size_t r = 0; r < N; r++)
            column[r] = grad[3 * r + i];
        check_derivative(column, &m, N, 1e-6, "d log p / dx_%zu", i);
    }
    flow_pool_free(pool);
    target_free(t);
}

/* Means and covariances of n draws within 4.5 standard errors of those asked for (9 of them: false
 * alarm 6e-5); log p of a draw is log p at the draw; the integral by weights of a wider proposal. */
Test(target_gaussian, draws)
{
    enum { N = UNLESS_SANITIZED(100000, 20000) };
    const double mean[] = {0.3, -0.2, 0.1};
    const double cov[] = {1.69, 0.91, -0.52, 0.91, 0.85, 0.02, -0.52, 0.02, 1.22};
    flow_err err;
    target *t = create(three, &err);
    double *x = malloc(5 * N * sizeof *x), *logp = x + 3 * N, *again = logp + N;
    flow_pool *pool = flow_pool_create(2, NULL);
    cr_assert_eq(target_sample(t, pool, x, logp, NULL, NULL, noise, 0, N, &err), 0);
    cr_assert_eq(target_log_density(t, pool, again, NULL, NULL, x, NULL, N, &err), 0);
    check_close(logp, again, N, 1e-12, 1e-12, "log density of draws");
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j <= i; j++) {
            double first = 0, second = 0, n = N;
            for (size_t r = 0; r < N; r++) {
                first += (x[3 * r + i] - mean[i]) / n;
                second += (x[3 * r + i] - mean[i]) * (x[3 * r + j] - mean[j]) / n;
            }
            double se = sqrt((cov[4 * i] * cov[4 * j] + cov[3 * i + j] * cov[3 * i + j]) / n);
            cr_assert(fabs(second - cov[3 * i + j]) < 4.5 * se, "covariance %zu, %zu: %g", i, j,
                      second);
            cr_assert(fabs(first) < 4.5 * sqrt(cov[4 * i] / n), "mean %zu: off by %g", i, first);
        }
    double top = -2.385 - 1.5 * log(2 * acos(-1)), entropy = 0;
    for (size_t r = 0; r < N; r++)
        entropy -= (logp[r] + 2.385) / N;
    /* entropy = 3 / 2 (1 + log 2 pi) + log det / 2; of Sigma by cofactors */
    double det = 1.69 * (0.85 * 1.22 - 0.0004) - 0.91 * (0.91 * 1.22 + 0.0104) -
                 0.52 * (0.91 * 0.02 + 0.52 * 0.85);
    double want = 1.5 + 0.5 * log(det) - (top + 2.385);
    check_close(&entropy, &want, 1, 0, 4.5 * sqrt(1.5 / N), "entropy");
    flow_pool_free(pool);
    free(x);
    target_free(t);
}

/* Draws do not depend on how many are asked for, nor on threads; wide rows are stretched, others not. */
Test(target_gaussian, rows_of_a_stream)
{
    enum { N = 100 };
    flow_err err;
    target *t = create(three, &err);
    const double mean[] = {0.3, -0.2, 0.1};
    double all[3 * N], part[3 * N], logp[N];
    target_status status[N];
    void *work = t->ops->work_create(t, N, &err);
    target_rows rows = {.stream = noise};
    cr_assert_eq(target_shard_sample(t, all, logp, status, NULL, &rows, N, work, &err), 0);
    rows.first = 41;
    cr_assert_eq(target_shard_sample(t, part, logp, status, NULL, &rows, 17, work, &err), 0);
    check_same(part, all + 3 * 41, 3 * 17, "rows 41 to 57");
    rows.widen = 0.3;
    rows.widen_by = 1.7;
    size_t wide = 0;
    cr_assert_eq(target_shard_sample(t, part, logp, status, NULL, &rows, 59, work, &err), 0);
    for (size_t r = 0; r < 59; r++) {
        double factor = target_is_wide(&rows, 41 + r) ? 1.7 : 1, want[3];
        for (size_t i = 0; i < 3; i++)
            want[i] = mean[i] + factor * (all[3 * (41 + r) + i] - mean[i]);
        check_close(part + 3 * r, want, 3, 1e-12, 1e-12, "row %zu, times %g", r, factor);
        wide += factor > 1;
    }
    cr_assert(wide == 17 || wide == 18, "%zu of 59 are wide", wide);
    t->ops->work_free(t, work);
    target_free(t);
}

Test(target_gaussian, wrong_descriptions)
{
    static const char *const cases[][2] = {
        {"{\"kind\": \"gaussian\", \"covariance\": [[1]]}", "mean"},
        {"{\"kind\": \"gaussian\", \"mean\": []}", "mean"},
        {"{\"kind\": \"gaussian\", \"mean\": [\"a\"], \"covariance\": [[1]]}",
         "item 0 is no number"},
        {"{\"kind\": \"gaussian\", \"mean\": [1]}", "covariance: wanted a list of 1 rows"},
        {"{\"kind\": \"gaussian\", \"mean\": [1, 2], \"covariance\": [[1, 0], [0]]}", "2 numbers"},
        {"{\"kind\": \"gaussian\", \"mean\": [1, 2], \"covariance\": [[1, 2], [2, 1]]}",
         "positive definite"},
        {"{\"kind\": \"gaussian\", \"mean\": [1, 2], \"covariance\": [[1, 0.5], [0, 1]]}",
         "symmetric"},
        {"{\"kind\": \"gaussian\", \"mean\": [1], \"covariance\": [[1]], \"log_z\": \"a\"}",
         "log_z"},
        {"{\"kind\": \"gaussian\", \"mean\": [1], \"covarianse\": [[1]]}", "no key 'covarianse'"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        flow_err err;
        cr_assert(!create(cases[k][0], &err), "%s", cases[k][0]);
        cr_assert(err.code == FLOW_ECONFIG && strstr(err.text, cases[k][1]), "%s: %s", cases[k][0],
                  err.text);
    }
}
