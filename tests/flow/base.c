/* Every registered base: descriptions, closed forms, that densities integrate to one, derivatives.
 * Samples are in base_samples.c. */
#include "flow/base.h"
#include "tests/common/backends.h"
#include "tests/common/bases.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream noise = {.seed = 1618, .stage = PCG_TEST, .purpose = PCG_BASE};
/* ---- the registry */

Test(base, every_kind_has_a_doc_and_an_example)
{
    for (size_t k = 0; flow_base_kinds[k]; k++) {
        const flow_base_ops *ops = flow_base_kinds[k];
        cr_assert(ops->kind.doc && ops->kind.doc[0], "%s: no doc", ops->kind.name);
        cr_assert_eq(!ops->backward, !ops->pull, "%s: parameters in one way only", ops->kind.name);
    }
    const char *missing = base_missing();
    cr_assert_null(missing, "base '%s' has no example in tests/common/bases.c", missing);
}

Test(base, descriptions_come_back)
{
    for (size_t e = 0; e < base_count(); e++) {
        json_t *want = base_example(e);
        for (size_t d = 0; d < 3; d++) {
            flow_base *base = flow_base_create(want, base_dims[d], NULL);
            json_t *got = flow_base_describe(base);
            cr_assert(json_equal(got, want), "%s comes back as %s", base_text(e),
                      json_dumps(got, JSON_SORT_KEYS));
            json_decref(got);
            flow_base_free(base);
        }
        json_decref(want);
    }
}

static void check_same_as(const json_t *description, const char *want)
{
    flow_base *base = flow_base_create(description, 3, NULL);
    json_t *got = flow_base_describe(base), *full = json_loads(want, 0, NULL);
    cr_assert(json_equal(got, full), "got %s, want %s", json_dumps(got, 0), want);
    json_decref(got);
    json_decref(full);
    flow_base_free(base);
}

Test(base, a_word_or_nothing_is_a_description)
{
    json_t *word = json_string("student_t");
    check_same_as(NULL, "{\"kind\": \"normal\", \"learn\": false}");
    check_same_as(word, "{\"kind\": \"student_t\", \"dof\": 4.0, \"learn\": false}");
    json_decref(word);
}

Test(base, refused_descriptions)
{
    static const struct {
        const char *text, *want;
    } wrong[] = {
        {"{\"kind\": \"norml\"}", "no base 'norml'; did you mean 'normal'?"},
        {"{\"learn\": true}", "a base wants {"},
        {"{\"kind\": 3}", "a base wants {"},
        {"[]", "a base wants {"},
        {"{\"kind\": \"normal\", \"dof\": 4}", "no key 'dof'"},
        {"{\"kind\": \"normal\", \"learn\": 1}", "learn wants"},
        {"{\"kind\": \"uniform\", \"low\": 1, \"high\": 1}", "low must be below high"},
        {"{\"kind\": \"uniform\", \"low\": -1.7e308, \"high\": 1.7e308}", "not infinitely far"},
        {"{\"kind\": \"student_t\", \"dof\": 0.4}", "dof wants a number 0.5 .. 10000"},
        {"{\"kind\": \"student_t\", \"dof\": 1e5}", "dof wants a number 0.5 .. 10000"},
        {"{\"kind\": \"mixture\", \"components\": 0}", "components wants a whole number 1 .. 1024"},
        {"{\"kind\": \"mixture\", \"components\": 100000}",
         "components wants a whole number 1 .. 1024"},
        {"{\"kind\": \"mixture\", \"weights\": \"some\"}", "weights wants one of learned, equal"},
        {"{\"kind\": \"mixture\", \"spread\": -1}", "spread wants a number"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        flow_err err = FLOW_ERR_INIT;
        json_t *d = base_complete(wrong[i].text, &err);
        cr_assert(!d || !flow_base_create(d, 2, &err), "%s is taken", wrong[i].text);
        cr_assert_eq(err.code, FLOW_ECONFIG, "%s: code %d", wrong[i].text, err.code);
        cr_assert(strstr(err.text, wrong[i].want), "%s: \"%s\"", wrong[i].text, err.text);
        json_decref(d);
    }
}

/* Defaults are for people: what a file leaves out is refused. */
Test(base, incomplete_objects_are_refused)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = json_pack("{s:s, s:b}", "kind", "student_t", "learn", 1);
    cr_assert_null(flow_base_create(d, 2, &err));
    cr_assert_eq(err.code, FLOW_ECONFIG);
    cr_assert(strstr(err.text, "dof"), "%s", err.text);
    json_decref(d);
}

/* ---- closed forms */

