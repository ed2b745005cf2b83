/* Training that starts from the student's own weights: a teacher's sampler, unrolled. */
#include "flow/column_start.h"
#include "flow/unroll.h"
#include "student/ruler.h"
#include "tests/common/check.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 4 };

typedef struct warm {
    flow *teacher;
    target *target;
    distilling run;
} warm;

static void open_scaled(warm *w, size_t iterations, double scale)
{
    flow_err err = FLOW_ERR_INIT;
    w->teacher = random_teacher(D, 0, scale);
    w->target = target_from_flow(w->teacher, &err);
    w->run = (distilling){.teacher = w->target, .options = distilling_options()};
    w->run.student = flow_unroll(
        w->teacher, &(flow_unrolling){.iterations = iterations, .width = 1}, FLOW_F64, &err);
    cr_assert(w->target && w->run.student, "%s", err.text);
    w->run.options.warm = 1;
    w->run.options.warmup = 0;
}

static void open_warm(warm *w, size_t iterations)
{
    open_scaled(w, iterations, 0.7);
}

static void close_warm(warm *w)
{
    target_free(w->target);
    flow_free(w->run.student);
    flow_free(w->teacher);
}

/* The KL of the first steps is that of the start: small, and of the last ones smaller still. */
Test(distill_warm, goes_on_from_where_it_starts)
{
    warm w;
    open_warm(&w, 1);
    w.run.options.lr = 2e-3;
    w.run.options.steps = UNLESS_SANITIZED(1000, 400);
    cr_assert_eq(distilling_run(&w.run), 0, "%s", w.run.err.text);
    double first = w.run.history.states[0].kl_reverse, last = w.run.state.kl_reverse;
    cr_assert(first > 0 && last < 0.7 * first, "from %g to %g", first, last);
    cr_assert(w.run.state.went_back == 0 && w.run.state.best_step > 0);
    cr_assert(fabs(w.run.state.kl_best) < 0.7 * first, "%g, on rows of its own",
              w.run.state.kl_best);
    close_warm(&w);
}

/* Steps that are far too long: the weights that it started with, to the bit. */
Test(distill_warm, never_ends_worse_than_it_started)
{
    warm w;
    open_warm(&w, 2);
    size_t bytes = flow_params_bytes(w.run.student);
    void *before = malloc(bytes);
    memcpy(before, flow_params(w.run.student), bytes);
    w.run.options.lr = 0.5;
    w.run.options.steps = 60;
    cr_assert_eq(distilling_run(&w.run), 0, "%s", w.run.err.text);
    cr_assert_eq(w.run.state.went_back, 1);
    cr_assert(memcmp(before, flow_params(w.run.student), bytes) == 0, "other weights");
    free(before);
    close_warm(&w);
}

/* A run of so many steps that are too long to get better for ever. */
static size_t run_restless(warm *w, size_t steps)
{
    json_t *said =
        json_loads("{\"kind\": \"kl\", \"cover\": 0}", 0, NULL); /* which goes by what was judged */
    open_warm(w, 1);
    w->run.options.objective = said;
    w->run.options.lr = 0.03;
    w->run.options.schedule = FLOW_CONSTANT;
    w->run.options.average = 0;
    w->run.options.steps = steps;
    cr_assert_eq(distilling_run(&w->run), 0, "%s", w->run.err.text);
    json_decref(said);
    return w->run.state.best_step;
}

/* What is handed over is what a run to the best step on the way has at its end, to the bit. */
Test(distill_warm, keeps_the_best_on_its_way)
{
    warm all, some;
    size_t best = run_restless(&all, 400);
    cr_assert(best > 0 && best < 400, "best at %zu", best);
    cr_assert_eq(run_restless(&some, best), best);
    cr_assert(memcmp(flow_params(all.run.student), flow_params(some.run.student),
                     flow_params_bytes(all.run.student)) == 0);
    close_warm(&all);
    close_warm(&some);
}

/* Near its teacher a student needs none of its slopes, further off it does; asked for by name, either way. */
Test(distill_warm, estimator_by_distance)
{
    for (int far = 0; far <= 1; far++)
        for (int asked = DISTILL_TOTAL; asked <= DISTILL_AUTO; asked++) {
            warm w;
            open_scaled(&w, 1, far ? 1.6 : 0.7);
            w.run.options.gradient = (distill_gradient)asked;
            w.run.options.steps = 2;
            cr_assert_eq(distilling_run(&w.run), 0, "%s", w.run.err.text);
            int best = far ? DISTILL_PATH : DISTILL_LOG_VARIANCE;
            cr_expect_eq((int)w.run.state.gradient, asked == DISTILL_AUTO ? best : asked,
                         "far %d, asked %d: %d", far, asked, (int)w.run.state.gradient);
            cr_expect((w.run.state.kl_warm > 0.2) == far, "%g", w.run.state.kl_warm);
            close_warm(&w);
        }
}

