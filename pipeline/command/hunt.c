#include "pipeline/command/hunt.h"

#include "flow/json.h"
#include "pipeline/command/with_model.h"
#include "pipeline/console/exit.h"
#include "pipeline/console/foreign.h"
#include "pipeline/console/json_print.h"
#include "pipeline/report/verdict_parts.h"
#include "pipeline/stages/reference.h"
#include "student/against_chain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the answer */

static int print_json(const student_against_chain *c, const char *const *names, flow_err *err)
{
    json_t *all = json_object();
    flow_json_set(&all, "hunt", verdict_hunt(&c->hunt, names));
    flow_json_set(&all, "chain", verdict_chain(c, names));
    int code = json_print(all, err);
    json_decref(all);
    return code;
}

static int answer(const student_against_chain *c, const flow_model *model, bool json, flow_err *err)
{
    size_t dim = flow_dim(model->flow);
    const char **names = malloc(dim * sizeof *names);
    if (!names)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for names of columns");
    for (size_t j = 0; j < dim; j++)
        names[j] = json_string_value(json_array_get(model->names, j));
    int code = 0;
    if (json)
        code = print_json(c, names, err);
    else
        verdict_print_hunt(stdout, &c->hunt, names);
    free(names);
    return code;
}

/* ---- */

/* log Z: the target's own, or what the samples' weights say. */
static int measure(student_against_chain *out, const student_sides *sides, const flow_model *model,
                   const hunt_options *o, flow_err *err)
{
    student_diagnostics worth;
    int code = student_sides_diagnose(sides, &worth, err);
    if (code)
        return code;
    const student_chain_question question = {.student = model->flow,
                                             .log_z =
                                                 student_best_log_z(sides->teacher->log_z, &worth),
                                             .units = model->units,
                                             .rows = (size_t)o->rows,
                                             .effort = o->effort};
    return student_against_chain_measure(out, sides, &question, err);
}

static int go(student_against_chain *out, const target *t, const flow_model *model, flow_pool *pool,
              const hunt_options *o, flow_err *err)
{
    student_sides sides;
    int code = student_sides_init(&sides, t, pool, NULL, (size_t)o->n, o->seed, err);
    code = code ? code : student_sides_meet(&sides, model->flow, err);
    code = code ? code : measure(out, &sides, model, o, err);
    student_sides_release(&sides);
    return code;
}

/* What is missed is left in *least for the exit code. */
typedef struct wanted {
    const hunt_options *options;
    double *least;
} wanted;

static int hunt(const opened *what, const void *arg, flow_err *err)
{
    const wanted *w = arg;
    const flow_model *model = what->model;
    student_against_chain out;
    foreign_begin();
    reference *against = reference_open(w->options->target, model, what->path, err);
    target *t = against ? reference_in_units(against, model, err) : NULL;
    int code = t ? go(&out, t, model, what->pool, w->options, err) : err->code;
    foreign_end();
    code = code ? code : answer(&out, model, w->options->json, err);
    *w->least = code ? NAN : student_hunt_least(&out.hunt);
    target_free(t);
    reference_free(against);
    return code;
}

int hunt_verb(const hunt_options *options)
{
    double least;
    const gate_info *figure = &gate_figures[GATE_MISSED_MASS];
    int status = with_model(options->model, "student", options->network, options->threads,
                            &(wanted){options, &least}, hunt);
    if (status != EXIT_GOOD)
        return status;
    return gate_within(figure, least, figure->limit) ? EXIT_GOOD : EXIT_GATE;
}
