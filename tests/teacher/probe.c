/* A target held to its word: each of the ways in which faulty.c may lie is seen, and nothing else. */
#include "teacher/probe.h"

#include "tests/common/plugins.h"
#include "tests/teacher/energies.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { N = 200 };

static probe look(const char *word)
{
    char more[64], text[PLUGIN_TEXT];
    probe out;
    flow_err err = FLOW_ERR_INIT;
    snprintf(more, sizeof more, "\"options\": \"%s\"", word);
    target *t = energy_create(plugin_text(text, "tests/plugins/faulty.so", more));
    double *x = energy_points(t, N, 1, 4);
    cr_assert_eq(probe_target(&out, t, x, N, &err), 0, "%s", err.text);
    free(x);
    target_free(t);
    return out;
}

static void check_honest(const probe *p)
{
    cr_assert_eq(p->again.rows + p->threads.rows + p->alone.rows + p->slopeless.rows, 0);
    cr_assert_eq(p->flat + p->equal + p->wrong, 0);
}

Test(probe, nothing_is_wrong_with_a_good_one)
{
    probe p = look("fine");
    check_honest(&p);
    cr_assert(p.rows == N && p.finite == N && p.compared == 2 * N);
    cr_assert_lt(p.worst.error, 1e-6);
}

Test(probe, a_wrong_gradient_is_seen_where_it_is)
{
    probe p = look("lie:1");
    cr_assert(p.wrong > N / 20 && p.wrong < N / 3, "%zu", p.wrong);
    cr_assert_eq(p.worst.col, 1);
    cr_assert_float_eq(p.worst.given - p.worst.numeric, 0.3, 1e-6);
    p.wrong = 0;
    check_honest(&p);
}

Test(probe, a_wrong_sign_is_seen)
{
    probe p = look("sign:1");
    cr_assert(p.wrong > N / 20 && p.wrong < N / 3, "%zu", p.wrong);
    cr_assert(p.worst.col == 1 && p.worst.given * p.worst.numeric < 0);
}

/* Components a thousandth wide, between which it changes within less than the steps that are tried first. */
Test(probe, a_narrow_bend_is_no_wrong_gradient)
{
    const double x[] = {4.353442, 2.8689348, -6.7871637, 0.94700179, 6.7466971};
    probe out;
    flow_err err = FLOW_ERR_INIT;
    target *t = energy_create("{\"kind\": \"posterior\", \"model\": \"low_dim_gauss_mix\", "
                              "\"data\": \"configs/data/posteriordb/low_dim_gauss_mix.csv\"}");
    cr_assert_eq(probe_target(&out, t, x, 1, &err), 0, "%s", err.text);
    cr_assert(out.compared == 5 && out.wrong == 0 && out.worst.error > 1e-6, "off by %g",
              out.worst.error);
    target_free(t);
}

Test(probe, rows_are_counted)
{
    probe p = look("minus:1");
    check_honest(&p);
    cr_assert(p.no_density > N / 20 && p.finite + p.no_density == N && p.broken.count == 0);
    p = look("slope:1");
    check_honest(&p);
    cr_assert(p.broken.count > N / 20 && p.finite + p.broken.count == N && p.no_density == 0);
    p = look("nowhere");
    cr_assert(p.no_density == N && p.compared == 0);
}

Test(probe, noise_is_seen)
{
    probe p = look("noise");
    cr_assert(p.again.rows == N && p.again.worst > 0 && p.again.worst < 1e-5);
}

Test(probe, neighbours_are_seen)
{
    probe p = look("position");
    cr_assert_eq(p.again.rows, 0);
    cr_assert(p.alone.rows > N / 2 && isinf(p.alone.worst));
}

Test(probe, a_flat_place_is_seen)
{
    probe p = look("flat");
    cr_assert(p.flat == N && p.equal == N && p.wrong == 0);
}

/* With no gradient, and of every kind that is built in: nothing is wrong with those. */
Test(probe, built_in_targets_are_good)
{
    const char *text;
    probe p;
    flow_err err = FLOW_ERR_INIT;
    for (size_t i = 0; (text = energy_text(i)); i++) {
        target *t = energy_create(text);
        double *x = energy_points(t, 40, 0.8, 5);
        cr_assert_eq(probe_target(&p, t, x, 40, &err), 0, "%s", err.text);
        cr_assert_eq(p.wrong, 0, "%s: off by %g: %.17g, not %.17g", text, p.worst.error,
                     p.worst.given, p.worst.numeric);
        cr_assert_eq(p.again.rows + p.threads.rows + p.slopeless.rows, 0, "%s", text);
        cr_assert(p.alone.worst < PROBE_SAME && p.broken.count == 0, "%s", text);
        free(x);
        target_free(t);
    }
}

Test(probe, takes_the_time)
{
    char text[PLUGIN_TEXT];
    probe_speed speed;
    flow_err err = FLOW_ERR_INIT;
    target *t = energy_create(plugin_text(text, "tests/plugins/plain.so", ""));
    double *x = energy_points(t, 128, 1, 4);
    cr_assert_eq(probe_time(&speed, t, x, 128, 0.01, &err), 0);
    cr_assert(speed.density > 0 && speed.density < speed.alone_density && isnan(speed.gradient));
    free(x);
    target_free(t);
}
