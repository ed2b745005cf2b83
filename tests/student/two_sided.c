/* Both directions of KL on the same own rows: what is learned by it, and what it refuses. Its gradient is held against
 * differences in term_gradient.c, its saved states in distill_resumed.c. */
#include "flow/preset.h"
#include "tests/common/distilling.h"
#include "tests/common/far_modes.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static int run(distilling *r, const char *objective)
{
    json_t *said = json_loads(objective, 0, NULL);
    cr_assert(said);
    r->options.objective = said;
    int code = distilling_run(r);
    json_decref(said);
    return code;
}

static target *banana(void)
{
    json_t *said = json_loads("{\"kind\": \"banana\", \"sigma\": 1, \"curvature\": 0.4}", 0, NULL);
    target *out = target_create(said, NULL);
    cr_assert(out);
    json_decref(said);
    return out;
}

static distilling banana_run(const target *t)
{
    distilling r = {.teacher = t, .options = distilling_options()};
    r.options.lr = 3e-3;
    r.options.average = 0.99;
    r.student = far_modes_student();
    return r;
}

Test(two_sided, learns_a_banana_from_either_side)
{
    static const char *const objectives[] = {
        "{\"kind\": \"two_sided\"}", "{\"kind\": \"two_sided\", \"alpha\": 1, \"cap\": 10}"};
    for (size_t k = 0; k < 2; k++) {
        target *t = banana();
        distilling r = banana_run(t);
        r.options.steps = 2000;
        cr_assert_eq(run(&r, objectives[k]), 0, "%s", r.err.text);
        check_kl(&r, 0, 0.05);
        check_kl(&r, 1, 0.05);
        cr_assert(r.state.ess > 0.9 && fabs(r.state.kl_reverse) < 0.03 &&
                      fabs(r.state.kl_forward) < 0.03,
                  "%g %g %g", r.state.ess, r.state.kl_reverse, r.state.kl_forward);
        cr_assert_eq(r.state.evaluations, r.state.rows);
        flow_free(r.student);
        target_free(t);
    }
}

/* The same where log Z is 800, and where it is -3000: weights are over Z, which is found on the way. */
Test(two_sided, log_z_does_not_matter)
{
    static const double log_z[] = {0, 800, -3000};
    for (size_t k = 0; k < 3; k++) {
        gaussian g;
        gaussian_init(&g, 2, lower2, mean2);
        g.base.log_z = log_z[k];
        distilling r = {.teacher = &g.base, .options = distilling_options()};
        r.student = student_iaf(&g.base, FLOW_F32);
        cr_assert_eq(run(&r, "{\"kind\": \"two_sided\", \"weighed\": 1, \"alpha\": 1}"), 0, "%s",
                     r.err.text);
        check_kl(&r, 0, 0.02);
        check_kl(&r, 1, 0.02);
        cr_assert(fabs(r.state.kl_reverse + log_z[k]) < 0.05, "%g", r.state.kl_reverse);
        flow_free(r.student);
    }
}

/* Two modes seven widths apart, of .8 and .2, where the path gradient has no word on shares. */
Test(two_sided, shares)
{
    json_t *said = json_loads("{\"kind\": \"gaussians\", \"means\": [[-3.5, 0], [3.5, 0]], "
                              "\"weights\": [0.8, 0.2]}",
                              0, NULL);
    flow_err err = FLOW_ERR_INIT;
    target *t = target_create(said, &err);
    cr_assert(t, "%s", err.text);
    distilling r = banana_run(t);
    cr_assert_eq(run(&r, "{\"kind\": \"two_sided\", \"alpha\": 1, \"cap\": 10}"), 0, "%s",
                 r.err.text);
    check_kl(&r, 0, 0.05);
    check_kl(&r, 1, 0.05);
    flow_free(r.student);
    target_free(t);
    json_decref(said);
}

/* Rows below a wall, where the target has no density: they push the student off, as no weight does what mean weight
 * there is. A student of scale and shift of half a normal, alpha 1 alone: forward KL has E[x] and the width. */
