#include "pipeline/command/context.h"

#include "files/read.h"

int context_load(file_table **out, const flow_model *model, const char *model_path,
                 const char *path, size_t n, flow_err *err)
{
    size_t wanted = flow_context(model->flow);
    *out = NULL;
    if (wanted == 0 && path)
        return flow_fail(err, FLOW_EUSAGE, "%s: the model has no context, so --context has no use",
                         model_path);
    if (wanted == 0)
        return 0;
    if (!path)
        return flow_fail(err, FLOW_EUSAGE,
                         "%s: a conditional model: give --context FILE with %zu columns",
                         model_path, wanted);
    *out = file_read(path, FILE_HEADER_AUTO, err);
    if (!*out)
        return err->code;
    if ((*out)->cols != wanted)
        return flow_fail(err, FLOW_EDATA, "%s: %zu columns, the model wants %zu", path,
                         (*out)->cols, wanted);
    if (n == CONTEXT_ANY && (*out)->rows == 0)
        return flow_fail(err, FLOW_EDATA, "%s: no rows of context", path);
    if (n != CONTEXT_ANY && (*out)->rows != n)
        return flow_fail(err, FLOW_EDATA, "%s: %zu rows of context for %zu rows", path,
                         (*out)->rows, n);
    return 0;
}
