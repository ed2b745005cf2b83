/* What every target that is made from a description must do, walked over all of them. */
#include "tests/common/check.h"
#include "tests/common/sanitized.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream noise = {.seed = 77, .stage = PCG_TEST, .purpose = PCG_TARGET};

static void each(void (*check)(const target *t, const char *text))
{
    const char *text;
    for (size_t i = 0; (text = energy_text(i)); i++) {
        target *t = energy_create(text);
        check(t, text);
        target_free(t);
    }
}

/* ---- what it says of itself */

static void check_words(const target *t, const char *text)
{
    const flow_kind *kind = flow_kind_find(&target_registry, t->ops->name);
    cr_assert(kind && *kind->doc, "%s has no kind", text);
    for (const flow_key *key = kind->keys; key->name; key++)
        cr_assert(key->doc && *key->doc && (key->type != FLOW_KEY_OWN || key->wants), "%s.%s",
                  kind->name, key->name);
    cr_assert(t->dim > 0 && t->context == 0 && t->draws == 0, "%s", text);
    cr_assert(t->flags & TARGET_GRADIENT && t->flags & TARGET_THREADS, "%s", text);
    cr_assert(!(t->flags & TARGET_WIDENS) || t->ops->sample, "%s", text);
}

Test(target_conformance, says_what_it_is)
{
    each(check_words);
}

/* ---- the gradient */

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

static void check_gradient_at(const at *a, const char *text)
{
    size_t dim = a->target->dim, n = a->n;
    double *grad = malloc(n * (dim + 3) * sizeof *grad), *column = grad + n * dim;
    double *logp = column + n, *alone = logp + n;
    target_status status[64];
    cr_assert_eq(target_log_density(a->target, a->pool, logp, grad, status, a->x, NULL, n, NULL),
                 0);
    log_densities((void *)(uintptr_t)a, alone);
    check_same(alone, logp, n, "log p without gradient, %s", text);
    for (size_t r = 0; r < n; r++)
        cr_assert_eq(status[r], TARGET_FINITE, "row %zu of %s", r, text);
    for (size_t i = 0; i < dim; i++) {
        moved m = {.values = log_densities,
                   .arg = (void *)(uintptr_t)a,
                   .at = a->x + i,
                   .n_at = n,
                   .stride = dim};
        for (size_t r = 0; r < n; r++)
            column[r] = grad[r * dim + i];
        check_derivative(column, &m, n, 3e-6, "d log p / dx_%zu of %s", i, text);
    }
    free(grad);
}

/* At home, and 1.7 times as far out. */
static void check_gradient(const target *t, const char *text)
{
    enum { N = 13 };
    flow_pool *pool = flow_pool_create(1, NULL);
    double *x = energy_points(t, N, 0.8, 21);
    check_gradient_at(&(at){t, pool, x, N}, text);
    for (size_t i = 0; i < N * t->dim; i++)
        x[i] *= 1.7;
    check_gradient_at(&(at){t, pool, x, N}, text);
    free(x);
    flow_pool_free(pool);
}

Test(target_conformance, gradient_is_that_of_the_density)
{
    each(check_gradient);
}

/* ---- rows */

/* A row does not depend on how many there are, nor on threads; far out there is no crash. */
static void check_rows(const target *t, const char *text)
{
    enum { N = 300, FEW = 7 };
    size_t dim = t->dim;
    double *x = energy_points(t, N, 0.8, 22), logp[N], again[N];
    double *grad = malloc(2 * N * dim * sizeof *grad), *other = grad + N * dim;
    target_status status[N];
    flow_pool *one = flow_pool_create(1, NULL), *three = flow_pool_create(3, NULL);
    cr_assert_eq(target_log_density(t, one, logp, grad, NULL, x, NULL, N, NULL), 0);
    cr_assert_eq(target_log_density(t, three, again, other, NULL, x, NULL, N, NULL), 0);
    check_same(again, logp, N, "three threads, %s", text);
    check_same(other, grad, N * dim, "gradients of three threads, %s", text);
    cr_assert_eq(target_log_density(t, one, again, other, NULL, x, NULL, FEW, NULL), 0);
    check_same(again, logp, FEW, "a few rows, %s", text);
    check_same(other, grad, FEW * dim, "gradients of a few rows, %s", text);
    for (size_t i = 0; i < N * dim; i++)
        x[i] = pow(10, (double)(i % 300)) * (i % 2 ? 1 : -1);
    cr_assert_eq(target_log_density(t, one, logp, grad, status, x, NULL, N, NULL), 0);
    for (size_t r = 0; r < N; r++)
        cr_assert(status[r] != TARGET_FINITE || isfinite(logp[r]), "%s", text);
    flow_pool_free(one);
    flow_pool_free(three);
    free(grad);
    free(x);
}

