/* The course of a distillation: schedules, threads, rows without density, and how a run ends early. */
#include "student/distill.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/gaussian.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* ---- the same bits for any number of threads, with everything switched on */

Test(distill_course, threads_do_not_matter)
{
    enum { N = 50 };
    double contexts[N];
    random_numbers(contexts, N, 0.8, 4);
    flow *first = NULL;
    distill_state want;
    for (size_t threads = 1; threads <= 3; threads++) {
        gaussian g;
        gaussian_init(&g, 3, lower3, mean3);
        g.base.context = 1;
        g.gain = -0.6;
        distilling r = {.teacher = &g.base,
                        .options = distilling_options(),
                        .contexts = {.rows = data_numbers_of(contexts, 1), .n = N},
                        .threads = threads};
        r.student = student_iaf(&g.base, FLOW_F32);
        r.options.steps = 205;
        r.options.batch = 100;
        r.options.shard = 16;
        r.options.gradient = DISTILL_AUTO;
        r.options.forward = 0.2;
        r.options.forward_end = 0.6;
        r.options.temper = 0.3;
        r.options.late_batch = 3;
        r.options.late_from = 0.9;
        r.options.average = 0.97;
        r.options.weight_decay = 1e-3;
        cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
        if (!first) {
            first = r.student;
            want = r.state;
            continue;
        }
        cr_assert(memcmp(flow_params(r.student), flow_params(first), flow_params_bytes(first)) == 0,
                  "%zu threads give other weights", threads);
        check_same(&r.state.kl_reverse, &want.kl_reverse, 1, "reverse figure");
        check_same(&r.state.kl_forward, &want.kl_forward, 1, "forward figure");
        check_same(&r.state.spread_path, &want.spread_path, 1, "spread");
        flow_free(r.student);
    }
    flow_free(first);
}

/* ---- schedules */

/* A short run of the student of scales and shifts; its state is in the history, too. */
static distilling short_run(const double *s, distill_options options)
{
    gaussian g;
    const double zero[] = {0};
    gaussian_init(&g, 1, s, zero);
    distilling r = {.teacher = &g.base, .options = options};
    r.student = scales_and_shifts(1, FLOW_F64);
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    r.teacher = NULL;
    return r;
}

Test(distill_course, watched_in_steps_of_a_probe)
{
    distill_options options = distilling_options();
    options.steps = 2 * DISTILL_PROBE + 50;
    options.batch = 16;
    distilling r = short_run(&(double){0.7}, options);
    cr_assert_eq(r.history.n, 3);
    cr_assert_eq(r.history.states[0].step, DISTILL_PROBE);
    cr_assert_eq(r.history.states[1].step, 2 * DISTILL_PROBE);
    cr_assert_eq(r.history.states[2].step, 2 * DISTILL_PROBE + 50);
    cr_assert_eq(r.state.rows, 16 * r.state.step);
    flow_free(r.student);
}

Test(distill_course, late_batches)
{
    distill_options options = distilling_options();
    options.steps = 10;
    options.batch = 40;
    options.late_batch = 3;
    options.late_from = 0.6;
    distilling r = short_run(&(double){0.7}, options);
    cr_assert_eq(r.state.rows, 6 * 40 + 4 * 120);
    flow_free(r.student);
}

/* lambda goes from its first to its last value in a straight line. */
Test(distill_course, forward_share)
{
    for (size_t steps = 1; steps <= 9; steps += 4) {
        distill_options options = distilling_options();
        options.steps = steps;
        options.forward = 0.2;
        options.forward_end = 0.9;
        distilling r = short_run(&(double){0.7}, options);
        double want = steps == 1 ? 0.2 : 0.9;
        check_close(&r.state.lambda, &want, 1, 1e-14, 0, "lambda after %zu steps", steps);
        flow_free(r.student);
    }
}

/* With weights p^beta / q that are even enough beta rises by its largest factor, from .5 to .9766
 * in three steps, and not beyond 1. The line that it must not stay behind is far away. */
