/* pipeline/stages/target.h -- the product of stage target: what the student learns from and is held against, and
 * what its columns are called. */
#ifndef PIPELINE_STAGES_TARGET_H
#define PIPELINE_STAGES_TARGET_H

#include "files/model.h"
#include "pipeline/config/config.h"
#include "student/contexts.h"
#include "teacher/dataset.h"
#include "teacher/target.h"

typedef struct target_product {
    target *learn; /* as training asks it: of a flow, in the precision of the run */
    target *
        exact; /* as figures ask it (student/sides.h): in double, with the modes of the data where these
                             are known */
    const flow *flow;     /* the teacher as it was fitted; NULL: it is none */
    const data_set *data; /* that it was fitted to; NULL: none */
    flow_model frame; /* without a flow: the units, names and ranges that the student has, too */
    const char *const *names; /* (D), those of the frame */

    /* What hangs on these. */
    target *energy; /* in the user's units, where learn is it in those of the flow */
    flow *precise;
    target_modes modes; /* of made-up data: one partition */
    target_partition partition;
    double *weights; /* of its modes */
    flow_units *units;
    json_t *name_list, *quantities; /* the latter as model files have them; NULL: there are none */
    const char **own_names;
    file_table *contexts; /* of a model: rows to learn at, in the units of its flow */
} target_product;

/* The target that the config gives; an error names the key. To be released also after one. */
int target_from_config(target_product *self, const config *c, flow_err *err);
void target_release(target_product *self);

/* Contexts to learn at, and to be judged at: none without context. */
distill_contexts target_contexts(const target_product *self);
distill_contexts target_contexts_held_out(const target_product *self);

#endif
