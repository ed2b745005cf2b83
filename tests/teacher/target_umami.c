/* A matrix element of UMAMI's as a target: its density and cross section, cuts, inputs, parameters and handles. tests/plugins/umami.c is the matrix element. */
#include "teacher/phase_space.h"
#include "teacher/plugin_workers.h"
#include "teacher/quantities.h"
#include "tests/common/check.h"
#include "tests/common/plugins.h"
#include "tests/common/sanitized.h"
#include "tests/common/temp.h"
#include "tests/teacher/energies.h"
#include "tests/teacher/umami_made.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PI = 3.14159265358979323846, PICOBARNS = 3.893793721e8, AEWM1 = 137.035999;

/* y with Phi(y) = u. */
static double normal_score(double u)
{
    double lo = -9, hi = 9;
    for (int i = 0; i < 80; i++) {
        double mid = 0.5 * (lo + hi);
        *(0.5 * erfc(-mid / sqrt(2)) < u ? &lo : &hi) = mid;
    }
    return 0.5 * (lo + hi);
}

/* At points u (n, D) of the hypercube, as a density of u. */
static int ask(const target *t, double *logp, target_status *status, const double *u, size_t n,
               flow_err *err)
{
    flow_pool *pool = flow_pool_create(3, NULL);
    double *y = malloc(n * t->dim * sizeof *y);
    for (size_t i = 0; i < n * t->dim; i++)
        y[i] = normal_score(u[i]);
    *err = (flow_err)FLOW_ERR_INIT;
    int code = target_log_density(t, pool, logp, NULL, status, y, NULL, n, err);
    for (size_t i = 0; i < n * t->dim && !code; i++)
        logp[i / t->dim] += 0.5 * y[i] * y[i] + 0.5 * log(2 * PI);
    flow_pool_free(pool);
    free(y);
    return code;
}

/* Of one row, which must have one. */
static double density(const target *t, const double *x)
{
    double logp;
    flow_err err;
    cr_assert_eq(ask(t, &logp, NULL, x, 1, &err), 0, "%s", err.text);
    return logp;
}

/* ---- what it says of itself */

Test(target_umami, says_what_it_is)
{
    static const char *const names[] = {"mass2", "cos1", "phi1", "cos2", "phi2"};
    char text[TARGET_COLUMN_TEXT];
    target *t = umami_of(UMAMI_MUONS, "'energy': 10", "");
    cr_assert_eq(t->dim, 2);
    cr_assert_eq(t->flags, TARGET_THREADS | TARGET_DEAR);
    cr_assert(isnan(t->log_z));
    cr_assert_str_eq(target_column(t, text, 0), "cos1");
    cr_assert_null(t->kinds);
    cr_assert_eq(umami_count("umami_handles"), 1);
    target_free(t);
    cr_assert_eq(umami_count("umami_handles"), 0);
    t = umami_of("tests/plugins/umami_flat.so", "'energy': 10", "");
    cr_assert_eq(t->dim, 5);
    for (size_t j = 0; j < 5; j++)
        cr_assert_str_eq(target_column(t, text, j), names[j]);
    target_free(t);
}

/* ---- its density */

/* (hbar c)^2 / (2 s) e^4 (1 + cos^2) / (8 pi), in pb. */
static double muons(double energy, double cosine)
{
    double e2 = 4 * PI / AEWM1;
    return PICOBARNS / (2 * energy * energy) * e2 * e2 * (1 + cosine * cosine) / (8 * PI);
}

static double *points(size_t n, size_t dim)
{
    const pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};
    double *x = malloc(n * dim * sizeof *x);
    pcg_uniforms(x, stream, 0, n, dim);
    return x;
}

enum { N = 600 };

