#include "pipeline/stages/flows.h"

#include "pipeline/config/settings.h"
#include "pipeline/report/picture_pairs.h"
#include "pipeline/stages/data.h"
#include "pipeline/stages/shipped.h"
#include "pipeline/stages/target.h"
#include "pipeline/stages/thin.h"
#include "student/iaf.h"
#include "teacher/maf.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Spelt layers have the circles that they spell: they must be those of the data. */
static int check_circles(const flow *made, const unsigned char *circles, flow_err *err)
{
    const unsigned char *own = flow_circles(made);
    for (size_t col = 0; col < flow_dim(made); col++)
        if (circles[col] != (own && own[col]))
            return flow_fail(err, FLOW_ECONFIG,
                             circles[col]
                                 ? "column %zu has a period, and the flow has it on a line"
                                 : "column %zu is on a circle in the flow; give it a period in its "
                                   "columns",
                             col);
    return 0;
}

/* A flow whose data are on these circles (dim). */
static flow *make(flow *(*create)(const json_t *preset, const flow_place *place,
                                  flow_precision precision, flow_err *err),
                  const json_t *preset, flow_place at, const unsigned char *circles,
                  flow_precision precision, flow_err *err)
{
    at.circles = circles;
    flow *out = create(preset, &at, precision, err);
    if (!out || check_circles(out, circles, err) == 0)
        return out;
    flow_free(out);
    return NULL;
}

static unsigned char *circles_new(size_t dim, flow_err *err)
{
    unsigned char *out = calloc(dim, 1);
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", dim);
    return out;
}

flow *flows_teacher(const config *c, size_t dim, size_t context, flow_err *err)
{
    const flow_place at = settings_place(c, STREAM_TEACHER, dim, context);
    unsigned char *circles = circles_new(dim, err);
    if (!circles)
        return NULL;
    settings_circles(circles, c, dim);
    flow *out = make(maf_create, c->teacher.flow, at, circles, c->precision, err);
    free(circles);
    if (!out)
        flow_fail_prefix(err, "teacher.flow");
    return out;
}

/* Steps that are to be found: any number of them can be made, or none can. */
static flow *follow(const json_t *preset, const flow *teacher, flow_precision precision,
                    flow_err *err)
{
    flow_unrolling how;
    if (flow_preset_unrolling(&how, preset, err))
        return NULL;
    how.iterations = how.iterations ? how.iterations : 1;
    how.width = isnan(how.width) ? 1 : how.width;
    return flow_unroll(teacher, &how, precision, err);
}

/* One of a shape of its own, on the circles of what it learns from. A MAF, too, which learns where
 * rows stay, and of which a student can be made in its turn (flow/unroll.h). */
static flow *beside(const config *c, const target *from, flow_err *err)
{
    unsigned char *circles = circles_new(from->dim, err);
    if (!circles)
        return NULL;
    if (from->circles)
        memcpy(circles, from->circles, from->dim);
    const flow_place at = settings_place(c, STREAM_STUDENT, from->dim, from->context);
    bool is_maf = flow_preset_direction(c->student.flow, FLOW_NOISE_TO_DATA) == FLOW_DATA_TO_NOISE;
    flow *out =
        make(is_maf ? maf_create : iaf_create, c->student.flow, at, circles, c->precision, err);
    free(circles);
    return out;
}

/* A student that follows is the teacher's shape; another has its own. */
flow *flows_student(const config *c, const target *from, const flow *teacher, flow_err *err)
{
    flow *out = flow_preset_follows(c->student.flow)
                    ? follow(c->student.flow, teacher, c->precision, err)
                    : beside(c, from, err);
    if (!out)
        flow_fail_prefix(err, "student.flow");
    return out;
}

/* Whether the one can learn from the other as the config says. */
static int check_distillation(const config *c, const target *from, const flow *student,
                              flow_err *err)
{
    distill_options options = settings_distill(c);
    if (c->target && c->student.recipe == RECIPE_AUTO && options.gradient == DISTILL_AUTO &&
        !(from->flags & TARGET_GRADIENT))
        options.gradient = DISTILL_LOG_VARIANCE; /* as the recipe will have it */
    int code = student_distillation_check(student, from, &options, err);
    return code ? flow_fail_prefix(err, "student") : 0;
}

/* Where circles could not be had, of which it is said. */
static void tell_wrapped(const config *c)
{
    if (settings_wrap(c))
        fprintf(
            stderr,
            "warning   columns with a period: the layers of teacher.flow or student.flow are for "
            "lines, so the density of\n          each such column is wrapped round, which takes "
            "twice the passes\n          -> a preset, or layers of permutation, lu_linear, "
            "actnorm and autoregressive alone\n");
}

