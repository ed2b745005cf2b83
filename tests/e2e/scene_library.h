/* tests/e2e/scene_library.h -- a model in somebody's program (library/distill.h), and two handles of it. */
#ifndef TESTS_E2E_SCENE_LIBRARY_H
#define TESTS_E2E_SCENE_LIBRARY_H

#include "library/distill.h"
#include "tests/e2e/scenes.h"

static int use_handle(uint64_t *sum, distill_model *model, flow_err *err)
{
    double x[20 * DIM], log_q[20];
    const double *context = data->train.context.at;
    if (distill_sample(model, 3, 5, 20, x, log_q, context, NULL) ||
        distill_log_prob(model, x, 20, log_q, context, NULL))
        return flow_fail(err, FLOW_EBUG, "%s", distill_why(model));
    add(sum, x, sizeof x);
    add(sum, log_q, sizeof log_q);
    return 0;
}

static int play_library(uint64_t *sum, flow_err *err)
{
    distill_error why;
    if (write_model(err))
        return err->code;
    distill_model *model = distill_load(path, NULL, &why);
    distill_model *other = model ? distill_share(model, &why) : NULL;
    int code = !other ? flow_fail(err, why.code == DISTILL_ENOMEM ? FLOW_ENOMEM : FLOW_EDATA, "%s",
                                  why.text)
                      : use_handle(sum, model, err);
    distill_free(model);
    if (!code)
        code = use_handle(sum, other, err);
    distill_free(other);
    return code;
}

#endif