Test(target_umami, density_is_the_differential_cross_section)
{
    target *t = umami_of(UMAMI_MUONS, "'energy': 37", "");
    double *x = points(N, 2), logp[N];
    flow_err err;
    cr_assert_eq(ask(t, logp, NULL, x, N, &err), 0, "%s", err.text);
    for (size_t r = 0; r < N; r++) {
        double want = log(muons(37, 2 * x[2 * r] - 1));
        cr_assert_float_eq(logp[r], want, 1e-12, "row %zu: %.15g, not %.15g", r, logp[r], want);
    }
    free(x);
    target_free(t);
}

/* 4 pi alpha^2 / (3 s): 86.8 nb at 1 GeV. Midpoints are exact to 1 / (4 n^2) for a parabola. */
Test(target_umami, the_integral_is_the_cross_section)
{
    enum { STEPS = 1000 };
    target *t = umami_of(UMAMI_MUONS, "'energy': 1", "");
    double x[2 * STEPS], logp[STEPS], sum = 0, want = 4 * PI / (3 * AEWM1 * AEWM1) * PICOBARNS;
    flow_err err;
    for (size_t i = 0; i < STEPS; i++) {
        x[2 * i] = ((double)i + 0.5) / STEPS;
        x[2 * i + 1] = 0.37;
    }
    cr_assert_eq(ask(t, logp, NULL, x, STEPS, &err), 0);
    for (size_t i = 0; i < STEPS; i++)
        sum += exp(logp[i]) / STEPS;
    cr_assert_float_eq(sum, want, 1e-6 * want, "%.10g pb, not %.10g", sum, want);
    cr_assert_float_eq(want, 86850, 20); /* as it is in books */
    target_free(t);
}

/* With masses on both sides: the flux, and the weight that phase_space.c is tested for. */
Test(target_umami, masses_are_those_of_the_library)
{
    const double out[] = {1, 2, 0.5}, p = phase_space_two(10, 0.2, 0.5);
    target *t = umami_of("tests/plugins/umami_flat.so", "'energy': 10", "");
    double *x = points(N, 5), logp[N];
    phase_space space;
    momentum m[3];
    flow_err err;
    cr_assert_eq(phase_space_init(&space, 10, out, 3, &err), 0);
    cr_assert_eq(ask(t, logp, NULL, x, N, &err), 0);
    for (size_t r = 0; r < N; r++)
        cr_assert_float_eq(
            logp[r], phase_space_momenta(&space, m, x + 5 * r) + log(PICOBARNS / (40 * p)), 1e-12);
    free(x);
    target_free(t);
}

/* 1e6 / ((q - m^2)^2 + m^2 w^2) over the phase space of three without mass: dq / (2 pi) (1 - q / s) / (8 pi) / (8 pi), by the
 * substitution that makes the resonance even. */
static double resonance(double s)
{
    enum { STEPS = 20000 };
    double m2 = 91.2 * 91.2, mw = 91.2 * 2.5, sum = 0;
    double lo = atan(-m2 / mw), hi = atan((s - m2) / mw);
    for (size_t i = 0; i < STEPS; i++) {
        double q = m2 + mw * tan(lo + (hi - lo) * ((double)i + 0.5) / STEPS);
        sum += (1 - q / s) * (hi - lo) / STEPS;
    }
    return PICOBARNS / (2 * s) * 1e6 / mw * sum / (2 * PI * 64 * PI * PI);
}

/* 9.4877 in logarithms, at 200 GeV. The angles are of no matter. */
Test(target_umami, a_resonance_is_where_two_particles_have_its_mass)
{
    enum { STEPS = 20000 };
    target *t = umami_of("tests/plugins/umami_resonance.so", "'energy': 200", "");
    double *u = calloc(5 * STEPS, sizeof *u), *logp = malloc(STEPS * sizeof *logp), sum = 0;
    flow_err err;
    for (size_t i = 0; i < 5 * STEPS; i++)
        u[i] = i % 5 ? 0.3 : ((double)(i / 5) + 0.5) / STEPS;
    cr_assert_eq(ask(t, logp, NULL, u, STEPS, &err), 0, "%s", err.text);
    for (size_t i = 0; i < STEPS; i++)
        sum += exp(logp[i]) / STEPS;
    cr_assert_float_eq(sum / resonance(4e4), 1, 1e-5, "%.9g, not %.9g", sum, resonance(4e4));
    cr_assert_float_eq(log(sum), 9.48767, 1e-4);
    free(u);
    free(logp);
    target_free(t);
}

