/* Students whose base is learned, or has an edge. */
#include "student/distill.h"
#include "tests/common/bases.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/far_modes.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static flow *student_on(const char *base, json_t *layers)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(2, 0, "noise_to_data", layers);
    json_object_set_new(d, "base", base_complete(base, NULL));
    flow *f = flow_create(d, FLOW_F64, &err);
    cr_assert(f, "%s", err.text);
    json_decref(d);
    return f;
}

#define LEARNED_NORMAL "{\"kind\": \"normal\", \"learn\": true}"

/* z = e^s u + b in the base or in a layer behind it: the same samples, densities and gradients, up to the
 * rounding of 100 steps. */
static void check_like_a_layer(distill_gradient gradient, double forward)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    distilling base = {.teacher = &g.base, .options = distilling_options()};
    base.options.steps = 100;
    base.options.gradient = gradient;
    base.options.forward = base.options.forward_end = forward;
    distilling layer = base;
    base.student = student_on(LEARNED_NORMAL, json_array());
    layer.student = scales_and_shifts(2, FLOW_F64);
    cr_assert_eq(distilling_run(&base), 0, "%s", base.err.text);
    cr_assert_eq(distilling_run(&layer), 0, "%s", layer.err.text);
    double s[2], b[2], log_scale[2], shift[2];
    flow_tensor_get(layer.student, s, 0);
    flow_tensor_get(layer.student, b, 1);
    flow_tensor_get(base.student, shift, 0);
    flow_tensor_get(base.student, log_scale, 1);
    cr_assert(fabs(b[0]) > 0.1 && fabs(s[0]) > 0.01, "nothing was learned");
    check_close(shift, b, 2, 1e-9, 1e-9, "shift, gradient %d, forward %g", (int)gradient, forward);
    check_close(log_scale, s, 2, 1e-9, 1e-9, "log scale, gradient %d, forward %g", (int)gradient,
                forward);
    flow_free(base.student);
    flow_free(layer.student);
}

Test(distill_base, learned_shift_and_scale_are_a_layer)
{
    check_like_a_layer(DISTILL_TOTAL, 0);
    check_like_a_layer(DISTILL_PATH, 0);
    check_like_a_layer(DISTILL_TOTAL, 1);
    check_like_a_layer(DISTILL_PATH, 0.4);
}

/* One normal without correlation has a reverse KL of log(P_00 P_11 det Sigma) / 2 = .080 at best; four of
 * equal weight, placed by own samples alone, come below a third of that. */
static void check_mixture(distill_gradient gradient)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    distilling r = {.teacher = &g.base, .options = distilling_options()};
    r.student = student_on("{\"kind\": \"mixture\", \"components\": 4, \"weights\": \"equal\"}",
                           json_array());
    r.options.steps = 1500;
    r.options.lr = 0.02;
    r.options.gradient = gradient;
    r.options.forward = r.options.forward_end = 0;
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    check_kl(&r, 0, 0.0265);
    flow_free(r.student);
}

Test(distill_base, a_mixture_is_placed_by_own_samples)
{
    check_mixture(DISTILL_PATH);
    check_mixture(DISTILL_TOTAL);
}

static int run_on(const char *base, distill_gradient gradient, double forward, distilling *r,
                  gaussian *g)
{
    gaussian_init(g, 2, lower2, mean2);
    *r = (distilling){.teacher = &g->base, .options = distilling_options()};
    r->student = student_on(base, json_pack("{s:s}", "kind", "actnorm"));
    r->options.steps = 3;
    r->options.gradient = gradient;
    r->options.forward = r->options.forward_end = forward;
    int code = distilling_run(r);
    flow_free(r->student);
    return code;
}

/* No sample moves with them, so it is log-variance that learns them. */
Test(distill_base, weights_are_not_learned_along_a_path)
{
    const char *learned = "{\"kind\": \"mixture\", \"components\": 3}";
    gaussian g;
    distilling r;
    for (int gradient = DISTILL_TOTAL; gradient <= DISTILL_PATH; gradient++) {
        cr_assert_eq(run_on(learned, (distill_gradient)gradient, 0.5, &r, &g), FLOW_ECONFIG);
        cr_assert(strstr(r.err.text, "base.logit"), "%s", r.err.text);
        cr_assert_eq(r.state.step, 0);
    }
    cr_assert_eq(run_on(learned, DISTILL_AUTO, 0.5, &r, &g), 0, "%s", r.err.text);
    cr_assert_eq(r.state.gradient, DISTILL_LOG_VARIANCE);
    cr_assert_eq(run_on(learned, DISTILL_AUTO, 1, &r, &g), 0, "%s", r.err.text);
}

/* As many draws of each mode; returns how many there are in all. */
static size_t even_rows(double *x, const target *t)
{
    enum { ROWS = 1000, EACH = 50 };
    double all[2 * ROWS], log_p[ROWS];
    size_t count[FAR_MODES] = {0}, n = 0;
    flow_pool *pool = flow_pool_create(1, NULL);
    const pcg_stream stream = {4, PCG_TEST, 1};
    cr_assert_eq(target_sample(t, pool, all, log_p, NULL, NULL, stream, 0, ROWS, NULL), 0);
    flow_pool_free(pool);
    for (size_t r = 0; r < ROWS; r++)
        if (count[far_modes_nearest(all + 2 * r)]++ < EACH)
            memcpy(x + 2 * n++, all + 2 * r, 2 * sizeof *x);
    cr_assert_eq(n, FAR_MODES * EACH);
    return n;
}

/* Components where the modes are, which have equal shares at first: .6, .3 and .1 afterwards. */
Test(distill_base, weights_are_learned_by_log_variance)
{
    double x[2 * 1000];
    target *t = far_modes_create();
    distilling r = {.teacher = t, .options = distilling_options()};
    r.student = student_on("{\"kind\": \"mixture\", \"components\": 9}", json_array());
    r.options.start = (distill_rows){.x = x, .n = even_rows(x, t)};
    r.options.gradient = DISTILL_AUTO;
    r.options.lr = 3e-3;
    r.options.steps = 1600;
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    check_far_modes(r.student, 0.02);
    check_kl(&r, 0, 0.02);
    flow_free(r.student);
    target_free(t);
}

Test(distill_base, no_path_gradient_across_an_edge)
{
    const char *box = "{\"kind\": \"uniform\", \"low\": -2, \"high\": 2}";
    gaussian g;
    distilling r;
    cr_assert_eq(run_on(box, DISTILL_PATH, 0, &r, &g), FLOW_ECONFIG);
    cr_assert(strstr(r.err.text, "student.train.gradient"), "%s", r.err.text);
    cr_assert_eq(run_on(box, DISTILL_AUTO, 0, &r, &g), 0, "%s", r.err.text);
    cr_assert_eq(r.state.gradient, DISTILL_TOTAL);
    cr_assert_eq(run_on(box, DISTILL_PATH, 1, &r, &g), 0, "%s", r.err.text);
}
