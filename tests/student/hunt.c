/* The hunt for what a student misses: students that lack a known part of a target of which all is known, and students that lack
 * nothing. Neither the target's sampler nor its log Z is used. */
#include "student/hunt.h"

#include "student/against_chain.h"
#include "student/proposal.h"
#include "tests/common/check.h"
#include "tests/common/mixture_student.h"
#include "tests/common/sanitized.h"
#include "tests/common/target_of.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { ROWS = 4096, SAMPLES = UNLESS_SANITIZED(20000, 8000), SEEDS = UNLESS_SANITIZED(5, 2) };

/* ---- proposals */

/* Three groups in the plane, one of them on a line. */
static void groups_of(double *x, size_t *of, size_t n)
{
    const pcg_stream stream = {3, PCG_TEST, PCG_BASE};
    const double at[] = {-3, 0, 4, 1, 0, 6}, width[] = {1, 0.5, 0.2, 2, 1, 0};
    pcg_normals(x, stream, 0, n, 2);
    for (size_t r = 0; r < n; r++) {
        of[r] = r % 4;
        for (size_t i = 0; i < 2 && of[r] < 3; i++)
            x[2 * r + i] = at[2 * of[r] + i] + width[2 * of[r] + i] * x[2 * r + i];
    }
}

/* The mean of N(x) / g(x) over draws of g is 1, for any density N that g covers: g is drawn from as it is said to be. */
Test(proposal, draws_and_density_are_of_one_mixture)
{
    enum { N = 400, DRAWS = 40000 };
    double x[2 * N], part[3], work[2], sum = 0, squares = 0, shares[3] = {0};
    size_t of[N];
    proposal g;
    flow_err err = FLOW_ERR_INIT;
    groups_of(x, of, N);
    cr_assert_eq(proposal_make(&g, x, of, N, 2, 3, &err), 0);
    double *draws = malloc(2 * DRAWS * sizeof *draws);
    cr_assert_eq(proposal_draw(&g, draws, (pcg_stream){5, PCG_TEST, PCG_BASE}, 0, DRAWS, &err), 0);
    for (size_t r = 0; r < DRAWS; r++) {
        const double *y = draws + 2 * r;
        double log_g = proposal_log_density(&g, part, y, work);
        double log_n = -0.5 * (pow(y[0] + 3, 2) + pow(y[1], 2)) - log(2 * acos(-1));
        double w = exp(log_n - log_g) / DRAWS;
        sum += w;
        squares += w * w;
        for (size_t k = 0; k < 3; k++)
            shares[k] += part[k] / DRAWS;
        cr_assert_float_eq(part[0] + part[1] + part[2], 1, 1e-12);
    }
    cr_expect_lt(fabs(sum - 1), 5 * sqrt(squares), "the integral is %g +- %g", sum, sqrt(squares));
    for (size_t k = 0; k < 3; k++)
        cr_expect_lt(fabs(shares[k] - g.share[k]), 0.02, "share %zu is %g, not %g", k, shares[k],
                     g.share[k]);
    free(draws);
    proposal_close(&g);
}

/* In one dimension: a group of variance s^2 about m is t of five degrees of freedom, by its formula. */
Test(proposal, density_by_hand)
{
    const double x[] = {1, 3}, pi = acos(-1);
    const size_t of[] = {0, 0};
    proposal g;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(proposal_make(&g, x, of, 2, 1, 1, &err), 0);
    for (double at = -3; at < 8; at += 0.7) {
        double part, work, u = at - 2;
        double want = 8 / (3 * pi * sqrt(5.0)) * pow(1 + u * u / 5, -3);
        cr_expect_float_eq(exp(proposal_log_density(&g, &part, &at, &work)), want, 1e-12);
    }
    proposal_close(&g);
}

/* ---- targets and students */

/* Components of a student. */
typedef struct places {
    size_t dim, n;
    double shift[4096], log_scale[4096], logit[512];
} places;

static void add(places *p, const double *shift, double log_scale, double log_share)
{
    for (size_t i = 0; i < p->dim; i++) {
        p->shift[p->n * p->dim + i] = shift[i];
        p->log_scale[p->n * p->dim + i] = log_scale;
    }
    p->logit[p->n++] = log_share;
}

static double *draw(const target *t, size_t n, uint64_t seed)
{
    flow_err err = FLOW_ERR_INIT;
    double *x = malloc(n * (t->dim + 1) * sizeof *x);
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(target_sample(t, pool, x, x + n * t->dim, NULL, NULL,
                               (pcg_stream){seed, PCG_TEST, PCG_TARGET}, 0, n, &err),
                 0, "%s", err.text);
    flow_pool_free(pool);
    return x;
}

