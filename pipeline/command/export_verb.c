#include "pipeline/command/export_verb.h"

#include "pipeline/command/with_model.h"

static int write(const opened *what, const void *options, flow_err *err)
{
    const export_options *o = options;
    return export_file(o->kind, what->model, o->output, o->stem, err);
}

int export_verb(const export_options *options)
{
    return with_model(options->model, "student", options->network, 1, options, write);
}
