/* Forward KL on own rows that are short of density: what it does to a student, and of whom it can be had. Its gradient
 * is held against differences in term_gradient.c, its saved states in distill_resumed.c. */
#include "flow/preset.h"
#include "student/objective.h"
#include "tests/common/distilling.h"
#include "tests/common/gaussian.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static target *target_of_text(const char *text)
{
    json_t *said = json_loads(text, 0, NULL);
    target *out = target_create(said, NULL);
    cr_assert(out);
    json_decref(said);
    return out;
}

static int run(distilling *r, const char *objective)
{
    json_t *said = json_loads(objective, 0, NULL);
    r->options.objective = said;
    int code = distilling_run(r);
    json_decref(said);
    return code;
}

/* log-scale of a student of two numbers that is a normal, of a target with heavy tails. */
static double scale_of(const target *t, const char *objective)
{
    distilling r = {.teacher = t, .options = distilling_options()};
    double s[2];
    r.student = scales_and_shifts(2, FLOW_F64);
    cr_assert_eq(run(&r, objective), 0, "%s", r.err.text);
    flow_tensor_get(r.student, s, 0);
    flow_free(r.student);
    return (s[0] + s[1]) / 2;
}

/* A normal is drawn out to where the target has more than it; the more, the more it weighs. */
Test(term_uncovered, widens_what_is_too_narrow)
{
    target *t = target_of_text("{\"kind\": \"student_t\", \"dim\": 2, \"dof\": 3}");
    double without = scale_of(t, "{\"kind\": \"kl\"}");
    double some = scale_of(t, "{\"kind\": \"kl\", \"cover\": 0.05}");
    double more = scale_of(t, "{\"kind\": \"kl\", \"cover\": 0.3}");
    cr_assert(some > without + 0.02 && more > some + 0.05, "%g, %g, %g", without, some, more);
    target_free(t);
}

/* Of a student that is not warm nothing changes, to the bit, unless it is asked for. */
Test(term_uncovered, is_off_for_a_student_of_its_own)
{
    target *t = target_of_text("{\"kind\": \"student_t\", \"dim\": 2, \"dof\": 3}");
    cr_assert_eq(scale_of(t, "{\"kind\": \"kl\"}"),
                 scale_of(t, "{\"kind\": \"kl\", \"cover\": 0}"));
    target_free(t);
}

static flow *on_uniform(void)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *said = json_loads("{\"dim\": 2, \"context\": 0, \"direction\": \"noise_to_data\", "
                              "\"base\": \"uniform\", \"layers\": [\"actnorm\"]}",
                              0, NULL);
    flow *out = flow_create(said, FLOW_F64, &err);
    json_decref(said);
    cr_assert(out, "%s", err.text);
    return out;
}

/* A base that has an edge cannot be stretched: asked for it is refused, by itself it is left out. */
Test(term_uncovered, wants_a_base_that_can_be_stretched)
{
    target *t = target_of_text("{\"kind\": \"student_t\", \"dim\": 2, \"dof\": 3}");
    distilling r = {.teacher = t, .options = distilling_options()};
    r.options.steps = 3;
    r.options.warm = 1;
    r.options.gradient = DISTILL_AUTO;
    r.student = on_uniform();
    cr_assert_eq(run(&r, "{\"kind\": \"kl\", \"cover\": 0.1}"), FLOW_ECONFIG);
    cr_assert(strstr(r.err.text, "student.train.objective.cover"), "%s", r.err.text);
    cr_assert_eq(run(&r, "{\"kind\": \"kl\"}"), 0, "%s", r.err.text);
    flow_free(r.student);
    target_free(t);
}
