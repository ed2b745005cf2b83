/* flow/preset_unrolled.c -- a sampler that starts as its teacher: the teacher's layers, unrolled. */
#include "flow/preset_kind.h"
#include "flow/unroll.h"

typedef struct unrolled {
    preset_head head; /* base NULL: it is the teacher's */
    size_t iterations;
    bool tied;
    double width;
} unrolled;

static flow_unrolling unrolling(const void *options)
{
    const unrolled *self = options;
    return (flow_unrolling){
        .iterations = self->iterations, .tied = self->tied, .width = self->width};
}

static const flow_key unrolled_keys[] = {
    {FLOW_KEY(unrolled, iterations), .type = FLOW_KEY_WHOLE, .flags = FLOW_KEY_AUTO, .min = 1,
     .max = FLOW_MAX_ITERATIONS, .def = "auto", .unit = "steps",
     .doc = "Parallel steps towards the inverse of each of the teacher's autoregressive layers. "
            "More are nearer to the teacher and cost proportionally more. auto: the fewest with "
            "which the student passes validate.require when it is trained."},
    {FLOW_KEY(unrolled, tied), .type = FLOW_KEY_BOOL, .def = "false",
     .doc = "Whether the steps of a layer share one network, or are trained each for itself."},
    {FLOW_KEY(unrolled, width), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO | FLOW_KEY_OPEN_MIN,
     .min = 0, .max = 1, .def = "1",
     .doc = "Share of the hidden units of the teacher's networks that the copies of them keep, the "
            "most important ones. Fewer are faster and further from the teacher before training. "
            "auto: halved for as long as the trained student passes validate.require."},
    {.name = NULL}};

const preset preset_unrolled = {
    .kind = {.name = "unrolled",
             .doc = "starts as its teacher, which must be a flow, by a few parallel steps a layer",
             .keys = unrolled_keys,
             .size = sizeof(unrolled),
             .implied_by = "iterations"},
    .one_way = true,
    .direction = FLOW_NOISE_TO_DATA,
    .unrolling = unrolling,
};
