/* flow/preset_auto.c -- the smallest sampler that is good enough: unrolled, of as few steps and as narrow as passes. */
#include "flow/preset_kind.h"
#include "flow/unroll.h"

#include <math.h>

static flow_unrolling unrolling(const void *options)
{
    (void)options;
    return (flow_unrolling){.iterations = 0, .width = NAN};
}

const preset preset_auto = {
    .kind = {.name = "auto",
             .doc = "starts as its teacher, which must be a flow: of the fewest steps, and then "
                    "the narrowest networks, "
                    "that pass validate.require when they are trained; unrolled with iterations "
                    "and width auto",
             .size = sizeof(preset_head)},
    .one_way = true,
    .direction = FLOW_NOISE_TO_DATA,
    .unrolling = unrolling,
};
