#include "student/uncovered.h"

#include "student/column_spread.h"

#include <math.h>
#include <stdlib.h>

/* Keeps the list in falling order; the least falls off its end. */
static void insert(student_uncovered *self, size_t row, double nats)
{
    size_t at = self->n;
    while (at > 0 && self->rows[at - 1].nats < nats)
        at--;
    if (at == STUDENT_UNCOVERED_ROWS)
        return;
    if (self->n < STUDENT_UNCOVERED_ROWS)
        self->n++;
    for (size_t i = self->n - 1; i > at; i--)
        self->rows[i] = self->rows[i - 1];
    self->rows[at] = (student_uncovered_row){.row = row, .nats = nats};
}

static void look_at_column(student_uncovered *self, const student_side *side, size_t dim,
                           size_t column)
{
    const column_spread s = column_spread_of(side->x, side->n, dim, column);
    for (size_t i = 0; i < self->n; i++) {
        student_uncovered_row *w = &self->rows[i];
        double x = side->x[w->row * dim + column], distance = s.sd > 0 ? (x - s.mean) / s.sd : 0;
        if (column > 0 && !(fabs(distance) > fabs(w->distance)))
            continue;
        w->column = column;
        w->value = x;
        w->distance = distance;
    }
}

static int put_into_user_units(student_uncovered *self, const student_sides *sides,
                               const flow_units *units, flow_err *err)
{
    const size_t d = sides->dim;
    double *x = malloc((d + 1) * sizeof *x);
    if (!x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a row of %zu columns", d);
    for (size_t i = 0; i < self->n; i++) {
        student_uncovered_row *w = &self->rows[i];
        flow_units_to_user(units, x, NULL, sides->theirs.x + w->row * d, 1);
        w->value = x[w->column];
    }
    free(x);
    return 0;
}

int student_uncovered_find(student_uncovered *out, const student_sides *sides, double log_z,
                           const flow_units *units, flow_err *err)
{
    const student_side *theirs = &sides->theirs;
    *out = (student_uncovered){.n = 0};
    for (size_t r = 0; r < theirs->n; r++) {
        double nats = theirs->log_p[r] - theirs->log_q[r] - log_z;
        if (theirs->status[r] == TARGET_FINITE && nats > student_uncovered_nats[0])
            insert(out, r, nats);
    }
    for (size_t j = 0; j < sides->dim && out->n > 0; j++)
        look_at_column(out, theirs, sides->dim, j);
    return units ? put_into_user_units(out, sides, units, err) : 0;
}
