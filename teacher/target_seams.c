#include "teacher/target_seams.h"

#include "teacher/streams.h"
#include "teacher/target_in_units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of log p~, relative to the larger one or 1: what is more is no slope between two neighbouring numbers. */
static const double JUMP = 1e-5;

typedef struct seams {
    const target *target;
    flow_units *units;
    void *work;
    double *x; /* (2 SEAM_ROWS, D): at the beginning of a turn, and at its end */
} seams;

/* Rows wherever they are, but for column j. */
static void lay_rows(const seams *s, size_t j)
{
    const pcg_stream stream = {.stage = STREAM_PROBE, .purpose = PCG_TARGET};
    const flow_unit *unit = &s->units->column[j];
    size_t dim = s->target->dim;
    pcg_normals(s->x, stream, 0, SEAM_ROWS, dim);
    flow_units_to_user(s->units, s->x, NULL, s->x, SEAM_ROWS);
    memcpy(s->x + SEAM_ROWS * dim, s->x, SEAM_ROWS * dim * sizeof *s->x);
    for (size_t r = 0; r < SEAM_ROWS; r++) {
        s->x[r * dim + j] = unit->start;
        s->x[(SEAM_ROWS + r) * dim + j] = nextafter(unit->start + unit->period, unit->start);
    }
}

static bool jumps(double a, double b)
{
    return isfinite(a) && isfinite(b) && fabs(a - b) > JUMP * fmax(1, fmax(fabs(a), fabs(b)));
}

static int check_seam(const seams *s, size_t j, flow_err *err)
{
    char text[TARGET_COLUMN_TEXT];
    double logp[2 * SEAM_ROWS];
    target_status status[2 * SEAM_ROWS];
    const flow_unit *unit = &s->units->column[j];
    lay_rows(s, j);
    int code = target_shard_log_density(s->target, logp, NULL, status, s->x, NULL, 2 * SEAM_ROWS,
                                        s->work, err);
    for (size_t r = 0; r < SEAM_ROWS && !code; r++)
        if (jumps(logp[r], logp[SEAM_ROWS + r]))
            code = flow_fail(err, FLOW_EDATA,
                             "column '%s' has no period of %.9g: log p~ is %.9g at %.9g and %.9g "
                             "just before %.9g; if it ends there, give it a support in place of "
                             "the period",
                             target_column(s->target, text, j), unit->period, logp[r], unit->start,
                             logp[SEAM_ROWS + r], unit->start + unit->period);
    return code;
}

static int check_all(const seams *s, flow_err *err)
{
    int code = 0;
    for (size_t j = 0; j < s->target->dim && !code; j++)
        if (s->target->kinds[j].period > 0)
            code = check_seam(s, j, err);
    return code;
}

static bool has_seams(const target *self)
{
    bool any = false;
    for (size_t j = 0; self->kinds && j < self->dim; j++)
        any |= self->kinds[j].period > 0;
    return any;
}

int target_check_seams(const target *self, flow_err *err)
{
    seams s = {.target = self};
    if (!has_seams(self))
        return 0;
    s.units = target_support_units(self, err);
    s.work = s.units ? self->ops->work_create(self, 2 * SEAM_ROWS, err) : NULL;
    s.x = malloc(2 * SEAM_ROWS * self->dim * sizeof *s.x);
    int code = !s.work ? err->code
               : s.x   ? check_all(&s, err)
                       : flow_fail(err, FLOW_ENOMEM, "out of memory for rows of a target");
    if (s.work)
        self->ops->work_free(self, s.work);
    flow_units_free(s.units);
    free(s.x);
    return code;
}
