#include "teacher/broken.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

int broken_is_point(const double *x, size_t dim)
{
    int finite = 1;
    for (size_t i = 0; i < dim; i++)
        finite &= isfinite(x[i]) != 0;
    return finite;
}

void broken_note(broken_rows *self, uint64_t row, double log_p, const double *x, size_t dim)
{
    if (self->count++ > 0)
        return;
    self->row = row;
    self->log_p = log_p;
    self->dim = dim;
    for (size_t i = 0; i < dim && i < BROKEN_SHOWN; i++)
        self->x[i] = x[i];
}

void broken_add(broken_rows *self, const broken_rows *later)
{
    uint64_t count = self->count + later->count;
    if (self->count == 0)
        *self = *later;
    self->count = count;
}

const char *broken_text(char *text, const broken_rows *self)
{
    size_t shown = self->dim < BROKEN_SHOWN ? (size_t)self->dim : BROKEN_SHOWN;
    int at = snprintf(text, BROKEN_TEXT, "log p is %.6g%s at row %" PRIu64 ", x = (", self->log_p,
                      isfinite(self->log_p) ? " and its gradient broke" : "", self->row);
    for (size_t i = 0; i < shown; i++)
        at += snprintf(text + at, BROKEN_TEXT - (size_t)at, "%s%.6g", i ? ", " : "", self->x[i]);
    snprintf(text + at, BROKEN_TEXT - (size_t)at, "%s)", self->dim > shown ? ", ..." : "");
    return text;
}

int broken_check(const broken_rows *first, uint64_t broken, uint64_t rows, const char *where,
                 flow_err *err)
{
    char text[BROKEN_TEXT];
    if (!((double)broken > BROKEN_SHARE * (double)rows))
        return 0;
    return flow_fail(err, FLOW_EDATA,
                     "%s: the target broke at %" PRIu64 " of %" PRIu64
                     " rows, more than a share of %g; the first: %s",
                     where, broken, rows, BROKEN_SHARE, broken_text(text, first));
}
