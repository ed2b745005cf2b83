/* student/own_rows.h -- rows that a student draws, kept with both log-densities at each, to be learned from for
 * many steps: a buffer. */
#ifndef STUDENT_OWN_ROWS_H
#define STUDENT_OWN_ROWS_H

#include "student/term.h"

/* A share of the rows comes from noise that is stretched (flow_noise_temper). 0: none do. With `levels` above 1 half
 * of them are stretched by `by`, a quarter by by^2, ... and what is left by by^levels. */
typedef struct own_rows_width {
    double share, by;
    size_t levels; /* 0 is 1 */
} own_rows_width;

typedef struct own_rows {
    size_t n, dim, context;
    double *x, *contexts;  /* (n, D), (n, C); contexts NULL where C = 0 */
    double *log_q, *log_p; /* (n): log_p = -inf where the target has no density, or broke */
    double *log_r;         /* (n): of what they are drawn from; log_q unless some are wide */
    double *weight;        /* (n), sum 1 */
    double *up_to;         /* (n): sums of weight, the last one 1 */
} own_rows;

int own_rows_open(own_rows *self, size_t n, const term_scene *scene, flow_err *err);
void own_rows_close(own_rows *self); /* accepts one that was never opened, but is zero */

/* n new rows: rows number first .. first + n - 1 of the student's streams for buffers. Those that the target was
 * asked for, and where it broke, are counted. FLOW_EDIVERGED if there is none with a density. */
int own_rows_draw(own_rows *self, const term_scene *scene, const own_rows_width *width,
                  uint64_t first, term_sums *sums, flow_err *err);

/* Whether row number `row` of a stream is to be wide. */
int own_rows_is_wide(const own_rows_width *width, uint64_t row);

/* What a draw of wide rows is made of. Stretches those of the noise z (n, D), rows first .. first + n - 1 of a stream,
 * that are to be wide. */
int own_rows_stretch(const flow *student, const own_rows_width *width, double *z, uint64_t first,
                     size_t n, flow_err *err);

/* out (n) = log r - log q of rows whose noise, after that, is z (n, D), which is lost. work (n) */
int own_rows_mix(double *out, const flow *student, const own_rows_width *width, double *z,
                 double *work, size_t n, flow_err *err);

/* FLOW_ECONFIG if rows are to be wide and the student's base has no middle to stretch them from. */
int own_rows_check(const own_rows_width *width, const flow *student, flow_err *err);

/* After weight was filled in: own_rows_pick will follow it. */
void own_rows_weighed(own_rows *self);

/* Row number `row` of a batch of `rows` that follows the weights, with u in [0, 1) of the whole batch: one row
 * for each stretch 1 / rows of the sums of the weights (systematic resampling: Kitagawa 1996). */
size_t own_rows_pick(const own_rows *self, size_t row, size_t rows, double u);

/* E_q[log q - log p~] over the rows that have a density, and E_p[log p~ - log q] from their weights under p~ / q:
 * both of them up to log Z; *ess the effective share of all. */
void own_rows_figures(const own_rows *self, double *kl_reverse, double *kl_forward, double *ess);

void own_rows_pieces(own_rows *self, flow_pieces *pieces);

#endif
