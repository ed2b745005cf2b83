#include "student/objective.h"
#include "student/term_given.h"
#include "student/term_kl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTRY(NAME) &objective_##NAME,
const objective_kind *const objective_kinds[] = {OBJECTIVES(ENTRY) NULL};

static const flow_kind *kind_at(size_t index)
{
    return objective_kinds[index] ? &objective_kinds[index]->kind : NULL;
}

const flow_registry objective_registry = {.what = "objective", .at = kind_at};

const objective_kind *objective_kind_of(const json_t *description)
{
    if (!description)
        return objective_kinds[0];
    /* a kind begins with what it is to its registry */
    return (const objective_kind *)flow_kind_of(&objective_registry, description, NULL);
}

/* The options of the kind that is named, to be freed. */
static void *read_own(const distill_options *options, const objective_kind **kind, flow_err *err)
{
    json_t *plain = options->objective ? NULL : json_string(objective_kinds[0]->kind.name);
    const json_t *said = options->objective ? options->objective : plain;
    json_t *object = said ? flow_kind_complete(&objective_registry, said, err) : NULL;
    *kind = object ? objective_kind_of(object) : NULL;
    void *own = object ? flow_kind_read(&(*kind)->kind, object, err) : NULL;
    json_decref(object);
    json_decref(plain);
    return own;
}

int objective_make_terms(objective_terms *out, const distill_options *options, size_t most_rows,
                         flow_err *err)
{
    const objective_kind *kind;
    flow_err local = FLOW_ERR_INIT;
    *out = (objective_terms){.n = 0};
    void *own = read_own(options, &kind, &local);
    if (!own)
        return flow_fail(err, local.code ? (flow_code)local.code : FLOW_ENOMEM, "%s",
                         local.code ? local.text : "out of memory for an objective");
    const objective_plan plan = {.options = options, .own = own, .most_rows = most_rows};
    int code = kind->terms(out, &plan, err);
    free(own);
    return code;
}

void objective_free_terms(objective_terms *self)
{
    for (size_t k = 0; k < self->n; k++)
        self->at[k]->ops->free(self->at[k]);
    self->n = 0;
}

int objective_add(objective_terms *out, objective_term *term)
{
    if (!term)
        return FLOW_ENOMEM;
    assert(out->n < OBJECTIVE_MOST);
    out->at[out->n++] = term;
    return 0;
}

static int add_start(objective_terms *out, const objective_plan *plan, double share, flow_err *err)
{
    int code = objective_add(out, term_given_create(plan->options, err));
    if (!code)
        out->at[out->n - 1]->until = share;
    return code;
}

static int add_polish(objective_terms *out, const objective_plan *plan, double share, flow_err *err)
{
    distill_options only = *plan->options;
    only.forward = only.forward_end = 0;
    only.temper = 1;
    int code = objective_add(out, term_reverse_kl_create(&only, plan->most_rows, err));
    if (!code)
        out->at[out->n - 1]->from = 1 - share;
    return code;
}

int objective_add_between(objective_terms *out, objective_term *term, const objective_plan *plan,
                          double start, double polish, flow_err *err)
{
    double from = plan->options->start.n ? start : 0;
    term->from = from;
    term->until = 1 - polish;
    int code = objective_add(out, term);
    if (!code && from > 0)
        code = add_start(out, plan, from, err);
    if (!code && polish > 0)
        code = add_polish(out, plan, polish, err);
    return code;
}

const char *objective_parts_conflict(char *why, size_t size, double start, double polish)
{
    if (start + polish < 1)
        return NULL;
    snprintf(why, size, "with polish %.3g no step is left between them", polish);
    return "start";
}
