#include "student/distill_check.h"

#include "student/objective.h"

int distill_check_flow(const flow *student, const target *teacher, flow_err *err)
{
    if (flow_dim(student) == teacher->dim && flow_context(student) == teacher->context)
        return flow_require_transport(student, err);
    return flow_fail(
        err, FLOW_EUSAGE,
        "a student of a target of %zu dimensions, %zu of context, wants a flow of these",
        teacher->dim, teacher->context);
}

int student_distillation_check(const flow *student, const target *teacher,
                               const distill_options *options, flow_err *err)
{
    objective_terms terms = {.n = 0};
    int code = distill_check_flow(student, teacher, err);
    if (!code)
        code = objective_make_terms(&terms, options, 1, err);
    if (!code)
        code = objective_check_terms(&terms, student, teacher, err);
    objective_free_terms(&terms);
    return code;
}
