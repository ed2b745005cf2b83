/* student/recipe_look.h -- what a recipe (recipe.h) sees of a target: by a sketch (sketch.h) where it is all but a normal, or else by
 * the rows of a pilot; and of which shape they are. */
#ifndef STUDENT_RECIPE_LOOK_H
#define STUDENT_RECIPE_LOOK_H

#include "student/recipe.h"

enum { RECIPE_FEW = 4 }; /* dimensions */

typedef enum recipe_shape {
    RECIPE_NORMAL,
    RECIPE_GENTLE,
    RECIPE_BENT,
    RECIPE_LUMPS,
    RECIPE_UNEVEN,
    RECIPE_HEAVY,
    RECIPE_STEEP,
    RECIPE_PIECES,
    RECIPE_MANY
} recipe_shape;

/* A sentence for each. */
extern const char *const recipe_shapes[];
recipe_shape recipe_shape_of(const student_recipe *self);

/* Fills in pilot, pieces, normal and evaluations; is_flow and circles are set. Errors as of student_recipe_make. */
int recipe_look(student_recipe *self, const target *t, flow_pool *pool,
                const recipe_request *request, flow_err *err);

#endif
