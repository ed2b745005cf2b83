#include "pipeline/stages/flows.h"

#include "pipeline/config/settings.h"
#include "pipeline/stages/data.h"
#include "pipeline/stages/thin.h"
#include "student/iaf.h"
#include "teacher/maf.h"
#include "teacher/streams.h"

flow *flows_teacher(const config *c, size_t dim, size_t context, flow_err *err)
{
    const flow_place at = settings_place(c, STREAM_TEACHER, dim, context);
    flow *out = maf_create(c->teacher.flow, &at, c->precision, err);
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

/* A student that follows is the teacher's shape; another has its own. */
flow *flows_student(const config *c, const flow *teacher, flow_err *err)
{
    const flow_place at =
        settings_place(c, STREAM_STUDENT, flow_dim(teacher), flow_context(teacher));
    flow *out = flow_preset_follows(c->student.flow)
                    ? follow(c->student.flow, teacher, c->precision, err)
                    : iaf_create(c->student.flow, &at, c->precision, err);
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
    if (student)
        *backend = flow_backend_name(student);
    flow_free(teacher);
    flow_free(student);
    return code;
}
