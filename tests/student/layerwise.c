/* A student that starts as its teacher, trained layer by layer. */
#include "student/layerwise.h"
#include "flow/unroll.h"
#include "student/ruler.h"
#include "tests/common/examples.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 4 };

typedef struct layered {
    flow *teacher, *student;
    void *start; /* the student's first weights */
    double contexts[40];
    distill_contexts drawn;
    size_t threads;
    student_layers_options options;
    student_layers_state state;
    size_t watched; /* reports */
    flow_err err;
} layered;

static void open_layered(layered *l, size_t context, const flow_unrolling *how)
{
    *l = (layered){.threads = 1, .err = FLOW_ERR_INIT};
    l->teacher = random_teacher(D, context, 1.6);
    l->student = flow_unroll(l->teacher, how, FLOW_F64, &l->err);
    cr_assert(l->student, "%s", l->err.text);
    random_numbers(l->contexts, 40, 1, 8);
    l->drawn = (distill_contexts){.rows = data_numbers_of(l->contexts, context),
                                  .n = context ? 40 / context : 0};
    l->options = (student_layers_options){.batch = 128,
                                          .steps = UNLESS_SANITIZED(300, 60),
                                          .lr = 2e-3,
                                          .clip = 10,
                                          .widen_by = 1.5,
                                          .seed = 5};
    l->start = malloc(flow_params_bytes(l->student));
    memcpy(l->start, flow_params(l->student), flow_params_bytes(l->student));
}

static void close_layered(layered *l)
{
    free(l->start);
    flow_free(l->student);
    flow_free(l->teacher);
}

static void watch(void *arg, const student_layers_state *state)
{
    layered *l = arg;
    cr_expect(state->step % DISTILL_PROBE == 0 && state->layer < state->layers);
    l->watched++;
}

static int run(layered *l)
{
    flow_pool *pool = flow_pool_create(l->threads, NULL);
    int code =
        student_distill_layers(l->student, &l->state, l->teacher, pool,
                               l->drawn.n ? &l->drawn : NULL, &l->options, watch, l, &l->err);
    flow_pool_free(pool);
    return code;
}

static int unchanged(const layered *l)
{
    return memcmp(l->start, flow_params(l->student), flow_params_bytes(l->student)) == 0;
}

static const flow_unrolling one_step = {.iterations = 1, .width = 1};

static void check_nearer(size_t context, const flow_unrolling *how, double by)
{
    layered l;
    open_layered(&l, context, how);
    cr_assert_eq(run(&l), 0, "%s", l.err.text);
    cr_assert(l.state.kl_after < by * l.state.kl_before, "from %g to %g", l.state.kl_before,
              l.state.kl_after);
    cr_assert(l.state.trained == 2 && l.state.better == 2 && !l.state.went_back);
    close_layered(&l);
}

/* However the teacher was unrolled. */
Test(layerwise, brings_the_student_nearer)
{
    check_nearer(0, &one_step, 0.3);
    check_nearer(0, &(flow_unrolling){.iterations = 2, .width = 1}, 0.3);
    check_nearer(0, &(flow_unrolling){.iterations = 2, .tied = true, .width = 1}, 0.3);
    check_nearer(0, &(flow_unrolling){.iterations = 1, .width = 0.5}, 0.3);
    check_nearer(2, &one_step, 0.3);
}

/* Linear layers stand for their inverses, to the bit. */
Test(layerwise, leaves_what_is_an_inverse_already)
{
    layered l;
    open_layered(&l, 0, &one_step);
    flow *before = flow_convert(l.student, FLOW_F64, NULL);
    cr_assert_eq(run(&l), 0, "%s", l.err.text);
    for (size_t t = 0; t < flow_n_tensors(before); t++) {
        flow_tensor_info info;
        double was[1024], is[1024];
        flow_tensor(before, &info, t);
        size_t n = info.rows * (info.cols ? info.cols : 1);
        cr_assert_leq(n, 1024);
        flow_tensor_get(before, was, t);
        flow_tensor_get(l.student, is, t);
        cr_assert_eq(memcmp(was, is, n * sizeof *was) != 0, strstr(info.name, "step.") != NULL,
                     "%s", info.name);
    }
    flow_free(before);
    close_layered(&l);
}

/* With as many steps as there are columns there is nothing to be done. */
Test(layerwise, leaves_a_student_that_is_its_teacher)
{
    layered l;
    open_layered(&l, 0, &(flow_unrolling){.iterations = D, .width = 1});
    cr_assert_eq(run(&l), 0, "%s", l.err.text);
    cr_assert(l.state.trained == 0 && unchanged(&l));
    close_layered(&l);
}

Test(layerwise, never_ends_worse_than_it_started)
{
    layered l;
    open_layered(&l, 0, &(flow_unrolling){.iterations = 2, .width = 1});
    l.options.lr = 0.5;
    l.options.steps = 40;
    cr_assert_eq(run(&l), 0, "%s", l.err.text);
    cr_assert(l.state.trained == 2 && l.state.better == 0 && l.state.went_back);
    cr_assert(unchanged(&l), "other weights");
    close_layered(&l);
}

