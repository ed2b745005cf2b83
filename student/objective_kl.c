/* student/objective_kl.c -- (1 - lambda) KL(q || p~^beta) + lambda KL(p || q): the one on the student's own samples,
 * the other on the target's. All its keys are those that every objective has. */
#include "student/objective.h"
#include "student/term_kl.h"

static int kl_terms(objective_terms *out, const objective_plan *plan, flow_err *err)
{
    int code = objective_add(out, term_reverse_kl_create(plan->options, plan->most_rows, err));
    return code ? code
                : objective_add(out, term_forward_kl_create(plan->options, plan->most_rows, err));
}

static const flow_key kl_keys[] = {{.name = NULL}};
static const char *const kl_unused[] = {NULL};

const objective_kind objective_kl = {
    .kind = {.name = "kl",
             .doc = "reverse KL on the student's own samples and, with the weight forward, forward "
                    "KL on the target's",
             .keys = kl_keys},
    .example = "{\"kind\": \"kl\"}",
    .unused = kl_unused,
    .terms = kl_terms,
};
