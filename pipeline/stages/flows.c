#include "pipeline/stages/flows.h"

#include "pipeline/config/settings.h"
#include "pipeline/stages/data.h"
#include "student/iaf.h"
#include "teacher/maf.h"

typedef flow *create(const json_t *preset, const flow_place *at, flow_precision precision,
                     flow_err *err);

static flow *create_flow(create *make, const char *kind, const char *section, const config *c,
                         const config_flow *wanted, const flow_place *at, flow_err *err)
{
    json_t *given = settings_flow(wanted);
    json_object_set_new(given, "kind", json_string(kind));
    json_t *preset = flow_kind_complete(&flow_presets, given, err);
    flow *out = preset ? make(preset, at, c->precision, err) : NULL;
    json_decref(given);
    json_decref(preset);
    if (!out)
        flow_fail_prefix(err, section);
    return out;
}

flow *flows_teacher(const config *c, size_t dim, size_t context, flow_err *err)
{
    const flow_place at = settings_place(c, PCG_TEACHER, dim, context);
    return create_flow(maf_create, "maf", "teacher.flow", c, &c->teacher.flow, &at, err);
}

flow *flows_student(const config *c, size_t dim, size_t context, flow_err *err)
{
    const flow_place at = settings_place(c, PCG_STUDENT, dim, context);
    return create_flow(iaf_create, "iaf", "student.flow", c, &c->student.flow, &at, err);
}

int flows_check(const char **backend, const config *c, flow_err *err)
{
    size_t dim, context;
    *backend = NULL;
    int code = data_peek(&dim, &context, c, err);
    if (code || dim == 0)
        return code;
    flow *teacher = flows_teacher(c, dim, context, err);
    flow *student = teacher ? flows_student(c, dim, context, err) : NULL;
    code = student ? FLOW_OK : err->code;
    if (student)
        *backend = flow_backend_name(student);
    flow_free(teacher);
    flow_free(student);
    return code;
}
