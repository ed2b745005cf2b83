#include "pipeline/stages/flows.h"

#include "pipeline/config/settings.h"
#include "pipeline/stages/data.h"
#include "pipeline/stages/thin.h"
#include "student/iaf.h"
#include "teacher/maf.h"
#include "teacher/streams.h"

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
                                 : "column %zu is on a circle in the flow; give it a period in "
                                   "data.columns",
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
    return flow_unroll(teacher, &how, precision, err);
}

/* One of a shape of its own, on its teacher's circles. */
static flow *beside(const config *c, const flow *teacher, flow_err *err)
{
    size_t dim = flow_dim(teacher);
    unsigned char *circles = circles_new(dim, err);
    if (!circles)
        return NULL;
    if (flow_circles(teacher))
        memcpy(circles, flow_circles(teacher), dim);
    const flow_place at = settings_place(c, STREAM_STUDENT, dim, flow_context(teacher));
    flow *out = make(iaf_create, c->student.flow, at, circles, c->precision, err);
    free(circles);
    return out;
}

/* A student that follows is the teacher's shape; another has its own. */
flow *flows_student(const config *c, const flow *teacher, flow_err *err)
{
    flow *out = flow_preset_follows(c->student.flow)
                    ? follow(c->student.flow, teacher, c->precision, err)
                    : beside(c, teacher, err);
    if (!out)
        flow_fail_prefix(err, "student.flow");
    return out;
}

/* Whether the one can learn from the other as the config says. */
static int check_distillation(const config *c, const flow *teacher, const flow *student,
                              flow_err *err)
{
    distill_options options = settings_distill(c);
    target *t = target_from_flow(teacher, err);
    int code = t ? student_distillation_check(student, t, &options, err) : err->code;
    target_free(t);
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
    int code = thin_tell(teacher, "teacher.flow", err);
    if (!code && !flow_preset_follows(c->student.flow))
        code = thin_tell(student, "student.flow", err);
    return code;
}

int flows_check(const char **backend, const config *c, bool tell, flow_err *err)
{
    size_t dim, context;
    *backend = NULL;
    int code = data_peek(&dim, &context, c, err);
    if (code || dim == 0)
        return code;
    flow *teacher = flows_teacher(c, dim, context, err);
    flow *student = teacher ? flows_student(c, teacher, err) : NULL;
    code = student ? check_distillation(c, teacher, student, err) : err->code;
    if (!code && tell)
        code = tell_thin(c, teacher, student, err);
    if (!code && tell)
        tell_wrapped(c);
    if (student)
        *backend = flow_backend_name(student);
    flow_free(teacher);
    flow_free(student);
    return code;
}