static void check_log_prob(const char *text, const double *theta, const double *z, size_t dim,
                           double want)
{
    json_t *d = base_complete(text, NULL);
    flow_base *base = flow_base_create(d, dim, NULL);
    double got;
    base->ops->log_prob(base, &got, (base_view){theta, FLOW_F64}, z, 1);
    check_close(&got, &want, 1, 1e-14, 1e-14, "%s", text);
    flow_base_free(base);
    json_decref(d);
}

static double log_normal(double z, double shift, double log_scale)
{
    double u = (z - shift) / exp(log_scale);
    return -u * u / 2 - log_scale - log(2 * acos(-1)) / 2;
}

Test(base, log_densities_are_the_closed_forms)
{
    const double z[] = {2.385, -0.713}, pi = acos(-1);
    const double places[] = {0.37, -1.21, 0.43, -0.29}; /* shifts, log scales */
    check_log_prob("{\"kind\": \"normal\"}", NULL, z, 2,
                   -(2.385 * 2.385 + 0.713 * 0.713) / 2 - log(2 * pi));
    check_log_prob("{\"kind\": \"normal\", \"learn\": true}", places, z, 2,
                   log_normal(z[0], 0.37, 0.43) + log_normal(z[1], -1.21, -0.29));
    check_log_prob("{\"kind\": \"uniform\", \"low\": -1.3, \"high\": 2.4}", NULL, z, 2,
                   -2 * log(3.7));
    check_log_prob("{\"kind\": \"uniform\", \"low\": -1.3, \"high\": 2.3}", NULL, z, 2, -INFINITY);
    check_log_prob("{\"kind\": \"uniform\", \"low\": -0.7, \"high\": 2.4}", NULL, z, 2, -INFINITY);
    /* Cauchy, and dof 3: 2 / (pi sqrt(3) (1 + u^2/3)^2) */
    check_log_prob("{\"kind\": \"student_t\", \"dof\": 1}", NULL, z, 2,
                   -2 * log(pi) - log1p(2.385 * 2.385) - log1p(0.713 * 0.713));
    double u0 = (2.385 - 0.37) / exp(0.43), u1 = (-0.713 + 1.21) / exp(-0.29);
    check_log_prob("{\"kind\": \"student_t\", \"dof\": 3, \"learn\": true}", places, z, 2,
                   2 * log(2 / (pi * sqrt(3))) - 2 * log1p(u0 * u0 / 3) - 2 * log1p(u1 * u1 / 3) -
                       0.43 + 0.29);
}

Test(base, log_density_of_a_mixture)
{
    /* two components in D = 2: shift (2, 2), log_scale (2, 2), logit (2) */
    const double theta[] = {0.37, -1.21, 1.9, 0.2, 0.43, -0.29, -0.61, 0.17, 0.83, -0.47};
    const double z[] = {2.385, -0.713}, far[] = {238.5, -71.3};
    const double *both[] = {z, far};
    for (size_t i = 0; i < 2; i++) {
        const double *at = both[i];
        double a = log_normal(at[0], 0.37, 0.43) + log_normal(at[1], -1.21, -0.29);
        double b = log_normal(at[0], 1.9, -0.61) + log_normal(at[1], 0.2, 0.17);
        double learned = log(exp(0.83) + exp(-0.47)), top = fmax(a, b);
        check_log_prob("{\"kind\": \"mixture\", \"components\": 2, \"weights\": \"equal\"}", theta,
                       at, 2, top + log((exp(a - top) + exp(b - top)) / 2));
        check_log_prob("{\"kind\": \"mixture\", \"components\": 2}", theta, at, 2,
                       top + log(exp(a - top + 0.83) + exp(b - top - 0.47)) - learned);
    }
}

/* ---- integrals: z_i = sinh t_i over an even grid of t, where heavy tails vanish like exponentials and
 * the trapezoidal rule is exact to nearly all digits for what is smooth */

enum { HALF = 150 };
#define STEP 0.12

typedef struct grid {
    size_t n;
    double *z, *weight; /* (n, D), (n): sum of weight f(z) is the integral of f */
} grid;

static grid make_grid(size_t dim)
{
    size_t side = 2 * HALF + 1, n = dim == 1 ? side : side * side;
    grid g = {.n = n, .z = malloc(n * (dim + 1) * sizeof *g.z)};
    g.weight = g.z + n * dim;
    for (size_t r = 0; r < n; r++) {
        g.weight[r] = 1;
        for (size_t i = 0, at = r; i < dim; i++, at /= side) {
            double t = STEP * ((double)(at % side) - HALF);
            g.z[r * dim + i] = sinh(t);
            g.weight[r] *= STEP * cosh(t);
        }
    }
    return g;
}

