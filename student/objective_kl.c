/* student/objective_kl.c -- (1 - lambda) KL(q || p~^beta) + lambda KL(p || q): the one on the student's own samples,
 * the other on the target's; and a little forward KL on own rows where the student is short of density. */
#include "student/objective.h"
#include "student/term_kl.h"
#include "student/term_uncovered.h"

typedef struct kl_options {
    double cover; /* NaN: auto */
} kl_options;

static int kl_terms(objective_terms *out, const objective_plan *plan, flow_err *err)
{
    const kl_options *own = plan->own;
    int code = objective_add(out, term_reverse_kl_create(plan->options, plan->most_rows, err));
    if (!code)
        code = objective_add(out, term_forward_kl_create(plan->options, plan->most_rows, err));
    return code ? code : objective_add(out, term_uncovered_create(plan->options, own->cover, err));
}

static const flow_key kl_keys[] = {
    {FLOW_KEY(kl_options, cover), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_AUTO, .min = 0, .max = 1,
     .def = "auto",
     .doc = "Weight of forward KL on own rows of stretched noise where the student has too little "
            "density: what a forward ESS stands or falls with. auto: 0.01 where the student "
            "starts as its teacher and is 0.001 nats or more from it, else 0."},
    {.name = NULL}};
static const char *const kl_unused[] = {NULL};

const objective_kind objective_kl = {
    .kind = {.name = "kl",
             .doc = "reverse KL on the student's own samples and, with the weight forward, forward "
                    "KL on the target's",
             .keys = kl_keys,
             .size = sizeof(kl_options)},
    .example = "{\"kind\": \"kl\"}",
    .unused = kl_unused,
    .terms = kl_terms,
};
