/* Every registered base: samples against the density. Seeds are fixed; each check would fail for one
 * seed in 8000 or fewer. */
#include "tests/common/bases.h"
#include "tests/common/check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const pcg_stream noise = {.seed = 1618, .stage = PCG_TEST, .purpose = PCG_BASE};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov against the sum of the density over a fine grid. sqrt(n) times the distance
 * exceeds 2.2 once in 8000 (2 exp(-2 * 2.2^2)). */
static void check_distribution(const base_case *c, double *z, size_t n)
{
    enum { CELLS = 400000 };
    const double step = 80.0 / CELLS; /* of t, z = sinh t up to 10^17 */
    double below = 0, most = 0, at, logp;
    size_t r = 0;
    qsort(z, n, sizeof *z, ascending);
    for (size_t k = 0; k < CELLS; k++) {
        double t = -40 + step * ((double)k + 0.5);
        at = sinh(t);
        base_log_prob(c, &logp, &at, 1);
        below += step * cosh(t) * exp(logp);
        double edge = sinh(t + step / 2);
        while (r < n && z[r] <= edge)
            r++;
        most = fmax(most, fabs(below - (double)r / (double)n));
    }
    cr_assert_eq(r, n, "%s: %zu of %zu samples", base_text(c->example), r, n);
    cr_assert_lt(most * sqrt((double)n), 2.2, "%s: KS distance %g", base_text(c->example), most);
}

Test(base_samples, samples_follow_the_density)
{
    enum { N = 20000 };
    double *z = malloc(N * sizeof *z);
    for (size_t e = 0; e < base_count(); e++) {
        base_case c = base_open(e, 1);
        flow_noise(c.flow, NULL, z, noise, 0, N);
        check_distribution(&c, z, N);
        flow_free(c.flow);
    }
    free(z);
}

/* Mean of m[k] over batches, in standard errors of it. */
static void check_means(const double *m, size_t count, size_t batches, const double *want,
                        const base_case *c, const char *what)
{
    for (size_t k = 0; k < count; k++) {
        double mean = 0, square = 0;
        for (size_t b = 0; b < batches; b++)
            mean += m[b * count + k] / (double)batches;
        for (size_t b = 0; b < batches; b++)
            square += (m[b * count + k] - mean) * (m[b * count + k] - mean);
        double error = sqrt(square / (double)(batches * (batches - 1)));
        cr_assert_lt(fabs(mean - want[k]), 5 * error, "%s, D = %zu, %s %zu: %g +- %g, want %g",
                     base_text(c->example), c->dim, what, k, mean, error, want[k]);
    }
}

/* Columns that are on circles are compared with their moments, too, which are those of one turn. */
static int by_moments(const base_case *c, size_t i, size_t j)
{
    return c->base->edge || base_on_circle(c, i) || base_on_circle(c, j);
}

static double middle_of(const base_case *c)
{
    return c->base->edge ? 0.4 : 0;
}

/* Under its own density, E[score_i] = 0, E[z_i score_j] = -1 if i = j and 0 else (Stein), and so all
 * columns together must be what the density says. 5 standard errors: 6e-7 for each of 2000. A base
 * with an edge is not smooth enough for it: its columns are compared with their moments. */
static void moments_of_row(double *out, const base_case *c, const double *z)
{
    size_t dim = c->dim;
    double score[17];
    c->base->ops->score(c->base, score, base_theta(c->flow), z, 1);
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++)
            out[i * dim + j] += by_moments(c, i, j) ? (z[i] - middle_of(c)) * (z[j] - middle_of(c))
                                                    : z[i] * score[j];
}

Test(base_samples, columns_together_follow_the_density)
{
    enum { BATCHES = 100, ROWS = 200 };
    double *z = malloc(ROWS * 17 * sizeof *z), *m = malloc(BATCHES * 289 * sizeof *m), want[289];
    for (size_t e = 0; e < base_count(); e++) {
        for (size_t d = 1; d < 3; d++) {
            base_case c = base_open(e, base_dims[d]);
            size_t count = c.dim * c.dim;
            memset(m, 0, BATCHES * count * sizeof *m);
            for (size_t b = 0; b < BATCHES; b++) {
                flow_noise(c.flow, NULL, z, noise, b * ROWS, ROWS);
                for (size_t r = 0; r < ROWS; r++)
                    moments_of_row(m + b * count, &c, z + r * c.dim);
            }
            for (size_t k = 0; k < count; k++) {
                size_t i = k / c.dim, j = k % c.dim;
                double side = c.base->edge ? 3.4 : 2 * acos(-1);
                want[k] = i != j ? 0 : by_moments(&c, i, i) ? side * side / 12 * ROWS : -ROWS;
            }
            check_means(m, count, BATCHES, want, &c, "moment");
            flow_free(c.flow);
        }
    }
    free(z);
    free(m);
}