Test(distill_course, temperature_follows_the_sample)
{
    distill_options options = distilling_options();
    options.temper = 0.5;
    options.temper_until = 1e9;
    for (size_t steps = 1; steps <= 5; steps++) {
        options.steps = steps;
        double want = fmin(1, 0.5 * pow(1.25, (double)steps));
        distilling r = short_run(&(double){1}, options);
        check_close(&r.state.beta, &want, 1, 1e-12, 0, "beta after %zu steps", steps);
        flow_free(r.student);
    }
}

/* For N(0, 1 / 70) under samples of N(0, 1) the effective share is sqrt(1 + 2 a) / (1 + a) with a =
 * 70 beta - 1: one half at beta = (4 + sqrt 12) / 70 = .10663, between .1 and its largest rise. */
Test(distill_course, temperature_stops_at_half_the_sample)
{
    distill_options options = distilling_options();
    options.steps = 1;
    options.batch = UNLESS_SANITIZED(400000, 100000);
    options.temper = 0.1;
    options.temper_until = 1e9;
    distilling r = short_run(&(double){1 / sqrt(70)}, options);
    /* the share is known to .005 at 100000 rows and falls by 2 per unit of beta: 4.5 of them */
    double want = (4 + sqrt(12)) / 70, error = 4.5 * 0.0025 * sqrt(1e5 / (double)options.batch);
    check_close(&r.state.beta, &want, 1, 0, error, "beta");
    flow_free(r.student);
}

/* A student that does not move and a target that it covers badly: beta follows the line in its
 * logarithm. */
Test(distill_course, temperature_is_never_late)
{
    distill_options options = distilling_options();
    options.steps = 5 * DISTILL_PROBE;
    options.batch = 64;
    options.temper = 0.04;
    options.temper_until = 0.8;
    options.lr = 1e-12;
    gaussian g;
    gaussian_init(&g, 1, &(double){0.01}, &(double){9.7});
    distilling r = {.teacher = &g.base, .options = options};
    r.student = scales_and_shifts(1, FLOW_F64);
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    for (size_t k = 0; k < 5; k++) {
        double want = k < 3 ? pow(0.04, 1 - 0.25 * ((double)k + 1)) : 1;
        check_close(&r.history.states[k].beta, &want, 1, 1e-10, 0, "beta after %zu probes", k + 1);
    }
    flow_free(r.student);
}

/* From a hot start to the right answer. */
Test(distill_course, tempered)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    distilling r = {.teacher = &g.base, .options = distilling_options()};
    r.student = student_iaf(&g.base, FLOW_F32);
    r.options.temper = 0.1;
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    cr_assert_eq(r.state.beta, 1);
    for (size_t k = 1; k < r.history.n; k++)
        cr_assert_geq(r.history.states[k].beta, r.history.states[k - 1].beta);
    check_kl(&r, 0, 0.01);
    flow_free(r.student);
}

/* The learning rate of the last step: a warm-up, then half a cosine. */
Test(distill_course, learning_rate)
{
    distill_options options = distilling_options();
    options.steps = 3;
    options.warmup = 8;
    distilling r = short_run(&(double){0.7}, options);
    check_close(&r.state.lr, &(double){0.01 * 3 / 8}, 1, 1e-13, 0, "warm-up");
    flow_free(r.student);
    options.steps = 11;
    options.warmup = 1;
    r = short_run(&(double){0.7}, options);
    check_close(&r.state.lr, &(double){0.005 * (1 + cos(acos(-1) * 0.9))}, 1, 1e-13, 0, "cosine");
    flow_free(r.student);
}

/* The running median of the norms is known after 16 steps. */
Test(distill_course, clipping_against_the_median)
{
    distill_options options = distilling_options();
    options.steps = 30;
    options.clip = 1e-4;
    distilling r = short_run(&(double){0.7}, options);
    cr_assert_eq(r.state.clipped, 14, "%zu clipped", r.state.clipped);
    flow_free(r.student);
    options.clip = 0;
    r = short_run(&(double){0.7}, options);
    cr_assert_eq(r.state.clipped, 0);
    flow_free(r.student);
}

