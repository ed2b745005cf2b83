/* Coordinates of particles are the positions in other numbers, and their volume is what it is said to be. */
#include "teacher/particles.h"

#include "tests/common/check.h"
#include "tests/common/dense.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 6, ROWS = 5 };

static const struct kind {
    const particles_kind *kind;
    const char *name;
    int orders; /* whether its volume is that of all orders */
} kinds[] = {{&particles_jacobi, "jacobi", 0}, {&particles_unordered, "unordered", 1}};

/* (ROWS, 2 n) */
static void points(double *z, size_t n)
{
    const pcg_stream stream = {.seed = 5, .stage = PCG_TEST, .purpose = PCG_BASE};
    pcg_normals(z, stream, 0, ROWS, 2 * n);
}

/* Puts x (n, 2) into the order of `like`: each next to the nearest that is left. */
static void order_like(double *x, const double *like, size_t n)
{
    for (size_t k = 0; k < n; k++)
        for (size_t j = k + 1; j < n; j++)
            if (hypot(x[2 * j] - like[2 * k], x[2 * j + 1] - like[2 * k + 1]) <
                hypot(x[2 * k] - like[2 * k], x[2 * k + 1] - like[2 * k + 1])) {
                double swap[2] = {x[2 * k], x[2 * k + 1]};
                memcpy(x + 2 * k, x + 2 * j, sizeof swap);
                memcpy(x + 2 * j, swap, sizeof swap);
            }
}

/* log|det dx/dz| by central differences. */
static double numeric_volume(const struct kind *k, double *z, size_t n)
{
    double *jacobian = malloc((2 * n + 3) * 2 * n * sizeof *jacobian), *here = jacobian + 4 * n * n;
    double *up = here + 2 * n, *down = up + 2 * n, logdet;
    const double h = 1e-5;
    particles_positions(k->kind, here, z, n);
    for (size_t j = 0; j < 2 * n; j++) {
        double at = z[j];
        z[j] = at + h;
        particles_positions(k->kind, up, z, n);
        z[j] = at - h;
        particles_positions(k->kind, down, z, n);
        z[j] = at;
        order_like(up, here, n);
        order_like(down, here, n);
        for (size_t i = 0; i < 2 * n; i++)
            jacobian[i * 2 * n + j] = (up[i] - down[i]) / (2 * h);
    }
    logdet = dense_solve(jacobian, NULL, 2 * n);
    free(jacobian);
    return logdet;
}

Test(particles, volume_against_a_numeric_jacobian)
{
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 2; n <= MOST; n++) {
            double z[ROWS * 2 * MOST], b[2 * MOST], got[ROWS], want[ROWS];
            points(z, n);
            for (size_t r = 0; r < ROWS; r++) {
                kinds[k].kind->at_rest(b, z + r * 2 * n, n);
                got[r] = kinds[k].kind->log_volume(b, z + r * 2 * n, n);
                want[r] = numeric_volume(&kinds[k], z + r * 2 * n, n);
                want[r] += kinds[k].orders ? lgamma((double)n + 1) : 0;
            }
            check_close(got, want, ROWS, 0, 1e-6, "%zu particles, %s", n, kinds[k].name);
        }
}

static target *double_well(const char *coordinates, size_t particles)
{
    char text[160];
    snprintf(text, sizeof text,
             "{\"kind\": \"double_well\", \"particles\": %zu, \"centre\": 0.7, \"coordinates\": "
             "\"%s\"}",
             particles, coordinates);
    return energy_create(text);
}

static void log_p(const target *t, double *logp, const double *x, size_t n)
{
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(target_log_density(t, pool, logp, NULL, NULL, x, NULL, n, NULL), 0);
    flow_pool_free(pool);
}

Test(particles, density_is_that_of_the_positions_and_their_volume)
{
    for (size_t k = 0; k < 2; k++)
        for (size_t n = 2; n <= MOST; n++) {
            double z[ROWS * 2 * MOST], x[ROWS * 2 * MOST], b[2 * MOST], got[ROWS], want[ROWS];
            target *own = double_well(kinds[k].name, n), *positions = double_well("cartesian", n);
            points(z, n);
            for (size_t r = 0; r < ROWS; r++)
                particles_positions(kinds[k].kind, x + r * 2 * n, z + r * 2 * n, n);
            log_p(own, got, z, ROWS);
            log_p(positions, want, x, ROWS);
            for (size_t r = 0; r < ROWS; r++) {
                kinds[k].kind->at_rest(b, z + r * 2 * n, n);
                want[r] += kinds[k].kind->log_volume(b, z + r * 2 * n, n);
            }
            check_close(got, want, ROWS, 1e-11, 0, "%zu particles, %s", n, kinds[k].name);
            target_free(own);
            target_free(positions);
        }
}

