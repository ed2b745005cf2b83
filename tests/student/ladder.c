/* The rungs of a teacher: nearer with every step, the teacher itself at T = D, and wild ones told. */
#include "student/ladder.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/sanitized.h"

#include <criterion/criterion.h>
#include <math.h>

enum { D = 4, N = UNLESS_SANITIZED(4000, 400) };

static const char layers[] =
    "[{\"kind\": \"autoregressive\", \"transformer\": \"affine\", \"conditioner\": {\"kind\": "
    "\"mlp\", \"hidden\": [12]}}, {\"kind\": \"permutation\", \"order\": [2, 0, 3, 1]}, "
    "{\"kind\": \"autoregressive\", \"transformer\": \"affine\", \"conditioner\": {\"kind\": "
    "\"mlp\", \"hidden\": [12]}}]";

/* A teacher in double whose networks have weights of this width: the wider, the steeper. */
static flow *teacher_of(double width, flow_precision precision)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(D, 0, "data_to_noise", json_loads(layers, 0, NULL));
    flow *f = flow_create(d, precision, &err);
    cr_assert(f, "%s", err.text);
    randomise_parameters(f, width, 3);
    json_decref(d);
    return f;
}

static void climb(student_rung *rungs, size_t n, const flow *teacher)
{
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(2, NULL);
    flow *precise = flow_convert(teacher, FLOW_F64, &err);
    target *t = target_from_flow(precise, &err);
    student_sides sides;
    cr_assert_eq(student_sides_init(&sides, t, pool, NULL, N, 11, &err), 0, "%s", err.text);
    for (size_t k = 0; k < n; k++) {
        cr_assert_eq(
            student_rung_climb(rungs + k, teacher, k + 1, FLOW_NETWORK_AS_IS, &sides, &err), 0,
            "%s", err.text);
    }
    student_sides_release(&sides);
    target_free(t);
    flow_free(precise);
    flow_pool_free(pool);
}

Test(ladder, every_step_is_nearer_and_the_last_is_the_teacher)
{
    flow *teacher = teacher_of(1.2, FLOW_F64);
    student_rung rungs[D];
    climb(rungs, D, teacher);
    for (size_t k = 0; k < D; k++) {
        const student_diagnostics *w = &rungs[k].weights;
        cr_assert(rungs[k].how.iterations == k + 1 && !rungs[k].wild && !rungs[k].trained);
        cr_expect(rungs[k].rows_per_s > 0 && rungs[k].row_seconds > 0);
        cr_expect(rungs[k].roundtrip < 1e-9 && isnan(rungs[k].mode_share_error));
        if (k > 0) {
            const student_diagnostics *before = &rungs[k - 1].weights;
            cr_expect(w->kl_reverse.value < fmax(before->kl_reverse.value, 1e-9), "T = %zu", k + 1);
            cr_expect(w->kl_forward.value < fmax(before->kl_forward.value, 1e-9), "T = %zu", k + 1);
        }
    }
    cr_expect(rungs[0].weights.kl_reverse.value > 0.01, "the first rung is no test");
    cr_expect(fabs(rungs[D - 1].weights.kl_reverse.value) < 1e-12);
    cr_expect(fabs(rungs[D - 1].weights.kl_forward.value) < 1e-12);
    cr_expect(!student_rung_is_good(rungs) && student_rung_is_good(rungs + D - 1));
    student_rung between = rungs[D - 1];
    between.weights.kl_forward.value = 0.005;
    cr_expect(student_rung_is_good(&between) && !student_rung_is_fine(&between));
    cr_expect(student_rung_is_fine(rungs + D - 1));
    flow_free(teacher);
}

/* Its samples leave the range of single precision: a figure, and no end of the ladder. */
Test(ladder, a_wild_rung_is_told)
{
    flow *teacher = teacher_of(1e25, FLOW_F32);
    student_rung rungs[D];
    climb(rungs, D, teacher);
    size_t wild = 0;
    for (size_t k = 0; k < D; k++) {
        wild += (size_t)rungs[k].wild;
        if (rungs[k].wild)
            cr_expect(isnan(rungs[k].weights.kl_reverse.value) &&
                      isnan(rungs[k].weights.ess_forward.value) && isnan(rungs[k].roundtrip) &&
                      !student_rung_is_good(rungs + k));
    }
    cr_expect(wild > 0, "no rung is wild");
    flow_free(teacher);
}