Test(base, densities_integrate_to_one)
{
    for (size_t e = 0; e < base_count(); e++) {
        for (size_t dim = 1; dim <= 2; dim++) {
            base_case c = base_open(e, dim);
            grid g = make_grid(dim);
            double *logp = malloc(g.n * sizeof *logp), sum = 0;
            base_log_prob(&c, logp, g.z, g.n);
            for (size_t r = 0; r < g.n; r++)
                sum += g.weight[r] * exp(logp[r]);
            /* an edge is off by half a cell at most: .06 cosh t, t of both ends, over 3.4; the ends of a
             * turn, where the grid ends, over 6.3 */
            int edge = c.base->edge || c.base->on_circle;
            check_close(&sum, &(double){1}, 1, 0, edge ? 0.07 * (double)dim : 1e-9, "%s, D = %zu",
                        base_text(e), dim);
            free(logp);
            free(g.z);
            flow_free(c.flow);
        }
    }
}

/* In D = 3 by importance sampling from Cauchy numbers, whose tails are heavier than any here but the
 * mean of the weights has a standard error below .01: 4.5 of them (7e-6). */
Test(base, densities_integrate_to_one_in_three_dimensions)
{
    enum { N = 100000, D = 3 };
    json_t *d = base_complete("{\"kind\": \"student_t\", \"dof\": 1}", NULL);
    flow_base *cauchy = flow_base_create(d, D, NULL);
    double *z = malloc((size_t)N * (D + 1) * sizeof *z), *logp = z + (size_t)N * D, logq[1];
    for (size_t e = 0; e < base_count(); e++) {
        base_case c = base_open(e, D);
        double sum = 0, square = 0;
        cauchy->ops->sample(cauchy, z, (base_view){0}, noise, 0, N);
        base_log_prob(&c, logp, z, N);
        for (size_t r = 0; r < N; r++) {
            cauchy->ops->log_prob(cauchy, logq, (base_view){0}, z + r * D, 1);
            double w = exp(logp[r] - logq[0]);
            sum += w / N;
            square += w * w / N;
        }
        double error = sqrt((square - sum * sum) / N);
        cr_assert_lt(error, 0.015, "%s: standard error %g", base_text(e), error);
        check_close(&sum, &(double){1}, 1, 0, 4.5 * error, "%s, D = 3", base_text(e));
        flow_free(c.flow);
    }
    flow_base_free(cauchy);
    json_decref(d);
    free(z);
}

/* ---- derivatives, at points where no density has an edge */

static void row_log_probs(void *arg, double *out)
{
    base_case *c = arg;
    flow_base_log_prob(c->flow, NULL, out, c->z, c->n);
}

static void weighted_log_prob(void *arg, double *out)
{
    base_case *c = arg;
    double rows[FLOW_SHARD];
    row_log_probs(arg, rows);
    *out = 0;
    for (size_t r = 0; r < c->n; r++)
        *out += c->dlogp[r] * rows[r];
}

static void check_score(base_case *c)
{
    double *score = malloc(c->n * (c->dim + 1) * sizeof *score), *column = score + c->n * c->dim;
    c->base->ops->score(c->base, score, base_theta(c->flow), c->z, c->n);
    for (size_t i = 0; i < c->dim; i++) {
        moved m = {
            .values = row_log_probs, .arg = c, .at = c->z + i, .n_at = c->n, .stride = c->dim};
        for (size_t r = 0; r < c->n; r++)
            column[r] = score[r * c->dim + i];
        check_derivative(column, &m, c->n, 1e-6, "%s: score %zu, D = %zu", base_text(c->example), i,
                         c->dim);
    }
    free(score);
}

/* All derivatives in the parameters; the first call adds to the odd number that is there. */
static void check_parameters(base_case *c, void (*sum)(void *arg, double *out),
                             const double *gradient, const char *what)
{
    double *theta = flow_params(c->flow);
    for (size_t i = 0; i < c->base->n_params; i++) {
        double got = gradient[i] - 0.713;
        moved m = {.values = sum, .arg = c, .at = theta + i, .n_at = 1, .stride = 1};
        check_derivative(&got, &m, 1, 1e-6, "%s: %s by parameter %zu, D = %zu",
                         base_text(c->example), what, i, c->dim);
    }
}

static double *odd_gradient(const flow_base *base)
{
    double *gradient = malloc((base->n_params + 1) * sizeof *gradient);
    for (size_t i = 0; i < base->n_params; i++)
        gradient[i] = 0.713;
    return gradient;
}

static void check_backward(base_case *c)
{
    double *gradient = odd_gradient(c->base);
    c->base->ops->backward(c->base, (base_block){gradient, FLOW_F64}, base_theta(c->flow), c->dlogp,
                           c->z, c->n);
    check_parameters(c, weighted_log_prob, gradient, "log p");
    free(gradient);
}