/* A student that follows is as thin as its teacher, of which it is said. */
static int tell_thin(const config *c, const flow *teacher, const flow *student, flow_err *err)
{
    int code = teacher ? thin_tell(teacher, "teacher.flow", err) : 0;
    if (!code && !flow_preset_follows(c->student.flow))
        code = thin_tell(student, "student.flow", err);
    return code;
}

/* A chain has one density to keep. */
static int check_chain(const config *c, const target *from, flow_err *err)
{
    if (!from->context || !settings_chain(c, from))
        return 0;
    return flow_fail(err, FLOW_ECONFIG, "validate.chain: on is for targets without context");
}

/* What the target lacks of what a figure needs; NULL: nothing. */
static const char *lacks(const config *c, const target *t, unsigned needs)
{
    if (needs & GATE_NEEDS_CHAIN && !settings_chain(c, t))
        return "a long chain (validate.chain: on)";
    if (needs & GATE_NEEDS_SAMPLER && !t->ops->sample)
        return "a sampler";
    if (needs & GATE_NEEDS_MODES && !t->modes)
        return "modes that are known";
    return needs & GATE_NEEDS_LOG_Z && isnan(t->log_z) ? "a log Z that is known" : NULL;
}

/* A gate on a figure that this run cannot have would fail at the very end. of: the needs that are looked at, of which a
 * teacher that is not trained yet has but some. */
static int check_gates(const config *c, const target *t, unsigned of, flow_err *err)
{
    for (size_t i = 0; i < c->validate.require.n; i++) {
        const gate_info *info = &gate_figures[c->validate.require.at[i].figure];
        const char *wanted = lacks(c, t, info->needs & of);
        if (wanted)
            return flow_fail(err, FLOW_ECONFIG,
                             "validate.require.%s wants %s, and target '%s' has none", info->name,
                             wanted, t->ops->name);
    }
    return 0;
}

static int check_export(const config *c, const target *energy, flow_err *err)
{
    if (c->export.samples == 0 || c->export.quantities != DERIVED_ALL ||
        (energy && target_quantities(energy)))
        return 0;
    return flow_fail(err, FLOW_ECONFIG, "export.quantities: all: the target has none");
}

/* A network that these layers, or this processor, cannot have. Of auto there is one that can be had. */
static int check_network(const config *c, const flow *student, flow_err *err)
{
    if (shipped_is_chosen(c) || c->compute.network == FLOW_NETWORK_AS_IS)
        return 0;
    int code = flow_check_round(student, (flow_network)c->compute.network, err);
    return code ? flow_fail_prefix(err, "compute.network") : 0;
}

static int check(const char **backend, const config *c, const target *from, const flow *teacher,
                 flow_err *err)
{
    flow *student = flows_student(c, from, teacher, err);
    int code = student ? check_distillation(c, from, student, err) : err->code;
    if (!code)
        code = check_network(c, student, err);
    if (!code)
        code = check_chain(c, from, err);
    if (!code)
        code = check_gates(c, from, GATE_NEEDS_CHAIN, err);
    if (!code)
        code = tell_thin(c, teacher, student, err);
    if (!code)
        tell_wrapped(c);
    if (student)
        *backend = flow_backend_name(student);
    flow_free(student);
    return code;
}

static int check_pairs(const config *c, const target_product *from, flow_err *err)
{
    picture_pair pairs[PICTURE_ASKED * PICTURE_ASKED];
    size_t n;
    const flow_names *asked = &c->report.pairs;
    return picture_pairs_of(pairs, &n, asked->at, asked->n, from->names, from->exact->dim, err);
}

static int check_target(const char **backend, const config *c, flow_err *err)
{
    target_product from;
    int code = target_from_config(&from, c, err);
    if (!code)
        code = check_gates(c, from.exact, ~(unsigned)GATE_NEEDS_CHAIN, err);
    if (!code)
        code = check_export(c, from.energy, err);
    if (!code)
        code = check_pairs(c, &from, err);
    if (!code)
        code = check(backend, c, from.learn, from.flow, err);
    target_release(&from);
    return code;
}

/* A teacher that is not trained yet. */
static int check_teacher(const char **backend, const config *c, flow_err *err)
{
    size_t dim, context;
    int code = data_peek(&dim, &context, c, err);
    if (code || dim == 0)
        return code;
    flow *teacher = flows_teacher(c, dim, context, err);
    target *from = teacher ? target_from_flow(teacher, err) : NULL;
    code = from ? check(backend, c, from, teacher, err) : err->code;
    code = code ? code : check_export(c, NULL, err);
    code = code ? code : data_check_pairs(c, err);
    target_free(from);
    flow_free(teacher);
    return code;
}

int flows_check(const char **backend, const config *c, flow_err *err)
{
    *backend = NULL;
    return c->target ? check_target(backend, c, err) : check_teacher(backend, c, err);
}
