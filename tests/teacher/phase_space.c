/* Points of the hypercube as momenta: on shell, conserved, one for one (by an inverse that works from the momenta
 * alone), of known volume with and without masses, and flat where phase space is. */
#include "teacher/phase_space.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
static const pcg_stream stream = {.seed = 17, .stage = PCG_TEST, .purpose = PCG_BASE};

static const struct {
    size_t n;
    double energy, mass[5];
} systems[] = {
    {2, 91.2, {0}}, {2, 7.3, {1.1, 2.9}},   {3, 13, {0}}, {3, 10, {0.5, 4.1, 1.7}},
    {4, 500, {0}},  {4, 9, {2, 0, 1.5, 3}}, {5, 33, {0}}, {5, 4.2, {0.3, 0, 1, 0.7, 1.9}}};
enum { SYSTEMS = sizeof systems / sizeof *systems, MOST_DIM = 11 };

static phase_space made(size_t which)
{
    flow_err err = FLOW_ERR_INIT;
    phase_space out;
    cr_assert_eq(
        phase_space_init(&out, systems[which].energy, systems[which].mass, systems[which].n, &err),
        0, "%s", err.text);
    return out;
}

/* ---- one point */

static double square(momentum p)
{
    return p.e * p.e - p.x * p.x - p.y * p.y - p.z * p.z;
}

static momentum sum(const momentum *p, size_t n)
{
    momentum out = {0, 0, 0, 0};
    for (size_t i = 0; i < n; i++)
        out = (momentum){out.e + p[i].e, out.x + p[i].x, out.y + p[i].y, out.z + p[i].z};
    return out;
}

Test(phase_space, is_on_shell_and_conserves_momentum)
{
    for (size_t which = 0; which < SYSTEMS; which++) {
        phase_space s = made(which);
        size_t dim = phase_space_dim(s.n);
        double u[MOST_DIM], tiny = 1e-13 * s.energy;
        momentum p[PHASE_SPACE_MOST];
        for (uint64_t r = 0; r < 500; r++) {
            pcg_uniforms(u, stream, r, 1, dim);
            phase_space_momenta(&s, p, u);
            momentum all = sum(p, s.n);
            cr_assert(fabs(all.e - s.energy) < tiny && fabs(all.x) < tiny && fabs(all.y) < tiny &&
                          fabs(all.z) < tiny,
                      "system %zu, row %d", which, (int)r);
            for (size_t i = 0; i < s.n; i++)
                cr_assert(fabs(square(p[i]) - s.mass[i] * s.mass[i]) < tiny * s.energy &&
                          p[i].e > 0);
        }
    }
}

/* Into the rest frame of c, of mass m. */
static momentum rested(momentum p, momentum c)
{
    double m = sqrt(square(c)), along = c.x * p.x + c.y * p.y + c.z * p.z;
    double f = (along / (c.e + m) - p.e) / m;
    return (momentum){(c.e * p.e - along) / m, p.x + f * c.x, p.y + f * c.y, p.z + f * c.z};
}

/* u (3n - 4) from momenta alone: clusters are what is left of them, weighed by no formula of phase_space.c. */
static void numbers(const phase_space *s, double *u, const momentum *p)
{
    double *angles = u + s->n - 2, before = s->energy - s->rest[0];
    for (size_t i = 0; i + 1 < s->n; i++, angles += 2) {
        momentum cluster = sum(p + i, s->n - i), one = rested(p[i], cluster);
        double kinetic = sqrt(square(cluster)) - s->rest[i], k = (double)(s->n - 1 - i);
        double v = kinetic * kinetic / (before * before), turn = atan2(one.y, one.x) / (2 * PI);
        if (i > 0)
            u[i - 1] = (k + 1) * pow(v, k) - k * pow(v, k + 1);
        angles[0] = 0.5 * (1 + one.z / sqrt(one.x * one.x + one.y * one.y + one.z * one.z));
        angles[1] = turn < 0 ? turn + 1 : turn;
        before = kinetic;
    }
}