Test(base, scores_and_gradients_are_derivatives)
{
    enum { N = 5 };
    for (size_t e = 0; e < base_count(); e++) {
        for (size_t d = 0; d < 3; d++) {
            base_case c = base_open(e, base_dims[d]);
            c.n = d == 1 ? 1 : N;
            c.z = random_numbers_new(N * c.dim, 0.31, 3 + e);
            c.dlogp = random_numbers_new(N, 1.3, 4 + e);
            check_score(&c);
            cr_assert_eq(c.base->n_params > 0, c.base->n_tensors > 0);
            if (c.base->n_params)
                check_backward(&c);
            free(c.z);
            free(c.dlogp);
            flow_free(c.flow);
        }
    }
}

/* ---- pull: E[f(z)] moves with the parameters by E[pull(grad f)], as integrals over the grid. f is a
 * product of tanh(z_i + .3), so that columns are not alone. */

static double f_of(const double *z, size_t dim)
{
    double f = 1;
    for (size_t i = 0; i < dim; i++)
        f *= tanh(z[i] + 0.3);
    return f;
}

static double df_of(const double *z, size_t dim, size_t i)
{
    double t = tanh(z[i] + 0.3), f = 1 - t * t;
    for (size_t j = 0; j < dim; j++)
        f *= j == i ? 1 : tanh(z[j] + 0.3);
    return f;
}

static void mean_of_f(void *arg, double *out)
{
    const base_case *c = arg;
    double logp[FLOW_SHARD];
    *out = 0;
    for (size_t row = 0; row < c->n; row += FLOW_SHARD) {
        size_t n = c->n - row < FLOW_SHARD ? c->n - row : FLOW_SHARD;
        base_log_prob(c, logp, c->z + row * c->dim, n);
        for (size_t r = 0; r < n; r++)
            *out += c->weights[row + r] * exp(logp[r]) * f_of(c->z + (row + r) * c->dim, c->dim);
    }
}

static void pull_all(const base_case *c, base_block gradient)
{
    double logp[FLOW_SHARD], dz[2 * FLOW_SHARD];
    for (size_t row = 0; row < c->n; row += FLOW_SHARD) {
        size_t n = c->n - row < FLOW_SHARD ? c->n - row : FLOW_SHARD;
        const double *z = c->z + row * c->dim;
        base_log_prob(c, logp, z, n);
        for (size_t i = 0; i < n * c->dim; i++)
            dz[i] = c->weights[row + i / c->dim] * exp(logp[i / c->dim]) *
                    df_of(z + i / c->dim * c->dim, c->dim, i % c->dim);
        c->base->ops->pull(c->base, gradient, base_theta(c->flow), dz, z, n);
    }
}

static void check_pull(size_t example, size_t dim)
{
    base_case c = base_open(example, dim);
    grid g = make_grid(dim);
    double *gradient = odd_gradient(c.base);
    c.n = g.n;
    c.z = g.z;
    c.weights = g.weight;
    pull_all(&c, (base_block){gradient, FLOW_F64});
    check_parameters(&c, mean_of_f, gradient, "path of f");
    free(gradient);
    free(g.z);
    flow_free(c.flow);
}

Test(base, pull_follows_the_path)
{
    size_t learned = 0;
    for (size_t e = 0; e < base_count(); e++) {
        base_case c = base_open(e, 1);
        int path = c.base->n_params && !c.base->pathless;
        flow_free(c.flow);
        for (size_t dim = 1; path && dim <= 2; dim++)
            check_pull(e, dim);
        learned += (size_t)path;
    }
    cr_assert_geq(learned, 4);
}

/* The tensor that is called pathless is there, and pull leaves it alone. */
Test(base, pull_leaves_what_is_pathless)
{
    size_t seen = 0;
    for (size_t e = 0; e < base_count(); e++) {
        base_case c = base_open(e, 2);
        double z[] = {0.3, -0.7}, dz[] = {1.1, 2.3}, *gradient = odd_gradient(c.base);
        for (size_t t = 0; t < c.base->n_tensors && c.base->pathless; t++) {
            const base_tensor *at = &c.base->tensors[t];
            if (strcmp(at->name, c.base->pathless) != 0)
                continue;
            c.base->ops->pull(c.base, (base_block){gradient, FLOW_F64}, base_theta(c.flow), dz, z,
                              1);
            for (size_t i = 0; i < at->rows; i++)
                cr_assert_eq(gradient[at->first + i], 0.713);
            seen++;
        }
        free(gradient);
        flow_free(c.flow);
    }
    cr_assert_eq(seen, 1);
}