/* One step: the average is half-way between the start, which is zero, and the step of lr. */
Test(distill_course, averaged_weights)
{
    distill_options options = distilling_options();
    double scale;
    options.steps = 1;
    options.warmup = 0;
    options.batch = 20000;
    options.average = 0.9;
    distilling r = short_run(&(double){0.5}, options);
    flow_tensor_get(r.student, &scale, 0);
    check_close(&scale, &(double){-0.005}, 1, 1e-6, 0, "average of the scale");
    flow_free(r.student);
}

/* ---- where the target has no density */

/* N(0, 1) above a wall w. Rows below are counted and take no part; the others give the derivatives
 * E[x; x > w] = phi(w) and E[x^2 - 1; x > w] = w phi(w). */
Test(distill_course, rows_without_density)
{
    enum { N = 100000 };
    const double w = 0.3, phi = exp(-0.5 * w * w) / sqrt(2 * acos(-1));
    gaussian g;
    gaussian_init(&g, 1, &(double){1}, &(double){0});
    g.wall = w;
    distilling r = {.teacher = &g.base, .options = distilling_options(), .threads = 2};
    r.student = scales_and_shifts(1, FLOW_F64);
    r.options.steps = 1;
    r.options.batch = N;
    r.options.gradient = DISTILL_TOTAL;
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    double norm = phi * sqrt(1 + w * w), below = 0.5 * erfc(-w / sqrt(2)) * N;
    check_close(&r.state.gradient_norm, &norm, 1, 0, 4.5 * 1.5 / sqrt(N), "gradient");
    check_close(&(double){(double)r.state.zero_density}, &below, 1, 0, 4.5 * 0.5 * sqrt(N),
                "rows below the wall");
    flow_free(r.student);
    g.wall = 1e9; /* nothing left at all */
    for (int e = DISTILL_TOTAL; e <= DISTILL_AUTO; e++) {
        r = (distilling){.teacher = &g.base, .options = distilling_options()};
        r.student = student_iaf(&g.base, FLOW_F32);
        r.options.steps = 3;
        r.options.batch = 64;
        r.options.temper = 0.5;
        r.options.gradient = (distill_gradient)e;
        cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
        cr_assert(r.state.zero_density == 3 * 64 && r.state.gradient_norm == 0);
        flow_free(r.student);
    }
}

/* Half of the target's density cut off: training goes on, and the student stays a density. */
Test(distill_course, half_a_gaussian)
{
    gaussian g;
    gaussian_init(&g, 2, lower2, mean2);
    g.wall = 0.2;
    distilling r = {.teacher = &g.base, .options = distilling_options()};
    r.student = student_iaf(&g.base, FLOW_F32);
    r.options.steps = 300;
    cr_assert_eq(distilling_run(&r), 0, "%s", r.err.text);
    cr_assert(r.state.skipped == 0 && isfinite(r.state.kl_reverse));
    cr_assert(r.state.zero_density > 0 && r.state.zero_density < r.state.rows);
    flow_free(r.student);
}

/* ---- how it ends early */

Test(distill_course, forward_term_needs_a_sampler)
{
    for (int k = 0; k < 2; k++) {
        gaussian g;
        gaussian_init(&g, 2, lower2, mean2);
        gaussian_take_sampler_away(&g);
        distilling r = {.teacher = &g.base, .options = distilling_options()};
        r.student = student_iaf(&g.base, FLOW_F32);
        *(k ? &r.options.forward_end : &r.options.forward) = 0.1;
        cr_assert_eq(distilling_run(&r), FLOW_ECONFIG);
        cr_assert(strstr(r.err.text, "forward") && strstr(r.err.text, "sampl"), "%s", r.err.text);
        flow_free(r.student);
    }
}