Test(phase_space, is_one_for_one)
{
    for (size_t which = 0; which < SYSTEMS; which++) {
        phase_space s = made(which);
        size_t dim = phase_space_dim(s.n);
        double u[MOST_DIM], back[MOST_DIM];
        momentum p[PHASE_SPACE_MOST];
        for (uint64_t r = 0; r < 500; r++) {
            pcg_uniforms(u, stream, r, 1, dim);
            for (size_t i = 0; i < dim; i++)
                u[i] = 0.02 + 0.96 * u[i]; /* at the ends the way back loses digits */
            phase_space_momenta(&s, p, u);
            numbers(&s, back, p);
            for (size_t i = 0; i < dim; i++)
                cr_assert(fabs(back[i] - u[i]) < 1e-9, "system %zu, row %d: u%zu = %.12g is %.12g",
                          which, (int)r, i, u[i], back[i]);
        }
    }
}

/* ---- its weight, against volumes */

/* Phi_2 is q / (4 pi M), and Phi_n that of a cluster that decays further, over its mass: dM^2 / (2 pi). */
static double volume(double energy, const double *mass, size_t n)
{
    enum { STEPS = 800 };
    double rest = 0, total = 0;
    for (size_t i = 1; i < n; i++)
        rest += mass[i];
    if (n == 2)
        return phase_space_two(energy, mass[0], mass[1]) / (4 * PI * energy);
    for (size_t i = 0; i < STEPS;
         i++) { /* M = rest + room sin^2 t: its square roots at both ends are smooth in t */
        double t = ((double)i + 0.5) / STEPS * PI / 2, room = energy - rest - mass[0];
        double m = rest + room * sin(t) * sin(t);
        double dm = room * 2 * sin(t) * cos(t) * (PI / 2) / STEPS;
        total += phase_space_two(energy, mass[0], m) / (4 * PI * energy) *
                 volume(m, mass + 1, n - 1) * 2 * m * dm / (2 * PI);
    }
    return total;
}

/* Over a grid of the n - 2 numbers of masses, graded to both ends; the angles are of no matter to it. */
static double mean_weight(const phase_space *s)
{
    enum { STEPS = 400 };
    double u[MOST_DIM] = {0}, total = 0;
    momentum p[PHASE_SPACE_MOST];
    size_t cells = 1;
    for (size_t i = 0; i + 2 < s->n; i++)
        cells *= STEPS;
    for (size_t c = 0; c < cells; c++) {
        double jacobian = 1;
        for (size_t i = 0, at = c; i + 2 < s->n; i++, at /= STEPS) {
            double t = ((double)(at % STEPS) + 0.5) / STEPS;
            u[i] = t * t * t * (10 - 15 * t + 6 * t * t);
            jacobian *= 30 * t * t * (1 - t) * (1 - t);
        }
        total += jacobian * exp(phase_space_momenta(s, p, u));
    }
    return total / (double)cells;
}

Test(phase_space, has_the_volume_of_phase_space)
{
    for (size_t which = 0; which < SYSTEMS; which++) {
        phase_space s = made(which);
        if (s.n > 4)
            continue;
        double want = volume(s.energy, s.mass, s.n), got = mean_weight(&s);
        cr_expect(fabs(got / want - 1) < 2e-6, "system %zu: %.9g, not %.9g", which, got, want);
    }
}

/* (2 pi)^(4-3n) (pi/2)^(n-1) s^(n-2) / ((n-1)! (n-2)!), at every point. */
Test(phase_space, without_masses_every_point_weighs_the_same)
{
    const double facts[] = {1, 1, 2, 6, 24};
    for (size_t which = 0; which < SYSTEMS; which++) {
        phase_space s = made(which);
        double u[MOST_DIM], k = (double)s.n;
        momentum p[PHASE_SPACE_MOST];
        if (s.rest[0] > 0)
            continue;
        double want = pow(2 * PI, 4 - 3 * k) * pow(PI / 2, k - 1) * pow(s.energy, 2 * k - 4) /
                      (facts[s.n - 1] * facts[s.n - 2]);
        for (uint64_t r = 0; r < 20; r++) {
            pcg_uniforms(u, stream, r, 1, phase_space_dim(s.n));
            cr_expect(fabs(exp(phase_space_momenta(&s, p, u)) / want - 1) < 1e-12);
        }
    }
}

