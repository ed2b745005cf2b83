/* What a student of its own shape begins with: random weights, and its teacher's way with the context. */
#include "student/start.h"
#include "flow/alone.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"
#include "tests/common/spec.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 3, C = 2 };

static const pcg_stream stream = {.seed = 6, .stage = PCG_TEST, .purpose = PCG_INIT};

static flow *make(flow_direction direction, int context_linear)
{
    static const size_t hidden[] = {7};
    flow_err err = FLOW_ERR_INIT;
    const flow_spec spec = {.dim = D,
                            .context = C,
                            .direction = direction,
                            .layers = 2,
                            .hidden = hidden,
                            .n_hidden = 1,
                            .activation = "silu",
                            .transformer = "affine",
                            .scale_bound = 3,
                            .context_linear = context_linear};
    flow *f = flow_spec_create(&spec, FLOW_F64, &err);
    cr_assert(f, "%s", err.text);
    return f;
}

/* NULL if there is no such tensor. */
static double *tensor(const flow *f, const char *name)
{
    for (size_t i = 0; i < flow_n_tensors(f); i++) {
        flow_tensor_info info;
        flow_tensor(f, &info, i);
        if (strcmp(info.name, name) != 0)
            continue;
        double *values = malloc(info.rows * (info.cols ? info.cols : 1) * sizeof *values);
        flow_tensor_get(f, values, i);
        return values;
    }
    return NULL;
}

/* A fresh student of N(0, 1) numbers but for its last layer is then the teacher's first one, turned round. */
Test(start, takes_over_what_follows_the_context)
{
    flow_err err = FLOW_ERR_INIT;
    int near;
    flow *teacher = make(FLOW_DATA_TO_NOISE, 1), *student = make(FLOW_NOISE_TO_DATA, 1);
    randomise_parameters(teacher, 0.7, 3);
    target *t = target_from_flow(teacher, &err);
    cr_assert_eq(student_start(student, &near, t, stream, &err), 0, "%s", err.text);
    static const char *const names[] = {"log_scale", "shift", "slope"};
    static const size_t sizes[] = {D, D, D * C};
    for (size_t i = 0; i < 3; i++) {
        char from[64], to[64];
        snprintf(from, sizeof from, "layers.0.%s", names[i]);
        snprintf(to, sizeof to, "layers.%zu.layers.0.%s", flow_n_layers(student) - 1, names[i]);
        double *want = tensor(teacher, from), *got = tensor(student, to);
        cr_assert(want && got, "%s, %s", from, to);
        cr_assert_neq(want[1], 0);
        check_same(got, want, sizes[i], "%s", to);
        free(want);
        free(got);
    }
    target_free(t);
    flow_free(teacher);
    flow_free(student);
}

/* Of another shape, or of a teacher that has no such layer: the weights of flow_init. */
Test(start, is_random_otherwise)
{
    flow_err err = FLOW_ERR_INIT;
    int near;
    for (int which = 0; which < 2; which++) {
        flow *teacher = make(FLOW_DATA_TO_NOISE, which == 0);
        flow *student = make(FLOW_NOISE_TO_DATA, which == 1),
             *same = make(FLOW_NOISE_TO_DATA, which == 1);
        randomise_parameters(teacher, 0.7, 3);
        target *t = target_from_flow(teacher, &err);
        cr_assert_eq(student_start(student, &near, t, stream, &err), 0, "%s", err.text);
        flow_init(same, stream);
        check_same(flow_params(student), flow_params(same), flow_n_params(same), "a fresh student");
        target_free(t);
        flow_free(teacher);
        flow_free(student);
        flow_free(same);
    }
}