/* 5e-4 at one nat, as the root of it, within bounds; what is not finite is far. */
Test(distill_warm, step_size_by_distance)
{
    const double lr = student_ruler_lr(0.04, 1);
    check_close(&lr, &(double){1e-4}, 1, 1e-12, 0, "at .04 nats");
    cr_assert(student_ruler_lr(4, 2e-4) == 2e-4 && student_ruler_lr(NAN, 2e-4) == 2e-4);
    cr_assert(student_ruler_lr(INFINITY, 2e-4) == 2e-4 && student_ruler_lr(-1e-9, 2e-4) == 1e-5);
    warm w;
    open_warm(&w, 1);
    w.run.options.lr = 0;
    w.run.options.schedule = FLOW_CONSTANT;
    w.run.options.steps = 3;
    cr_assert_eq(distilling_run(&w.run), 0, "%s", w.run.err.text);
    cr_assert(w.run.state.lr > 1e-5 && w.run.state.lr < 2e-4, "%g", w.run.state.lr);
    close_warm(&w);
}

/* Of weights that cannot be told apart the later ones; never what is worse than the start, or than the best. */
Test(distill_warm, the_later_of_equals_is_kept)
{
    static const double kl[] = {0.02, 0.01, 0.0108, 0.0116, 0.0095, 0.0105, 0.0107, NAN};
    static const int kept[] = {1, 1, 1, 0, 1, 1, 0, 0};
    distill_state state = {.step = 0};
    double best = INFINITY;
    for (size_t k = 0; k < sizeof kl / sizeof *kl; k++) {
        state.step = 10 * k;
        state.kl_warm = kl[k];
        double score = student_ruler_score(&state);
        cr_expect_eq(score < best, kept[k], "%zu: %g", k, score);
        best = fmin(best, score);
    }
    check_close(&state.kl_least, &(double){0.0095}, 1, 0, 0, "least");
    state = (distill_state){.step = 5, .kl_start = 1e-4, .kl_least = 1e-4, .kl_warm = 1.01e-4};
    cr_expect_eq(student_ruler_score(&state), INFINITY, "worse than the start");
}

/* Three steps. objective NULL: that of a student of which nothing is said. */
static void run_covered(warm *w, size_t iterations, const char *objective)
{
    json_t *said = objective ? json_loads(objective, 0, NULL) : NULL;
    open_scaled(w, iterations, 1.6);
    w->run.options.objective = said;
    w->run.options.lr = 1e-9;
    w->run.options.steps = 3;
    cr_assert_eq(distilling_run(&w->run), 0, "%s", w->run.err.text);
    json_decref(said);
}

/* Rows that are short of density are pulled up by itself where the student is far, and are left alone where it is near: to
 * the bit, and nothing is asked for them. */
Test(distill_warm, far_rows_are_pulled_up_where_it_is_not_near)
{
    for (int near = 0; near <= 1; near++) {
        warm with, without;
        const size_t steps = near ? 4 : 1;
        run_covered(&with, steps, NULL);
        run_covered(&without, steps, "{\"kind\": \"kl\", \"cover\": 0}");
        cr_expect((with.run.state.kl_warm < 1e-3) == near, "%g", with.run.state.kl_warm);
        cr_expect((with.run.state.evaluations == without.run.state.evaluations) == near);
        close_warm(&with);
        close_warm(&without);
    }
}

static double first_kl(int warm_start)
{
    warm w;
    open_warm(&w, 2);
    w.run.options.warm = warm_start;
    w.run.options.steps = 1;
    w.run.options.lr = 1e-9;
    cr_assert_eq(distilling_run(&w.run), 0, "%s", w.run.err.text);
    cr_assert(w.run.state.went_back == 0 || warm_start);
    close_warm(&w);
    return w.run.state.kl_reverse;
}

/* With warm a student starts near its teacher, without it anew, whatever its weights are. */
Test(distill_warm, only_if_asked_to)
{
    double near = first_kl(1), anew = first_kl(0);
    cr_assert(near < 0.1 * anew, "%g and %g", near, anew);
}

/* ---- one column, from a teacher's quantiles */

static flow *a_column(const char *direction)
{
    static const char layers[] =
        "[{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": 16}}, "
        "{\"kind\": \"autoregressive\", \"transformer\": {\"kind\": \"spline\", \"bins\": 16}}]";
    json_t *description = describe_one(1, 0, direction, json_loads(layers, 0, NULL));
    flow *out = flow_create(description, FLOW_F64, NULL);
    cr_assert(out);
    flow_init(out, (pcg_stream){3, PCG_TEST, PCG_INIT});
    json_decref(description);
    return out;
}

/* Steps that are far too long do not part a student from where its teacher's quantiles put it. */
Test(distill_warm, a_column_starts_at_its_teacher)
{
    enum { ROWS = 2000 };
    double x[ROWS];
    bool done;
    warm w = {.teacher = a_column("data_to_noise")};
    for (int i = 0; i < ROWS; i++)
        x[i] = (i < ROWS / 2 ? -1 : 1) + 0.3 * ((2.0 * (i % (ROWS / 2)) + 1) / ROWS * 2 - 1);
    cr_assert_eq(flow_start_column(w.teacher, &done, x, ROWS, NULL), 0);
    w.target = target_from_flow(w.teacher, NULL);
    w.run = (distilling){
        .student = a_column("noise_to_data"), .teacher = w.target, .options = distilling_options()};
    w.run.options.lr = 0.5;
    w.run.options.warmup = 0;
    w.run.options.steps = 60;
    cr_assert(done && w.target);
    cr_assert_eq(distilling_run(&w.run), 0, "%s", w.run.err.text);
    cr_assert_eq(w.run.state.went_back, 1);
    cr_assert_lt(w.run.state.kl_best, 0.05, "%g", w.run.state.kl_best);
    check_kl(&w.run, 0, 0.05);
    close_warm(&w);
}
