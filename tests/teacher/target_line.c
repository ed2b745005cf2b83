/* Integrals and draws over one unknown. */
#include "teacher/target_line.h"
#include "tests/common/check.h"
#include "tests/common/sanitized.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The log of a gamma variable of shape a: the integral is Gamma(a). */
static double log_gamma_variable(const void *arg, double s)
{
    return *(const double *)arg * s - exp(s);
}

/* Mean digamma(a), variance trigamma(a): a = 2, 1 - .5772..., pi^2 / 6 - 1; started far off on either side. */
Test(target_line, log_of_a_gamma_variable)
{
    enum { N = UNLESS_SANITIZED(50000, 10000) };
    const double a = 2, starts[] = {-30, 0.3, 6}, want = 0, mean = 0.42278433509846714;
    const double variance = 0.64493406684822644;
    double *room = malloc((TARGET_LINE_ROOM + N) * sizeof *room), *s = room + TARGET_LINE_ROOM;
    for (size_t k = 0; k < 3; k++) {
        target_line line;
        flow_err err = FLOW_ERR_INIT;
        pcg rng = pcg_at((pcg_stream){3, PCG_TEST, PCG_TARGET}, k, 1000000);
        cr_assert_eq(target_line_init(&line, room, log_gamma_variable, &a, starts[k], 0.1, &err),
                     0);
        check_close(&line.log_total, &want, 1, 0, 1e-12, "log Gamma(2)");
        for (size_t r = 0; r < N; r++)
            s[r] = target_line_draw(&line, &rng);
        energy_mean m = energy_mean_of(s, N);
        double spread = pow(m.se, 2) * N;
        cr_assert(fabs(m.value - mean) < 4.5 * m.se, "mean %g", m.value);
        /* fourth cumulant pi^4 / 15 - 6, so that the variance of the square is 2 v^2 + .494 */
        cr_assert(fabs(spread - variance) < 4.5 * sqrt((2 * pow(variance, 2) + 0.494) / N),
                  "variance %g", spread);
    }
    free(room);
}

static double flat(const void *arg, double s)
{
    (void)s;
    return *(const double *)arg;
}

Test(target_line, what_has_no_integral)
{
    const double values[] = {0.3, NAN, INFINITY};
    double *room = malloc(TARGET_LINE_ROOM * sizeof *room);
    for (size_t k = 0; k < 3; k++) {
        target_line line;
        flow_err err = FLOW_ERR_INIT;
        cr_assert_eq(target_line_init(&line, room, flat, &values[k], 0, 0.1, &err), FLOW_EDATA);
        cr_assert(strstr(err.text, "come to an end"), "%s", err.text);
    }
    free(room);
}