/* One that decays: q / (8 pi M^2), for |M| = 1, at each point. */
Test(target_umami, a_decay_has_a_width)
{
    const double x[2] = {0.2, 0.7}, q = phase_space_two(5, 1, 2);
    target *t = umami_of("tests/plugins/umami_alone.so", "'energy': 5, 'incoming': 1", "");
    cr_assert_float_eq(exp(density(t, x)), q / (8 * PI * 25), 1e-15);
    target_free(t);
}

Test(target_umami, density_in_workers_is_the_same)
{
    target *here = umami_of(UMAMI_MUONS, "'energy': 10", ""),
           *there = umami_of(UMAMI_MUONS, "'energy': 10", ", \"workers\": 2");
    double *x = points(N, 2), a[N], b[N];
    flow_err err;
    cr_assert_eq(ask(here, a, NULL, x, N, &err), 0);
    cr_assert_eq(ask(there, b, NULL, x, N, &err), 0, "%s", err.text);
    check_same(a, b, N, "log p");
    free(x);
    target_free(here);
    target_free(there);
}

/* Samples are momenta, those that the library is asked with. */
static void check_momenta(const char *keys)
{
    static const char *const names[] = {"e3", "px3", "py3", "pz3", "e4"};
    const double out[] = {1, 2, 0.5};
    target *t = umami_of("tests/plugins/umami_flat.so", "'energy': 10", keys);
    const quantities *q = target_quantities(t);
    double *u = points(N, 5), *y = malloc(5 * N * sizeof *y), *p = malloc(12 * N * sizeof *p);
    flow_pool *pool = flow_pool_create(3, NULL);
    quantities_broken broken = {.count = 0};
    phase_space space;
    flow_err err = FLOW_ERR_INIT;
    cr_assert(q && q->instead && q->count == 12 && q->usual == 12);
    for (size_t k = 0; k < 5; k++)
        cr_assert_str_eq(q->names[k], names[k]);
    for (size_t i = 0; i < 5 * N; i++)
        y[i] = normal_score(u[i]);
    cr_assert_eq(quantities_derive(q, pool, p, 12, NULL, &broken, y, N, 0, &err), 0, "%s",
                 err.text);
    cr_assert(broken.count == 0 && phase_space_init(&space, 10, out, 3, &err) == 0);
    for (size_t r = 0; r < N; r++) {
        momentum m[3];
        phase_space_momenta(&space, m, u + 5 * r);
        for (size_t k = 0; k < 12; k++)
            cr_assert_float_eq(p[12 * r + k], ((const double *)m)[k], 1e-12, "row %zu", r);
    }
    flow_pool_free(pool);
    free(u);
    free(y);
    free(p);
    target_free(t);
}

Test(target_umami, samples_are_momenta)
{
    check_momenta("");
    check_momenta(", \"workers\": 1");
}

/* ---- handles: the library ends the process if two threads are in one, or one is made beside a call */

