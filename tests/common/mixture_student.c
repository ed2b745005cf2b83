#include "tests/common/mixture_student.h"

#include "flow/preset.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void set(flow *self, const char *tensor, const double *values)
{
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(flow_tensor_set(self, values, flow_tensor_find(self, tensor), &err), 0, "%s",
                 err.text);
}

flow *mixture_student(size_t dim, size_t n, const double *shift, const double *log_scale,
                      const double *logit)
{
    char text[240];
    flow_err err = FLOW_ERR_INIT;
    const flow_place place = {.dim = dim, .stream = {1, PCG_TEST, PCG_PERMUTE}};
    snprintf(text, sizeof text,
             "{\"kind\": \"stack\", \"layers\": [{\"kind\": \"permutation\", \"pattern\": "
             "\"reverse\"}, {\"kind\": \"permutation\", \"pattern\": \"reverse\"}], \"base\": "
             "{\"kind\": \"mixture\", \"components\": %zu, \"weights\": \"%s\"}}",
             n, logit ? "learned" : "equal");
    json_t *said = json_loads(text, 0, NULL), *full = flow_kind_complete(&flow_presets, said, &err);
    flow *out = full ? flow_preset_create(full, FLOW_NOISE_TO_DATA, &place, FLOW_F64, &err) : NULL;
    cr_assert(out, "%s", err.text);
    json_decref(full);
    json_decref(said);
    set(out, "base.shift", shift);
    set(out, "base.log_scale", log_scale);
    if (logit)
        set(out, "base.logit", logit);
    return out;
}