Test(distill_course, stopped_by_its_watcher)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    distilling r = {.teacher = &g.base,
                    .options = distilling_options(),
                    .history = {.stop_at = 2},
                    .threads = 2};
    r.student = student_iaf(&g.base, FLOW_F32);
    r.options.average = 0.95;
    cr_assert_eq(distilling_run(&r), FLOW_ESTOPPED);
    cr_assert(r.state.step == 2 * DISTILL_PROBE && r.history.n == 2);
    check_kl(&r, 0, 0.1); /* as good as it got: it began at .8 */
    cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
    flow_free(r.student);
}

static size_t steps_seen;

static int stop_after_five(void)
{
    return ++steps_seen == 5;
}

/* Asked after every step; nothing has been watched by then. */
Test(distill_course, stopped_between_probes)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    distilling r = {.teacher = &g.base, .options = distilling_options(), .threads = 2};
    r.student = student_iaf(&g.base, FLOW_F32);
    r.options.stop = stop_after_five;
    cr_assert_eq(distilling_run(&r), FLOW_ESTOPPED);
    cr_assert(steps_seen == 5 && r.state.step == 5 && r.state.rows == 5 * 256);
    cr_assert_eq(r.history.n, 0);
    cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
    flow_free(r.student);
}

/* What the target says about its failure reaches the caller, whichever thread it happened on. */
Test(distill_course, target_that_breaks)
{
    for (size_t threads = 1; threads <= 3; threads++) {
        gaussian g;
        gaussian_init(&g, 3, lower3, mean3);
        g.fail_after = 11;
        distilling r = {.teacher = &g.base, .options = distilling_options(), .threads = threads};
        r.student = student_iaf(&g.base, FLOW_F32);
        cr_assert_eq(distilling_run(&r), FLOW_EDATA);
        cr_assert(strstr(r.err.text, "the energy broke"), "%s", r.err.text);
        cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
        flow_free(r.student);
    }
}

/* ---- rows where the target breaks: where x_0 is large */

/* Narrower than the student at first, so that beta can rise. */
static const double narrow3[] = {0.7, 0, 0, 0.2, 0.6, 0, -0.1, 0.1, 0.8};

static distilling run_broken(gaussian *g, broken_as how, double above, double forward,
                             size_t threads, size_t steps)
{
    gaussian_init(g, 3, narrow3, mean3);
    g->broken_above = above;
    g->broken_as = how;
    distilling r = {.teacher = &g->base, .options = distilling_options(), .threads = threads};
    r.student = student_iaf(&g->base, FLOW_F64);
    r.options.steps = steps;
    r.options.shard = 32;
    r.options.lr = 1e-4;
    r.options.temper = 0.4; /* measured, without those rows */
    r.options.temper_until = 1e9;
    r.options.gradient = DISTILL_AUTO;
    r.options.forward = r.options.forward_end = forward;
    distilling_run(&r);
    return r;
}

/* They are left out, counted and named; the run goes on, with the same bits for any number of
 * threads. */
Test(distill_course, broken_rows_are_dropped)
{
    for (int how = BROKEN_NAN; how <= BROKEN_GRADIENT; how++) {
        gaussian g;
        flow *first = NULL;
        distill_state want;
        for (size_t threads = 1; threads <= 3; threads++) {
            distilling r = run_broken(&g, (broken_as)how, 1.9, 0.5, threads, 100);
            cr_assert_eq(r.err.code, 0, "%s", r.err.text);
            cr_assert(r.state.skipped == 0 && r.state.zero_density == 0);
            cr_assert(isfinite(r.state.kl_reverse) && isfinite(r.state.kl_forward));
            const broken_rows *b = &r.state.broken;
            cr_assert(b->count > 500 && b->count < 1500, "%zu rows", (size_t)b->count);
            cr_assert(b->x[0] > 1.9 && b->dim == 3 && r.state.broken_step == 0 && b->row < 256);
            cr_assert(how == BROKEN_NAN        ? isnan(b->log_p)
                      : how == BROKEN_INFINITE ? b->log_p == INFINITY
                                               : isfinite(b->log_p));
            cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
            if (!first) {
                first = r.student;
                want = r.state;
                continue;
            }
            cr_assert(
                memcmp(flow_params(r.student), flow_params(first), flow_params_bytes(first)) == 0,
                "%zu threads give other weights", threads);
            cr_assert(memcmp(&want.broken, b, sizeof *b) == 0, "other rows are named");
            flow_free(r.student);
        }
        flow_free(first);
    }
}

