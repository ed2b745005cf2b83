/* student/hunt_wide.c -- hunt_source.h: from far away. */
#include "student/hunt_source.h"

#include "student/annealed.h"
#include "student/covariance.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void widen(double *scale, const double *mean, const student_side *own, size_t dim)
{
    for (size_t i = 0; i < dim; i++) {
        double square = 0;
        for (size_t r = 0; r < own->n; r++)
            square += pow(own->x[r * dim + i] - mean[i], 2) / (double)own->n;
        scale[i] = square > 0 ? WIDE_BY * sqrt(square) : 1;
    }
}

static int take_rows(hunt_source *out, const annealed *rows, const student_sides *sides,
                     const flow *student, flow_err *err)
{
    int code = hunt_source_open(out, rows->n, rows->dim, err);
    out->evaluations = rows->evaluations;
    if (code)
        return code;
    memcpy(out->x, rows->x, rows->n * rows->dim * sizeof *out->x);
    memcpy(out->log_p, rows->log_p, rows->n * sizeof *out->log_p);
    return flow_log_prob(student, sides->pool, out->log_q, NULL, out->x, NULL, out->n, err);
}

static int anneal(hunt_source *out, const student_sides *sides, const flow *student,
                  const double *shift, const double *scale, size_t n, flow_err *err)
{
    annealed rows;
    flow_err why = FLOW_ERR_INIT;
    annealed_options o = annealed_options_default();
    o.rows = n;
    o.moves = WIDE_MOVES;
    o.shift = shift;
    o.scale = scale;
    o.stream = (pcg_stream){.seed = sides->seed, .stage = STREAM_HUNT_WIDE};
    int code = annealed_run(&rows, sides->teacher, sides->pool, &o, &why);
    if (!code)
        code = take_rows(out, &rows, sides, student, &why);
    annealed_close(&rows);
    if (code == FLOW_EDIVERGED)
        return 0;
    return code ? flow_fail(err, (flow_code)code, "%s", why.text) : 0;
}

int hunt_from_afar(hunt_source *out, const student_sides *sides, const flow *student, size_t rows,
                   flow_err *err)
{
    size_t dim = sides->dim;
    double *shift = malloc(2 * dim * sizeof *shift);
    *out = (hunt_source){.n = 0};
    if (!shift)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a start of %zu columns", dim);
    covariance_mean(shift, sides->own.x, sides->own.n, dim);
    widen(shift + dim, shift, &sides->own, dim);
    int code = anneal(out, sides, student, shift, shift + dim, rows, err);
    free(shift);
    return code;
}
