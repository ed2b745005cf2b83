/* student/objective.h -- what a student minimises, as a kind that can be chosen: student.train.objective.
 *
 * A kind of objective is one file that ends in its table, objective_NAME, and one line of OBJECTIVES. It makes
 * the terms (term.h) of a distillation from the options of all objectives (distill.h) and its own keys. */
#ifndef STUDENT_OBJECTIVE_H
#define STUDENT_OBJECTIVE_H

#include "flow/kind.h"
#include "student/term.h"

enum { OBJECTIVE_MOST = 4 }; /* terms of one objective */

typedef struct objective_terms {
    size_t n;
    objective_term *at[OBJECTIVE_MOST];
} objective_terms;

/* What its terms are made from. */
typedef struct objective_plan {
    const distill_options *options;
    const void *own;  /* the kind's options, read from its keys */
    size_t most_rows; /* of a batch */
} objective_plan;

typedef struct objective_kind {
    flow_kind kind;
    const char *example; /* a description */
    const char *const
        *unused; /* keys of student.train that have no effect with it; NULL past the end */

    /* Appends its terms: their gradients are added up in this order. Non-zero: FLOW_ENOMEM. */
    int (*terms)(objective_terms *out, const objective_plan *plan, flow_err *err);
} objective_kind;

/* Every kind, a line each. The first one is that of a distillation that names none. */
#define OBJECTIVES(KIND)                                                                           \
    KIND(kl)                                                                                       \
    KIND(mass_transport)                                                                           \
    KIND(importance)                                                                               \
    KIND(fab)                                                                                      \
    KIND(two_sided)

#define OBJECTIVE_DECLARE(NAME) extern const objective_kind objective_##NAME;
OBJECTIVES(OBJECTIVE_DECLARE)

/* NULL past the end; and the same as a registry. */
extern const objective_kind *const objective_kinds[];
extern const flow_registry objective_registry;

/* The kind of a description; NULL: none is given. It must be one of the registry. */
const objective_kind *objective_kind_of(const json_t *description);

/* The terms of the options' objective, which objective_free_terms gives back, after a failure as well.
 * FLOW_ECONFIG names the key that is wrong. */
int objective_make_terms(objective_terms *out, const distill_options *options, size_t most_rows,
                         flow_err *err);
void objective_free_terms(objective_terms *self);

/* ---- all terms of a distillation (term.h) */

int objective_check_terms(const objective_terms *self, const flow *student, const target *teacher,
                          flow_err *err);

/* Opens them, and has them write what they begin with into the state. */
int objective_open_terms(objective_terms *self, const term_scene *scene, distill_state *state,
                         flow_err *err);

/* The weights that they have in a step; 0 of those that are not on. */
void objective_weigh_terms(objective_terms *self, size_t step, size_t steps);

/* After a step, at->step of them done: what is to be done by those that were on in it, and their report. */
void objective_end_step(objective_terms *self, const term_step *at, distill_state *state);

void objective_pieces(objective_terms *self, flow_pieces *pieces);

/* ---- for kinds */

/* Appends a term that may be NULL, for want of memory. */
int objective_add(objective_terms *out, objective_term *term);

/* Appends a term for the middle of the course: before it, for the share `start`, forward KL on the rows to start
 * from, where the options have some; after it, for the share `polish`, reverse KL alone with the estimator that the
 * options name. */
int objective_add_between(objective_terms *out, objective_term *term, const objective_plan *plan,
                          double start, double polish, flow_err *err);

/* For a kind's conflict: a reason, for the key "start", if these shares leave nothing between them, else NULL. */
const char *objective_parts_conflict(char *why, size_t size, double start, double polish);

#endif