Test(target_conformance, rows_stand_alone)
{
    each(check_rows);
}

/* Draw 41 is draw 41, whoever asks for it; wide rows are others, the rest the same. */
static void check_stream(const target *t, const char *text)
{
    enum { N = 100, FROM = 41, FEW = 17 };
    size_t dim = t->dim, moved_rows = 0;
    flow_err err = FLOW_ERR_INIT;
    if (!t->ops->sample)
        return;
    double *all = malloc(2 * N * dim * sizeof *all), *part = all + N * dim, logp[N], some[N];
    target_status status[N];
    void *work = t->ops->work_create(t, N, &err);
    target_rows rows = {.stream = noise};
    cr_assert_eq(target_shard_sample(t, all, logp, status, NULL, &rows, N, work, &err), 0);
    rows.first = FROM;
    cr_assert_eq(target_shard_sample(t, part, some, status, NULL, &rows, FEW, work, &err), 0);
    check_same(part, all + dim * FROM, dim * FEW, "rows of %s", text);
    check_same(some, logp + FROM, FEW, "log p of rows of %s", text);
    rows.widen = 0.3;
    rows.widen_by = 1.7;
    int code = target_shard_sample(t, part, some, status, NULL, &rows, FEW, work, &err);
    cr_assert_eq(code, t->flags & TARGET_WIDENS ? 0 : FLOW_ECONFIG, "%s", text);
    for (size_t r = 0; r < FEW && !code; r++) {
        int same = !memcmp(part + r * dim, all + (FROM + r) * dim, dim * sizeof *part);
        cr_assert_neq(same, target_is_wide(&rows, FROM + r), "row %zu of %s", r, text);
        moved_rows += !same;
    }
    cr_assert(code || moved_rows == 5, "%zu rows of %s are wide", moved_rows, text);
    t->ops->work_free(t, work);
    free(all);
}

Test(target_conformance, draws_are_addressed)
{
    each(check_stream);
}

/* ---- the sampler against the density */

enum { DRAWS = UNLESS_SANITIZED(40000, 8000) };

/* Stein: E[f(x_i) d log p / dx_i + f'(x_i)] = 0, f = tanh, about the middle of the draws and in their width.
 * Some 200 such means at 5 standard errors: false alarm 1e-4. */
static void check_stein(const target *t, const double *x, const double *grad, double *terms,
                        const char *text)
{
    for (size_t i = 0; i < t->dim; i++) {
        for (size_t r = 0; r < DRAWS; r++)
            terms[r] = x[r * t->dim + i];
        double middle = terms[0], width = fabs(terms[0] - terms[1]) + 0.1;
        for (size_t r = 0; r < DRAWS; r++) {
            double f = tanh((terms[r] - middle) / width);
            terms[r] = f * grad[r * t->dim + i] + (1 - f * f) / width;
        }
        energy_mean m = energy_mean_of(terms, DRAWS);
        cr_assert(fabs(m.value) < 5 * m.se, "%s: Stein in direction %zu is %g +- %g", text, i,
                  m.value, m.se);
    }
}

/* Where along each direction the density alone falls: 0.6 / sqrt(-d^2 log p / dx_i^2) into width, at most .4. Returns how far
 * it is from the top in such widths, squared; infinite where the density does not fall. */
static double curve_widths(const target *t, flow_pool *pool, double *width, const double *x)
{
    size_t dim = t->dim;
    double *at_x = malloc(3 * dim * sizeof *at_x), *down = at_x + dim, *up = down + dim, logp;
    double off = 0;
    memcpy(at_x, x, dim * sizeof *at_x);
    for (size_t i = 0; i < dim; i++) {
        const double step = 1e-4;
        at_x[i] = x[i] - step;
        target_log_density(t, pool, &logp, down, NULL, at_x, NULL, 1, NULL);
        at_x[i] = x[i] + step;
        target_log_density(t, pool, &logp, up, NULL, at_x, NULL, 1, NULL);
        at_x[i] = x[i];
        double curve = (down[i] - up[i]) / (2 * step);
        width[i] = fmin(0.6 / sqrt(curve), 0.4);
        off += curve > 0 ? pow(up[i] * width[i], 2) : INFINITY;
    }
    free(at_x);
    return off;
}