Test(target_umami, a_handle_for_each_thread)
{
    enum { MANY = 20000 };
    target *t = umami_of(UMAMI_MUONS, "'energy': 10", "");
    double *x = points(MANY, 2), *a = malloc(2 * MANY * sizeof *a);
    flow_pool *one = flow_pool_create(1, NULL), *four = flow_pool_create(4, NULL);
    flow_err err;
    cr_assert_eq(target_log_density(t, four, a, NULL, NULL, x, NULL, MANY, &err), 0);
    cr_assert_leq(umami_count("umami_most"), 4);
    cr_assert_eq(target_log_density(t, one, a + MANY, NULL, NULL, x, NULL, MANY, &err), 0);
    check_same(a, a + MANY, MANY, "log p");
    cr_assert_eq(umami_count("umami_calls"), 1 + 2 * ((MANY + 127) / 128));
    target_free(t);
    cr_assert_eq(umami_count("umami_handles"), 0, "handles are not freed");
    flow_pool_free(one);
    flow_pool_free(four);
    free(x);
    free(a);
}

Test(target_umami, one_at_a_time_if_it_has_to_be)
{
    target *t = umami_of(UMAMI_MUONS, "'energy': 10, 'threads': false", "");
    double *x = points(N, 2), logp[N];
    flow_err err;
    cr_assert_eq(t->flags & TARGET_THREADS, 0);
    cr_assert_eq(ask(t, logp, NULL, x, N, &err), 0);
    cr_assert_eq(umami_count("umami_most"), 1);
    free(x);
    target_free(t);
}

/* ---- what it is given */

Test(target_umami, inputs_arrive)
{
    const double x[2] = {0.7, 0.1}, want = log(muons(10, 0.4));
    target *t =
        umami_of(UMAMI_MUONS, "'energy': 10, 'alpha_s': 0.118, 'flavor': 2, 'channel': 1", "");
    cr_assert_float_eq(density(t, x), want + log(0.118 * 3 * 11), 1e-12);
    target_free(t);
    t = umami_of("tests/plugins/umami_wants.so", "'energy': 10, 'alpha_s': 0.5", "");
    cr_assert_float_eq(density(t, x), want + log(0.5), 1e-12);
    target_free(t);
    t = umami_of("tests/plugins/umami_old.so", "'energy': 10, 'masses': [0, 0, 0, 0]", "");
    cr_assert_float_eq(density(t, x), want, 1e-12);
    target_free(t);
}

Test(target_umami, parameters_and_cards_are_those_of_each_handle, .fini = temp_close)
{
    const double x[2] = {0.7, 0.1}, want = log(muons(10, 0.4));
    char words[1000], more[5000];
    target *t =
        umami_of(UMAMI_MUONS, "'energy': 10, 'parameters': {'aEWM1': 100, 'nan': [7, 0]}", "");
    cr_assert_float_eq(density(t, x), want + 2 * log(AEWM1 / 100), 1e-12);
    target_free(t);
    temp_open();
    temp_write("card.dat", "aEWM1 50\n", 9);
    snprintf(words, sizeof words, "'energy': 10, 'card': '%s'", temp_path("card.dat"));
    t = umami_of(UMAMI_MUONS, words, "");
    cr_assert_float_eq(density(t, x), want + 2 * log(AEWM1 / 50), 1e-12);
    target_free(t);
    temp_write("p.json", "{\"energy\": 10, \"card\": \"card.dat\"}", 34); /* beside it */
    snprintf(more, sizeof more, "\"data\": \"%s\"", temp_path("p.json"));
    flow_err err;
    t = umami_make(UMAMI_MUONS, more, &err);
    cr_assert(t, "%s", err.text);
    cr_assert_float_eq(density(t, x), want + 2 * log(AEWM1 / 50), 1e-12);
    target_free(t);
}

/* ---- rows that are none */

/* The second of three rows is forward, where it does what it does. */
static void check_rows(const char *does, const char *keys, target_status want)
{
    char words[200];
    const double x[6] = {0.3, 0.2, 0.97, 0.6, 0.8, 0.9};
    double logp[3];
    target_status status[3];
    flow_err err;
    snprintf(words, sizeof words, "'energy': 10, 'parameters': {'%s': 0.9}", does);
    target *t = umami_of(UMAMI_MUONS, words, keys);
    cr_assert_eq(ask(t, logp, status, x, 3, &err), 0, "%s: %s", does, err.text);
    cr_assert(status[0] == TARGET_FINITE && status[2] == TARGET_FINITE, "%s", does);
    cr_assert_eq(status[1], want, "%s: %d", does, status[1]);
    cr_assert_float_eq(logp[2], log(muons(10, 0.6)), 1e-12);
    target_free(t);
}

