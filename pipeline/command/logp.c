#include "pipeline/command/logp.h"

#include "files/read.h"
#include "pipeline/command/context.h"
#include "pipeline/command/outside.h"
#include "pipeline/command/with_model.h"
#include "pipeline/stages/output.h"

#include <stdlib.h>

static int write_column(const logp_options *o, const double *logp, size_t n, flow_err *err)
{
    output *out = output_open(o->output, o->format, n, 1, (const char *const[]){"log_p"}, err);
    if (!out)
        return err->code;
    if (output_append(out, logp, n, err)) {
        output_discard(out);
        return err->code;
    }
    return output_close(out, err);
}

static int evaluate(const flow_model *model, flow_pool *pool, const logp_options *o,
                    const file_table *rows, const file_table *context, flow_err *err)
{
    double *logp = malloc((rows->rows + 1) * sizeof *logp);
    if (!logp)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", rows->rows);
    int code = flow_model_log_prob(model, pool, logp, rows->values,
                                   context ? context->values : NULL, rows->rows, err);
    if (!code)
        outside_tell(model, o->input, rows->values, rows->rows);
    if (!code)
        code = write_column(o, logp, rows->rows, err);
    free(logp);
    return code;
}

/* Densities are computed in double, whatever the precision of the model's weights. */
static int to_double(flow_model *model, flow_err *err)
{
    flow *precise = flow_convert(model->flow, FLOW_F64, err);
    if (!precise)
        return err->code;
    flow_free(model->flow);
    model->flow = precise;
    return 0;
}

static int logp(flow_model *model, flow_pool *pool, const void *options, flow_err *err)
{
    const logp_options *o = options;
    int code = to_double(model, err);
    if (code)
        return code;
    file_table *context = NULL, *rows = file_read(o->input, FILE_HEADER_AUTO, err);
    if (!rows)
        return err->code;
    if (rows->cols != flow_dim(model->flow))
        code = flow_fail(err, FLOW_EDATA, "%s: %zu columns, the model has %zu", o->input,
                         rows->cols, flow_dim(model->flow));
    if (!code)
        code = context_load(&context, model, o->model, o->context, rows->rows, err);
    if (!code)
        code = evaluate(model, pool, o, rows, context, err);
    file_table_free(rows);
    file_table_free(context);
    return code;
}

int logp_verb(const logp_options *options)
{
    return with_model(options->model, options->threads, options, logp);
}