/* u^2 > q has probability .02 for dof 1 from the closed form: P(|u| > x) = 1 - 2/pi atan x. Normals
 * would have none of these. */
Test(base_samples, student_t_has_its_tails)
{
    enum { N = 100000 };
    json_t *d = base_complete("{\"kind\": \"student_t\", \"dof\": 1}", NULL);
    flow_base *cauchy = flow_base_create(d, 1, NULL);
    double *z = malloc(N * sizeof *z), beyond = 0, want = 1 - 2 / acos(-1) * atan(31.8);
    cauchy->ops->sample(cauchy, z, (base_view){0}, noise, 0, N);
    for (size_t r = 0; r < N; r++)
        beyond += fabs(z[r]) > 31.8 ? 1.0 / N : 0;
    check_close(&beyond, &want, 1, 0, 4.5 * sqrt(want * (1 - want) / N), "tail of a Cauchy");
    free(z);
    flow_base_free(cauchy);
    json_decref(d);
}

Test(base_samples, rows_do_not_depend_on_how_many_are_asked_for)
{
    enum { N = 300, CUT = 131, FIRST = 7 };
    double *all = malloc(2 * N * 17 * sizeof *all), *parts = all + N * 17;
    for (size_t e = 0; e < base_count(); e++) {
        for (size_t d = 0; d < 3; d++) {
            base_case c = base_open(e, base_dims[d]);
            flow_noise(c.flow, NULL, all, noise, FIRST, N);
            flow_noise(c.flow, NULL, parts, noise, FIRST, CUT);
            flow_noise(c.flow, NULL, parts + CUT * c.dim, noise, FIRST + CUT, N - CUT);
            check_same(parts, all, N * c.dim, "%s, D = %zu", base_text(e), c.dim);
            flow_noise(c.flow, NULL, parts, noise, 0, 0);
            flow_base_log_prob(c.flow, NULL, parts, all, 0);
            check_same(parts, all, c.dim, "%s: n = 0 writes", base_text(e));
            flow_free(c.flow);
        }
    }
    free(all);
}

/* ---- points of the hypercube */

/* The log of how far columns 0 .. D - 1 move with their points: the map is triangular. */
static double log_slopes(const base_case *c, const double *u)
{
    double bent[8], z[2][8], sum = 0;
    for (size_t i = 0; i < c->dim; i++) {
        const double step = 1e-5 * fmin(u[i], 1 - u[i]);
        for (int side = 0; side < 2; side++) {
            memcpy(bent, u, c->dim * sizeof *u);
            bent[i] += side ? step : -step;
            flow_noise_at(c->flow, z[side], bent, 1);
        }
        sum += log((z[1][i] - z[0][i]) / (2 * step));
    }
    return sum;
}

static void check_points(const base_case *c)
{
    enum { POINTS = 40 };
    double u[POINTS * 8], z[8], logp;
    pcg_uniforms(u, noise, 3, POINTS, c->dim);
    u[0] = 1e-4;
    u[c->dim] = 1 - 1e-4;
    for (size_t r = 0; r < POINTS; r++) {
        flow_noise_at(c->flow, z, u + r * c->dim, 1);
        base_log_prob(c, &logp, z, 1);
        cr_assert_float_eq(log_slopes(c, u + r * c->dim), -logp, 1e-5, "%s, D = %zu, row %zu",
                           base_text(c->example), c->dim, r);
    }
}

Test(base_samples, points_of_the_hypercube_have_the_density)
{
    for (size_t e = 0; e < base_count(); e++)
        for (size_t dim = 1; dim <= 3; dim++) {
            base_case c = base_open(e, dim);
            check_points(&c);
            flow_free(c.flow);
        }
}

Test(base_samples, points_on_the_ends_of_the_hypercube)
{
    for (size_t e = 0; e < base_count(); e++) {
        base_case c = base_open(e, 1);
        double u[] = {0, 1, -1e-9, 1 + 1e-9, NAN}, z[5];
        flow_noise_at(c.flow, z, u, 5);
        cr_expect(isfinite(z[0]) && isfinite(z[1]), "%s: %g %g", base_text(e), z[0], z[1]);
        cr_expect(isnan(z[2]) && isnan(z[3]) && isnan(z[4]), "%s: %g %g", base_text(e), z[2], z[3]);
        flow_noise_at(c.flow, u, u, 2); /* in place */
        cr_expect(memcmp(u, z, 2 * sizeof *u) == 0);
        flow_free(c.flow);
    }
}