Test(layerwise, same_bits_for_any_number_of_threads)
{
    layered one, three;
    open_layered(&one, 2, &one_step);
    open_layered(&three, 2, &one_step);
    one.options.steps = three.options.steps = 30;
    three.threads = 3;
    cr_assert(run(&one) == 0 && run(&three) == 0);
    cr_assert(!unchanged(&one) && one.state.kl_after == three.state.kl_after);
    cr_assert(memcmp(flow_params(one.student), flow_params(three.student),
                     flow_params_bytes(one.student)) == 0);
    close_layered(&one);
    close_layered(&three);
}

/* Mean squared error in noise of a student whose first column comes from three times as far out. */
static double error_far_out(double widen_by)
{
    enum { N = 2000 };
    static double u[N * D], x[N * D], w[N * D], row[N];
    layered l;
    open_layered(&l, 0, &one_step);
    l.options.widen_by = widen_by;
    l.options.steps = 300;
    cr_assert_eq(run(&l), 0, "%s", l.err.text);
    random_numbers(u, N * D, 1, 12);
    for (size_t r = 0; r < N; r++)
        u[r * D] *= 3;
    flow_pool *pool = flow_pool_create(1, NULL);
    cr_assert_eq(flow_transport(l.student, pool, x, NULL, u, NULL, N, &l.err), 0);
    cr_assert_eq(flow_log_prob(l.teacher, pool, row, w, x, NULL, N, &l.err), 0);
    flow_pool_free(pool);
    double sum = 0;
    for (size_t i = 0; i < N * D; i++)
        sum += (w[i] - u[i]) * (w[i] - u[i]) / N;
    close_layered(&l);
    return sum;
}

/* What the student's own rows hardly ever come to is learnt from those that are stretched. */
Test(layerwise, learns_what_is_far_out)
{
    double narrow = error_far_out(1), wide = error_far_out(3);
    cr_assert(wide < 0.9 * narrow, "%g, without %g", wide, narrow);
}

/* Told at each probe, and how far it is: after all layers, two of which had something to learn. */
Test(layerwise, is_watched)
{
    layered l;
    open_layered(&l, 0, &one_step);
    l.options.steps = 2 * DISTILL_PROBE + 1;
    cr_assert_eq(run(&l), 0, "%s", l.err.text);
    cr_assert(l.watched == 4 && l.state.layer == l.state.layers);
    close_layered(&l);
}

/* Where no step size is given the KL tells it: a student that is nearer takes smaller steps. */
Test(layerwise, step_size_by_distance)
{
    layered given, automatic;
    open_layered(&automatic, 0, &one_step);
    automatic.options.lr = 0;
    cr_assert_eq(run(&automatic), 0, "%s", automatic.err.text);
    open_layered(&given, 0, &one_step);
    given.options.lr = student_ruler_lr(automatic.state.kl_before, 1e-3);
    cr_assert(run(&given) == 0 && !unchanged(&given));
    cr_assert(memcmp(flow_params(given.student), flow_params(automatic.student),
                     flow_params_bytes(given.student)) == 0);
    close_layered(&given);
    close_layered(&automatic);
}

static int calls;

static int after_fifty(void)
{
    return ++calls == 50;
}

/* In the first layer, whose steps were not for nothing. */
Test(layerwise, stops_as_good_as_it_got)
{
    layered l;
    open_layered(&l, 0, &one_step);
    l.options.stop = after_fifty;
    l.options.steps = 60;
    cr_assert_eq(run(&l), FLOW_ESTOPPED);
    cr_assert(calls == 50 && l.err.code == FLOW_ESTOPPED && l.state.trained == 1);
    cr_assert(l.state.kl_after < l.state.kl_before && !unchanged(&l));
    close_layered(&l);
}

static void spoil(flow *f)
{
    double *first = flow_params(f);
    for (size_t i = 0; i < flow_params_bytes(f) / sizeof *first; i++)
        first[i] = NAN;
}

Test(layerwise, errors)
{
    layered l, wild;
    open_layered(&l, 2, &one_step);
    l.drawn.n = 0;
    cr_assert(run(&l) == FLOW_EDATA && unchanged(&l));
    flow *whole = l.student;
    l.student = l.teacher;
    cr_assert_eq(run(&l), FLOW_EUSAGE);
    l.student = whole;
    close_layered(&l);
    open_layered(&wild, 0, &one_step);
    spoil(wild.teacher);
    wild.options.steps = 80;
    cr_assert_eq(run(&wild), 0, "%s", wild.err.text);
    cr_assert(wild.state.trained == 4 && wild.state.went_back &&
              unchanged(&wild)); /* all but the reversal */
    close_layered(&wild);
}
