#include "pipeline/command/weighing.h"

#include "pipeline/console/notice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16384 };

static int take(weighing *self, const double *context, flow_err *err)
{
    size_t dim = flow_dim(self->model->flow), c = flow_context(self->model->flow);
    self->x = malloc(BLOCK * (dim + 1 + c) * sizeof *self->x);
    if (!self->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for samples");
    self->log_q = self->x + BLOCK * dim;
    self->context = c ? self->log_q + BLOCK : NULL;
    for (size_t i = 0; i < BLOCK * c; i++)
        self->context[i] = context[i % c];
    return 0;
}

int weighing_open(weighing *self, const double *context, size_t n_context, flow_err *err)
{
    if (flow_context(self->model->flow) && n_context != 1)
        return flow_fail(err, FLOW_EUSAGE,
                         "weights at different contexts cannot be compared: give one row of "
                         "context");
    return take(self, context, err);
}

void weighing_close(weighing *self)
{
    free(self->x);
}

static int block(const weighing *self, double *log_w, pcg_stream stream, uint64_t first, size_t n,
                 flow_err *err)
{
    int code = flow_model_sample_tempered(self->model, self->pool, self->x, self->log_q,
                                          self->context, stream, first, n, self->temperature, err);
    if (!code)
        code = reference_log_p(self->against, self->pool, log_w, self->x, self->context, n, first,
                               err);
    for (size_t r = 0; r < n && !code; r++)
        log_w[r] -= self->log_q[r];
    return code;
}

int weighing_rows(const weighing *self, double *log_w, double *x, pcg_stream stream, uint64_t first,
                  size_t n, flow_err *err)
{
    size_t dim = flow_dim(self->model->flow);
    int code = 0;
    for (size_t row = 0; row < n && !code; row += BLOCK) {
        size_t rows = n - row < BLOCK ? n - row : BLOCK;
        code = block(self, log_w + row, stream, first + row, rows, err);
        if (!code && x)
            memcpy(x + row * dim, self->x, rows * dim * sizeof *x);
    }
    return code;
}

int weighing_tell(student_diagnostics *out, const double *log_w, size_t n, const char *of,
                  flow_err *err)
{
    student_diagnostics d;
    const student_log_weights in = {.reverse = log_w, .n_reverse = n, .log_z = NAN};
    int code = student_diagnose(&d, &in, err);
    if (code)
        return code;
    if (out)
        *out = d;
    notice_note("%zu %s: effective %.0f (k-hat %.2f), log Z %.5g +- %.2g", n, of,
                d.ess_reverse.value * (double)n, d.psis.khat, d.log_z.value, d.log_z.se);
    if (d.psis.khat > d.psis.threshold && d.ess_reverse.value < STUDENT_EVEN)
        notice_warning("the weights' tail is heavy (k-hat %.2f, beyond %.2f): the target has mass "
                       "where the sampler hardly goes, and nothing that is made of them is exact",
                       d.psis.khat, d.psis.threshold);
    return 0;
}
