/* pipeline/stages/recipe.h -- the product of stage recipe: what a look at a target says of how to train for it. */
#ifndef PIPELINE_STAGES_RECIPE_H
#define PIPELINE_STAGES_RECIPE_H

#include "pipeline/config/config.h"
#include "student/recipe.h"
#include "teacher/target_metered.h"

typedef struct recipe_product {
    student_recipe recipe;
    target_meter meter; /* what it asked of the target ... */
    double seconds;     /* ... and how long it took the processors */
    config
        settled; /* the config with what it left open; what hangs on it is that of the other, or below */
    json_t *shift, *scale;
    json_t *kept; /* of one that was made earlier: what its settled config borrows */
} recipe_product;

/* The rows that it annealed in units of a flow, for distill_options.start: (n, D), the caller's to free. self: NULL,
 * or a student that does not begin on them: there are none. FLOW_ENOMEM. */
int recipe_start(distill_rows *out, const recipe_product *self, const flow_units *units,
                 flow_err *err);

#endif
