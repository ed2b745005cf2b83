/* student/recipe.h -- how a student is trained for a target that nobody has draws of, found by looking at it: a pilot
 * (pilot.h), whether its rows lie in one piece (pieces.h), how far they are from a normal. What comes out are plain
 * options and descriptions that a user can take and change, and a paragraph that says what and why.
 *
 *   about a normal                       kl, path gradient; an affine layer behind a linear map, or a spline from .005 nats on
 *   four dimensions at most              mass_transport, log-variance at last; splines on a mixture base
 *   one piece, a normal bent a little    kl, path gradient; affine layers of wide networks behind a linear map
 *   one piece, of another shape          kl, path gradient; splines behind a linear map
 *   one piece, made of lumps             mass_transport, its end polished; splines on a large mixture base
 *   one piece, of widths that differ     importance, alpha 1.5; a spline layer below two affine ones
 *   one piece, with heavy tails          importance, alpha 1.5; affine layers of wide scales
 *   a trained flow, in five and more     two_sided, tempered at first; splines behind a linear map
 *   a few pieces                         mass_transport; a small network on a mixture base
 *   more than can be told apart          mass_transport; splines
 *
 * One in at most 16 dimensions that a sketch (sketch.h) finds to be about a normal is learnt in few steps, for the student
 * begins with its mean and covariance.
 *
 * With circles there is no affine layer and no component on them: splines in place of the former, and for pieces, too.
 *
 * README.md has the measurements that this follows. */
#ifndef STUDENT_RECIPE_H
#define STUDENT_RECIPE_H

#include "student/normal_look.h"
#include "student/pieces.h"
#include "student/pilot.h"
#include "student/sketch.h"

/* What the user has said himself; the rest is found. */
typedef struct recipe_request {
    distill_options options; /* with what is not fixed as it is when nobody says anything */
    int steps_fixed, lr_fixed, gradient_fixed;
    const json_t *objective; /* NULL: to be found */
    const json_t *flow;      /* of flow_presets; NULL: to be found */
    size_t rows;             /* of the pilot; 0: RECIPE_ROWS */
    int no_sketch;           /* the pilot is always sent */
} recipe_request;

enum { RECIPE_ROWS = 1024, RECIPE_TEXT = 1600 };

typedef struct student_recipe {
    student_pilot pilot; /* or the rows of a sketch that holds (sketch.h) */
    int sketched;
    pieces pieces;
    int is_flow;    /* the target is one (target.h) */
    size_t circles; /* of the target */
    normal_look normal;
    json_t *flow, *objective; /* complete objects: what was asked for, or found */
    distill_options options;  /* objective and start point into this recipe */
    size_t evaluations;
    char text[RECIPE_TEXT];
} student_recipe;

/* For a target in the user's units, without context. Its student is one of target_in_units(t, pilot.shift,
 * pilot.scale). The same for any number of threads. Errors are the pilot's; student_recipe_close also after one. */
int student_recipe_make(student_recipe *self, const target *t, flow_pool *pool,
                        const recipe_request *request, flow_err *err);
void student_recipe_close(student_recipe *self);

#endif
