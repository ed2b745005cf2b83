/* A student that has no draws of its target: three modes ten widths apart, found from a wide start. */
#include "student/objective.h"
#include "tests/common/distilling.h"
#include "tests/common/examples.h"
#include "tests/common/far_modes.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static int train(distilling *r, const char *objective, size_t steps)
{
    json_t *description = json_loads(objective, 0, NULL);
    cr_assert(description);
    r->options = distilling_options();
    r->options.objective = description;
    r->options.gradient = DISTILL_LOG_VARIANCE;
    r->options.steps = steps;
    r->options.lr = 3e-3;
    r->options.average = 0.99;
    r->student = far_modes_student();
    int code = distilling_run(r);
    json_decref(description);
    return code;
}

/* Shares within .02, of all that it draws nothing anywhere else; and the figures that it reports of itself. */
Test(mass_transport, far_modes)
{
    target *t = far_modes_create();
    distilling r = {.teacher = t};
    cr_assert_eq(train(&r, "{\"kind\": \"mass_transport\"}", 1200), 0, "%s", r.err.text);
    cr_assert_eq(r.state.zero_density + r.state.skipped, 0);
    check_far_modes(r.student, 0.02);
    check_kl(&r, 1, 0.15);
    cr_assert(r.state.ess > 0.5, "effective share %g", r.state.ess);
    flow_free(r.student);
    target_free(t);
}