/* Of the first draws the one that is nearest to a top, with its widths. */
static const double *near_a_top(const target *t, flow_pool *pool, double *width, const double *x,
                                const char *text)
{
    const double *best = x;
    double least = INFINITY;
    for (size_t k = 0; k < 100; k++) {
        double off = curve_widths(t, pool, width, x + k * t->dim);
        best = off < least ? x + k * t->dim : best;
        least = off < least ? off : least;
    }
    cr_assert_lt(least, INFINITY, "%s: no draw where the density falls", text);
    curve_widths(t, pool, width, best);
    return best;
}

/* log of a product of normals at x. */
static double log_bump(const double *x, const double *centre, const double *width, size_t dim)
{
    double sum = -0.5 * log(2 * acos(-1)) * (double)dim;
    for (size_t i = 0; i < dim; i++) {
        double u = (x[i] - centre[i]) / width[i];
        sum -= 0.5 * u * u + log(width[i]);
    }
    return sum;
}

/* The integral: E[b(x) / p(x)] = 1 for a density b that is narrower than p, here one about one of the draws. At 5
 * standard errors, some 20 of them: false alarm 1e-5. */
static void check_integral(const target *t, flow_pool *pool, const double *x, const double *logp,
                           double *terms, const char *text)
{
    size_t dim = t->dim;
    double *width = malloc(dim * sizeof *width);
    const double *top = near_a_top(t, pool, width, x, text);
    for (size_t r = 0; r < DRAWS; r++)
        terms[r] = exp(log_bump(x + r * dim, top, width, dim) - logp[r] + t->log_z);
    energy_mean m = energy_mean_of(terms, DRAWS);
    cr_assert(fabs(m.value - 1) < 5 * m.se, "%s: the integral is %g +- %g of what log_z says", text,
              m.value, m.se);
    cr_assert(m.se < 24 / sqrt(DRAWS) || dim > 4, "%s: %g +- %g tells nothing", text, m.value,
              m.se);
    free(width);
}

/* Shares of the modes at 5 standard errors, some 100 of them: false alarm 6e-5. */
static void check_partition(const target_partition *p, const size_t *modes, size_t every,
                            const char *text)
{
    double sum = 0, *share = calloc(p->n, sizeof *share), n = DRAWS;
    cr_assert(*p->name, "%s: a partition without a name", text);
    for (size_t r = 0; r < DRAWS; r++) {
        cr_assert_lt(modes[r * every], p->n, "%s", text);
        share[modes[r * every]] += 1 / n;
    }
    for (size_t k = 0; k < p->n; k++) {
        double want = p->weights[k];
        cr_assert(fabs(share[k] - want) < 5 * sqrt(want * (1 - want) / n) + 1e-4,
                  "%s, %s: mode %zu has %g, not %g", text, p->name, k, share[k], want);
        sum += want;
    }
    cr_assert(fabs(sum - 1) < 2e-6, "%s, %s: modes weigh %.12g", text, p->name, sum);
    free(share);
}

static void check_modes(const target *t, const double *x, const char *text)
{
    const target_modes *m = t->modes;
    size_t *modes = malloc(DRAWS * m->partitions * sizeof *modes);
    for (size_t r = 0; r < DRAWS; r++)
        m->modes_of(m->arg, modes + r * m->partitions, x + r * t->dim);
    for (size_t p = 0; p < m->partitions; p++)
        check_partition(&m->partition[p], modes + p, m->partitions, text);
    free(modes);
}

static void check_draws(const target *t, const char *text)
{
    if (!t->ops->sample)
        return;
    flow_pool *pool = flow_pool_create(1, NULL);
    double *logp = malloc((3 + t->dim) * DRAWS * sizeof *logp), *again = logp + DRAWS;
    double *terms = again + DRAWS, *grad = terms + DRAWS, *x = energy_draws(t, logp, DRAWS, 31);
    cr_assert_eq(target_log_density(t, pool, again, grad, NULL, x, NULL, DRAWS, NULL), 0);
    check_same(again, logp, DRAWS, "log p of draws, %s", text);
    check_stein(t, x, grad, terms, text);
    if (!isnan(t->log_z))
        check_integral(t, pool, x, logp, terms, text);
    if (t->modes)
        check_modes(t, x, text);
    free(x);
    free(logp);
    flow_pool_free(pool);
}

Test(target_conformance, draws_have_the_density)
{
    each(check_draws);
}