#define TIMEOUT(S) ", \"workers\": 1, \"timeout\": " #S

Test(target_umami, rows_without_density_and_broken_ones)
{
    check_rows("zero", "", TARGET_NO_DENSITY);
    check_rows("nan", "", TARGET_BROKEN);
    check_rows("negative", "", TARGET_BROKEN);
    check_rows("unwritten", "", TARGET_BROKEN);
    check_rows("zero", ", \"workers\": 1", TARGET_NO_DENSITY);
    check_rows("nan", ", \"workers\": 1", TARGET_BROKEN);
    check_rows("crash", ", \"workers\": 1", TARGET_BROKEN);
    check_rows("hang", UNLESS_SANITIZED(TIMEOUT(2), TIMEOUT(4)), TARGET_BROKEN);
}

Test(target_umami, a_status_ends_the_run)
{
    target *t = umami_of(UMAMI_MUONS, "'energy': 10, 'parameters': {'status': 0.9}", "");
    const double x[2] = {0.97, 0.5};
    double logp;
    flow_err err;
    cr_assert_eq(ask(t, &logp, NULL, x, 1, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "umami_matrix_element failed: status 1: an error"), "%s", err.text);
    target_free(t);
}

/* Whether a row at this cosine (and azimuth) has a density. */
static bool passes(const char *cut, double cosine)
{
    char words[200];
    const double x[2] = {0.5 * (1 + cosine), 0.4};
    double logp;
    target_status status;
    flow_err err;
    snprintf(words, sizeof words, "'energy': 10, %s", cut);
    target *t = umami_of(UMAMI_MUONS, words, "");
    cr_assert_eq(ask(t, &logp, &status, x, 1, &err), 0);
    cr_assert(status == TARGET_NO_DENSITY || fabs(logp - log(muons(10, cosine))) < 1e-12);
    target_free(t);
    return status == TARGET_FINITE;
}

/* Of two particles back to back, of 5 GeV each: pt = 5 sin, eta = atanh cos, dr = hypot(2 eta, pi), a mass of 10. */
Test(target_umami, cuts_leave_no_density)
{
    double edge = sqrt(1 - 0.16), deta = tanh(2.5), dr = tanh(0.5 * sqrt(16 - PI * PI));
    cr_assert(passes("'pt_min': 2", edge - 1e-6) && !passes("'pt_min': 2", edge + 1e-6));
    cr_assert(passes("'eta_max': 2.5", -deta + 1e-6) && !passes("'eta_max': 2.5", -deta - 1e-6));
    cr_assert(!passes("'dr_min': 4", dr - 1e-6) && passes("'dr_min': 4", dr + 1e-6));
    cr_assert(passes("'mass_min': 9.99", 0.3) && !passes("'mass_min': 10.01", 0.3));
}

/* A point that is cut is not asked of the library: it would end the run there. */
Test(target_umami, what_is_cut_is_not_evaluated)
{
    target *t =
        umami_of(UMAMI_MUONS, "'energy': 10, 'pt_min': 4, 'parameters': {'status': 0.9}", "");
    const double x[4] = {0.97, 0.5, 0.5, 0.5};
    double logp[2];
    target_status status[2];
    flow_err err;
    cr_assert_eq(ask(t, logp, status, x, 2, &err), 0, "%s", err.text);
    cr_assert(status[0] == TARGET_NO_DENSITY && status[1] == TARGET_FINITE);
    cr_assert_float_eq(logp[1], log(muons(10, 0)), 1e-12);
    target_free(t);
}