/* Masses that are next to nothing are none: two formulas, one number. */
Test(phase_space, the_weight_with_masses_ends_at_that_without)
{
    flow_err err = FLOW_ERR_INIT;
    const double none[4] = {0}, little[4] = {1e-9, 0, 2e-9, 0};
    double u[MOST_DIM];
    phase_space a, b;
    momentum p[4];
    cr_assert_eq(phase_space_init(&a, 3, none, 4, &err), 0);
    cr_assert_eq(phase_space_init(&b, 3, little, 4, &err), 0);
    for (uint64_t r = 0; r < 100; r++) {
        pcg_uniforms(u, stream, r, 1, 8);
        cr_expect(fabs(phase_space_momenta(&a, p, u) - phase_space_momenta(&b, p, u)) < 1e-6);
    }
}

/* ---- that it is flat: means of invariants over all of massless phase space. x_i = 2 e_i / E of three particles are
 * uniform over a triangle: E x = 2/3, E x^2 = 1/2, E x_1 x_2 = 5/12, whichever came off first; s_ij / s of any two of
 * four has mean 1/6. 20,000 rows, 4.5 standard errors of 12 figures: a false alarm in one of 12,000 seeds. */
static void check_mean(const char *what, double total, double squares, double n, double want)
{
    double mean = total / n, se = sqrt((squares / n - mean * mean) / n);
    cr_expect(fabs(mean - want) < 4.5 * se, "%s: %g +- %g, not %g", what, mean, se, want);
}

Test(phase_space, three_particles_fill_their_triangle)
{
    enum { N = 20000 };
    phase_space s = made(2);
    double f[6][2] = {{0}};
    const double want[6] = {2. / 3, 2. / 3, 2. / 3, 0.5, 0.5, 5. / 12};
    for (uint64_t r = 0; r < N; r++) {
        double u[5];
        momentum p[3];
        pcg_uniforms(u, stream, r, 1, 5);
        phase_space_momenta(&s, p, u);
        double x[3] = {2 * p[0].e / 13, 2 * p[1].e / 13, 2 * p[2].e / 13};
        double g[6] = {x[0], x[1], x[2], x[0] * x[0], x[2] * x[2], x[0] * x[2]};
        for (int i = 0; i < 6; i++) {
            f[i][0] += g[i];
            f[i][1] += g[i] * g[i];
        }
    }
    for (int i = 0; i < 6; i++)
        check_mean("x", f[i][0], f[i][1], N, want[i]);
}

Test(phase_space, pairs_of_four_are_alike)
{
    enum { N = 20000 };
    phase_space s = made(4);
    double f[4][4][2] = {{{0}}};
    for (uint64_t r = 0; r < N; r++) {
        double u[8];
        momentum p[4];
        pcg_uniforms(u, stream, r, 1, 8);
        phase_space_momenta(&s, p, u);
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < i; j++) {
                momentum two[2] = {p[i], p[j]};
                double share = square(sum(two, 2)) / (500. * 500);
                f[i][j][0] += share;
                f[i][j][1] += share * share;
            }
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            check_mean("s_ij", f[i][j][0], f[i][j][1], N, 1. / 6);
}

/* ---- ends, and what cannot be */

Test(phase_space, corners_are_finite)
{
    for (size_t which = 0; which < SYSTEMS; which++) {
        phase_space s = made(which);
        size_t dim = phase_space_dim(s.n);
        double u[MOST_DIM];
        momentum p[PHASE_SPACE_MOST];
        for (unsigned corner = 0; corner < 1u << dim; corner++) {
            for (size_t i = 0; i < dim; i++)
                u[i] = corner >> i & 1;
            cr_assert(isfinite(phase_space_momenta(&s, p, u)), "system %zu, corner %u", which,
                      corner);
            for (size_t i = 0; i < s.n; i++)
                cr_assert(isfinite(p[i].e) && isfinite(p[i].x) && isfinite(p[i].y) &&
                          isfinite(p[i].z));
        }
    }
}

Test(phase_space, energy_must_be_above_the_masses)
{
    flow_err err = FLOW_ERR_INIT;
    const double mass[3] = {1, 2, 3};
    phase_space s;
    cr_assert_eq(phase_space_init(&s, 6, mass, 3, &err), FLOW_EDATA);
    cr_assert(strstr(err.text, "energy of 6 is not enough"), "%s", err.text);
    cr_assert_eq(phase_space_init(&s, 6.01, mass, 3, &err), 0);
}