/* What is learned is what would be if those rows had had no density: same weights, to the bit. */
Test(distill_course, broken_rows_leave_no_trace)
{
    for (int how = BROKEN_NAN; how <= BROKEN_GRADIENT; how++) {
        gaussian g, walled;
        distilling a = run_broken(&g, (broken_as)how, 1.9, 0, 2, 30);
        gaussian_init(&walled, 3, narrow3, mean3);
        walled.no_density_above = 1.9;
        distilling b = {.teacher = &walled.base, .options = a.options, .threads = 2};
        b.student = student_iaf(&walled.base, FLOW_F64);
        cr_assert_eq(distilling_run(&b), 0);
        cr_assert_eq(b.state.zero_density, a.state.broken.count);
        cr_assert_gt(b.state.zero_density, 50);
        cr_assert(memcmp(flow_params(a.student), flow_params(b.student),
                         flow_params_bytes(a.student)) == 0);
        cr_assert(a.state.beta > 0.5, "beta has not risen: %g", a.state.beta);
        cr_assert(a.state.beta == b.state.beta && a.state.kl_reverse == b.state.kl_reverse);
        flow_free(a.student);
        flow_free(b.student);
    }
}

/* More than a share of BROKEN_SHARE: above .5 there are 31 % of them. The run ends and names the first;
 * so does one that is over before a window is full. */
Test(distill_course, too_many_broken_rows)
{
    for (size_t steps = 3; steps <= 300; steps += 297) {
        gaussian g;
        distilling r = run_broken(&g, BROKEN_NAN, 0.5, 0, 2, steps);
        cr_assert_eq(r.err.code, FLOW_EDATA);
        cr_assert(strstr(r.err.text, "the target broke at") && strstr(r.err.text, "log p is nan"),
                  "%s", r.err.text);
        cr_assert(r.state.rows <= BROKEN_WINDOW + 256, "%zu rows", r.state.rows);
        cr_assert_eq(atomic_load(&g.works), 0, "scratch was not freed");
        flow_free(r.student);
    }
}

/* Never silence with weights that are not finite. */
static void check_destroyed(double lr, size_t steps)
{
    gaussian g;
    gaussian_init(&g, 3, lower3, mean3);
    distilling r = {.teacher = &g.base, .options = distilling_options()};
    r.student = student_iaf(&g.base, FLOW_F32);
    r.options.steps = steps;
    r.options.lr = lr;
    r.options.warmup = 0;
    int code = distilling_run(&r), finite = 1;
    const float *weights = flow_params(r.student);
    for (size_t i = 0; i < flow_n_params(r.student); i++)
        finite &= isfinite(weights[i]) != 0;
    cr_assert(!isnan(lr) || code == FLOW_EDIVERGED, "no lr is no training: code %d", code);
    cr_assert(code == FLOW_EDIVERGED || (code == 0 && finite), "lr %g, %zu steps: code %d", lr,
              steps, code);
    cr_assert(code == 0 || r.state.skipped > 0);
    flow_free(r.student);
}

Test(distill_course, absurd_learning_rates)
{
    check_destroyed(NAN, 200);
    check_destroyed(NAN, 5); /* too few to be caught as steps in a row */
    check_destroyed(1e30, 200);
    check_destroyed(1e5, 200);
    check_destroyed(1e30, 20);
}