/* The share of exact draws that a student misses by what missed means. */
static double truly_missed(const target *t, const flow *student, flow_pool *pool, double log_z)
{
    enum { N = 20000 };
    double *x = draw(t, N, 9), *log_q = malloc(2 * N * sizeof *log_q), *log_p = log_q + N, sum = 0;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(flow_log_prob(student, pool, log_q, NULL, x, NULL, N, &err), 0);
    cr_assert_eq(target_log_density(t, pool, log_p, NULL, NULL, x, NULL, N, &err), 0);
    for (size_t r = 0; r < N; r++)
        sum += log_p[r] - log_q[r] - log_z > HUNT_NATS;
    free(x);
    free(log_q);
    return sum / N;
}

/* What the hunt says of a student, and what is true. log Z is what the student's own weights say. */
typedef struct hunted {
    student_hunt said;
    double truth;
} hunted;

static hunted hunt(const target *t, const places *p, uint64_t seed, size_t threads)
{
    student_against_chain out;
    student_diagnostics worth;
    student_sides sides;
    flow_err err = FLOW_ERR_INIT;
    flow *student = mixture_student(p->dim, p->n, p->shift, p->log_scale, p->logit);
    flow_pool *pool = flow_pool_create(threads, NULL);
    cr_assert_eq(student_sides_init(&sides, t, pool, NULL, SAMPLES, seed, &err), 0);
    cr_assert_eq(student_sides_meet(&sides, student, &err), 0, "%s", err.text);
    cr_assert_eq(student_sides_diagnose(&sides, &worth, &err), 0);
    cr_assert_eq(student_against_chain_measure(
                     &out, &sides,
                     &(student_chain_question){student, worth.log_z.value, NULL, ROWS, 0, 1, NULL},
                     &err),
                 0, "%s", err.text);
    double truth = truly_missed(t, student, pool, worth.log_z.value);
    student_sides_release(&sides);
    flow_pool_free(pool);
    flow_free(student);
    return (hunted){out.hunt, truth};
}

/* Found, and the mass is right within five errors, those of the truth included. */
static void expect_found(const hunted *h, const char *what, uint64_t seed)
{
    const student_hunt *s = &h->said;
    double se = hypot(s->mass.se, sqrt(h->truth / 20000));
    cr_expect(s->weighed, "%s, seed %d: ESS %g, k-hat %g", what, (int)seed, s->ess, s->khat);
    cr_expect(student_hunt_least(s) > 0.01, "%s, seed %d: %g +- %g", what, (int)seed, s->mass.value,
              s->mass.se);
    cr_expect(fabs(s->mass.value - h->truth) < 5 * se, "%s, seed %d: %g +- %g, not %g", what,
              (int)seed, s->mass.value, s->mass.se, h->truth);
}

static void expect_nothing(const hunted *h, const char *what, uint64_t seed)
{
    cr_expect(student_hunt_least(&h->said) < 0.01, "%s, seed %d: %g +- %g is missed, not %g", what,
              (int)seed, h->said.mass.value, h->said.mass.se, h->truth);
}

/* ---- GMM40 */

/* All modes but one; 40: all. */
static void forty(places *p, const target *t, size_t without)
{
    enum { N = 40000 };
    double mean[40][2] = {{0}}, count[40] = {0}, *x = draw(t, N, 1);
    for (size_t r = 0; r < N; r++) {
        size_t k;
        t->modes->modes_of(t->modes->arg, &k, x + 2 * r);
        for (size_t i = 0; i < 2 && k < 40; i++)
            mean[k][i] += x[2 * r + i];
        count[k < 40 ? k : 0] += k < 40;
    }
    free(x);
    *p = (places){.dim = 2};
    for (size_t k = 0; k < 40; k++) {
        const double at[] = {mean[k][0] / count[k], mean[k][1] / count[k]};
        if (k != without)
            add(p, at, log(log1p(exp(1))), 0);
    }
}

Test(hunt, one_mode_of_forty)
{
    places p;
    target *t = target_of("{\"kind\": \"gmm40\"}");
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        forty(&p, t, 7 * (size_t)seed % 40);
        hunted h = hunt(t, &p, seed, 2);
        expect_found(&h, "39 of 40", seed);
        cr_expect_eq(h.said.n_regions, 1);
        cr_expect_float_eq(h.said.regions[0].mass.value, h.said.mass.value, 1e-12);
        forty(&p, t, 40);
        h = hunt(t, &p, seed, 2);
        expect_nothing(&h, "all 40", seed);
    }
    target_free(t);
}