Test(two_sided, rows_without_density_push)
{
    gaussian g;
    gaussian_init(&g, 1, &(double){1}, &(double){0});
    g.wall = 0;
    distilling r = {.teacher = &g.base, .options = distilling_options(), .threads = 2};
    r.student = scales_and_shifts(1, FLOW_F64);
    r.options.steps = 1500;
    r.options.batch = 1024;
    r.options.lr = 1e-2;
    cr_assert_eq(run(&r, "{\"kind\": \"two_sided\", \"weighed\": 1, \"alpha\": 1, \"cap\": 100, "
                         "\"widen\": 0}"),
                 0, "%s", r.err.text);
    double scale, shift, mean = sqrt(2 / acos(-1));
    flow_tensor_get(r.student, &scale, 0);
    flow_tensor_get(r.student, &shift, 1);
    cr_assert(r.state.zero_density > 0);
    cr_assert_float_eq(shift, mean, 0.03, "mean %g", shift);
    cr_assert_float_eq(exp(scale), sqrt(1 - mean * mean), 0.03, "width %g", exp(scale));
    flow_free(r.student);
}

/* Broken rows are left out and counted; a target that is 0 everywhere moves nothing. */
Test(two_sided, broken_rows)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    g.broken_above = 4;
    distilling r = {.teacher = &g.base, .options = distilling_options()};
    r.student = student_iaf(&g.base, FLOW_F32);
    r.options.steps = 100;
    cr_assert_eq(run(&r, "{\"kind\": \"two_sided\"}"), 0, "%s", r.err.text);
    cr_assert(r.state.broken.count > 0 && r.state.skipped == 0 && isfinite(r.state.kl_reverse));
    flow_free(r.student);
    gaussian_init(&g, 2, lower2, mean2);
    g.wall = 1e9;
    r = (distilling){.teacher = &g.base, .options = distilling_options()};
    r.student = student_iaf(&g.base, FLOW_F32);
    r.options.steps = 3;
    cr_assert_eq(run(&r, "{\"kind\": \"two_sided\"}"), 0, "%s", r.err.text);
    cr_assert(r.state.zero_density == 3 * 256 && r.state.gradient_norm == 0);
    flow_free(r.student);
}

/* ---- refusals */

static flow *student_on(const char *base, const target *t)
{
    json_t *preset = json_pack("{s:s, s:o}", "kind", "iaf", "base", json_loads(base, 0, NULL));
    json_t *full = flow_kind_complete(&flow_presets, preset, NULL);
    const flow_place place = {.dim = t->dim, .context = t->context};
    flow *out = flow_preset_create(full, FLOW_NOISE_TO_DATA, &place, FLOW_F32, NULL);
    cr_assert(out);
    json_decref(full);
    json_decref(preset);
    return out;
}

static void check_refused(gaussian *g, const char *base, const char *word)
{
    distilling r = {.teacher = &g->base, .options = distilling_options()};
    static const double contexts[2];
    r.contexts = (distill_contexts){.rows = data_numbers_of(contexts, 1), .n = 2};
    r.student = student_on(base, &g->base);
    cr_assert_eq(run(&r, "{\"kind\": \"two_sided\"}"), FLOW_ECONFIG, "%s", word);
    cr_assert(strstr(r.err.text, word), "%s", r.err.text);
    flow_free(r.student);
}

Test(two_sided, refusals)
{
    static const char normal[] = "{\"kind\": \"normal\"}";
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    check_refused(&g, "{\"kind\": \"uniform\", \"low\": -2, \"high\": 2}", "edge");
    check_refused(&g, "{\"kind\": \"mixture\", \"components\": 3}", "base.logit");
    g.base.flags &= ~(unsigned)TARGET_GRADIENT;
    check_refused(&g, normal, "mass_transport");
    gaussian_init(&g, 2, lower2, mean2);
    g.base.context = 1;
    g.base.log_z = NAN;
    check_refused(&g, normal, "normalised");
}