/* Of two particles: mean and turn are normals, the rest is an integral over one number, and the whole is that over
 * positions, 2 pi centre^2 * 2 pi * integral of r e^-E(r) dr. */
Test(particles, log_z_is_that_of_positions)
{
    enum { N = 20001 };
    const double lo = -4, step = 7.0 / (N - 1), centre2 = 0.7 * 0.7, pi = acos(-1);
    double *z = calloc(N * 4, sizeof *z), *logp = malloc(N * sizeof *logp), want = 0;
    for (size_t i = 0; i < N; i++) {
        double r = exp(lo + step * (double)i), off = (r - 4) * (r - 4);
        want += step * r * r * exp((4 - 0.9 * off) * off);
    }
    want = log(want) + log(2 * pi * centre2 * 2 * pi);
    for (size_t k = 0; k < 2; k++) {
        double sum = 0;
        target *t = double_well(kinds[k].name, 2);
        for (size_t i = 0; i < N; i++)
            z[4 * i + PARTICLES_LENGTH] = lo + step * (double)i;
        log_p(t, logp, z, N);
        for (size_t i = 0; i < N; i++)
            sum += step * exp(logp[i]);
        double got = log(sum) + log(2 * pi * centre2) + 0.5 * log(2 * pi);
        check_close(&got, &want, 1, 1e-9, 0, "log Z, %s", kinds[k].name);
        target_free(t);
    }
    free(z);
    free(logp);
}

/* Mean and turn have no say in the rest: log p is a sum, and the turn a standard normal. */
Test(particles, symmetric_directions_are_apart)
{
    enum { N = 4 };
    for (size_t k = 0; k < 2; k++) {
        double z[ROWS * 2 * N], still[ROWS * 2 * N], got[ROWS], want[ROWS];
        target *t = double_well(kinds[k].name, N);
        points(z, N);
        memcpy(still, z, sizeof z);
        for (size_t r = 0; r < ROWS; r++)
            memset(still + r * 2 * N, 0, PARTICLES_LENGTH * sizeof *still);
        log_p(t, got, z, ROWS);
        log_p(t, want, still, ROWS);
        for (size_t r = 0; r < ROWS; r++) {
            const double *at = z + r * 2 * N;
            want[r] -= 0.5 * ((at[0] * at[0] + at[1] * at[1]) / 0.49 + at[2] * at[2]);
        }
        check_close(got, want, ROWS, 1e-13, 0, "%s", kinds[k].name);
        target_free(t);
    }
}

/* The coefficients of (w - b_1) (w - b_2) ... are those that were asked for. */
Test(particles, unordered_positions_are_the_roots)
{
    enum { N = 8 };
    double z[ROWS * 2 * N], b[2 * N];
    points(z, N);
    for (size_t r = 0; r < ROWS; r++) {
        const double *at = z + r * 2 * N;
        double e[2 * (N + 1)] = {1}, want[2 * (N + 1)] = {1};
        particles_unordered.at_rest(b, at, N);
        for (size_t k = 0; k < N; k++)
            for (size_t i = k + 1; i > 0; i--) {
                double x = e[2 * i - 2], y = e[2 * i - 1];
                e[2 * i] -= x * b[2 * k] - y * b[2 * k + 1];
                e[2 * i + 1] -= x * b[2 * k + 1] + y * b[2 * k];
            }
        memcpy(want + 4, at + 4, (2 * N - 4) * sizeof *want);
        want[2 * N] = exp(N * at[PARTICLES_LENGTH]);
        check_close(e, want, 2 * (N + 1), 1e-12, 1e-11 * fmax(1, want[2 * N]), "row %zu", r);
    }
}

Test(particles, names)
{
    char text[PARTICLES_NAME];
    target *t = double_well("unordered", 3), *c = double_well("cartesian", 3);
    cr_expect_str_eq(target_column(t, text, 3), "log_radius");
    cr_expect_str_eq(target_column(t, text, 5), "e2_im");
    cr_expect_str_eq(target_column(c, text, 3), "y2");
    cr_expect_str_eq(particles_jacobi.name(text, 4), "x3");
    target_free(t);
    target_free(c);
    t = energy_create("{\"kind\": \"funnel\", \"dim\": 3}");
    cr_expect_str_eq(target_column(t, text, 2), "x2");
    target_free(t);
    energy_refuse("{\"kind\": \"double_well\", \"particles\": 9}", "coordinates");
}