/* Two that lie apart are two regions, each with its place and mass, in the user's units; what is found does not hang on threads. */
Test(hunt, two_modes_are_two_regions)
{
    const double shift[] = {0, 0}, scale[] = {0, 0};
    places p = {.dim = 2};
    target *t = target_of("{\"kind\": \"gaussians\", \"means\": [[0, 0], [12, 0], [0, -20]], "
                          "\"weights\": [0.7, 0.2, 0.1]}");
    add(&p, shift, scale[0], 0);
    hunted h = hunt(t, &p, 3, 1), same = hunt(t, &p, 3, 3);
    cr_assert_eq(h.said.n_regions, 2);
    const hunt_region *large = &h.said.regions[0], *small = &h.said.regions[1];
    cr_expect_float_eq(large->mass.value, 0.2, 0.01);
    cr_expect_float_eq(small->mass.value, 0.1, 0.01);
    cr_expect(large->mass.se < 0.005 && small->mass.se < 0.005);
    cr_expect(large->columns[0].column == 0 && fabs(large->columns[0].value - 12) < 1);
    cr_expect(small->columns[0].column == 1 && fabs(small->columns[0].value + 20) < 1);
    cr_expect_float_eq(large->columns[0].distance, 12, 1);
    cr_expect(large->nats > 40, "%g", large->nats);
    cr_expect_float_eq(h.said.log_z, 0, 0.02);
    check_same(&same.said.mass.value, &h.said.mass.value, 1, "mass with three threads");
    check_same(&same.said.regions[1].columns[1].value, &small->columns[1].value, 1, "place");
    target_free(t);
}

/* ---- many wells */

static void wells(places *p, size_t dim)
{
    *p = (places){.dim = dim, .n = 1};
    for (size_t i = 0; i < dim; i += 2) {
        p->shift[i] = 1.72;
        p->log_scale[i] = log(0.215);
    }
}

/* 2^16 wells, of which the student has one: too many for proposals, so what is missed is counted. */
Test(hunt, left_wells)
{
    places p;
    target *t = target_of("{\"kind\": \"many_well\", \"dim\": 32}");
    wells(&p, 32);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        hunted h = hunt(t, &p, seed, 2);
        cr_expect(!h.said.weighed && student_hunt_least(&h.said) > 0.8 && h.truth > 0.9,
                  "seed %d: at least %g is missed, not %g", (int)seed, student_hunt_least(&h.said),
                  h.truth);
        cr_expect(h.said.n_regions > 0 && h.said.regions[0].columns[0].distance < -5,
                  "a left well, %g widths out", h.said.regions[0].columns[0].distance);
    }
    target_free(t);
}

/* ---- moons: a component on each of many draws */

static void moons(places *p, const target *t, double above)
{
    double *x = draw(t, 2000, 2);
    *p = (places){.dim = 2};
    for (size_t r = 0; r < 2000 && p->n < 300; r++)
        if (x[2 * r] > above)
            add(p, x + 2 * r, log(0.25), 0);
    free(x);
}

Test(hunt, one_of_two_moons)
{
    places p;
    target *t = target_of("{\"kind\": \"rezende\", \"potential\": 1}");
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        moons(&p, t, 0);
        hunted h = hunt(t, &p, seed, 2);
        expect_found(&h, "one moon", seed);
        moons(&p, t, -INFINITY);
        h = hunt(t, &p, seed, 2);
        expect_nothing(&h, "two moons", seed);
    }
    target_free(t);
}

/* ---- a funnel */

static void funnel(places *p, double from)
{
    *p = (places){.dim = 10};
    for (double v = from; v <= 10; v += 0.5) {
        const double at[10] = {v};
        add(p, at, v / 2, -v * v / 18);
        p->log_scale[(p->n - 1) * 10] = log(0.5);
    }
}

/* Chains on the target do not get into the neck; those from the student's edge do. It has a sixth of the probability, of which
 * a good part is found: never more than there is. Where it is not is a matter of the last bits, which are others on another
 * processor: once in thirty, of students and seeds that were tried. So one may be missed. */
Test(hunt, a_funnel_without_its_neck)
{
    places p;
    uint64_t found = 0;
    target *t = target_of("{\"kind\": \"funnel\", \"dim\": 10}");
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        funnel(&p, -2);
        hunted h = hunt(t, &p, seed, 2);
        found += student_hunt_least(&h.said) > 0.015 && h.said.regions[0].columns[0].column == 0;
        cr_expect(h.said.mass.value < h.truth + 5 * h.said.mass.se, "seed %d: %g +- %g of %g",
                  (int)seed, h.said.mass.value, h.said.mass.se, h.truth);
        funnel(&p, -11);
        h = hunt(t, &p, seed, 2);
        expect_nothing(&h, "funnel", seed);
    }
    cr_expect_geq(found, SEEDS - 1);
    target_free(t);
}
