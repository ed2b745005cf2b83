/* teacher/kinds.h -- the kinds of columns put to work on rows: values checked, noise added, the circle
 * cut. */
#ifndef TEACHER_KINDS_H
#define TEACHER_KINDS_H

#include "teacher/pass.h"

/* How rows of a table become points of a flow, before shift and scale. */
typedef struct data_points {
    const char *source;     /* what messages call the table */
    const data_kind *kinds; /* (D) */
    bool wrap;              /* periodic columns are wrapped */
    uint64_t seed;
    flow_units *
        units; /* (D): the maps, with shift 0 and scale 1; half lines are logarithms until link.h says else */
    flow_units *some;     /* (up to D): those of the columns at work */
    double *noise;        /* (D) of a row */
    bool smears, spreads; /* noise that only blurs, and that of a grid; some column has it */
} data_points;

/* The maps, by the kinds (D), which are kept, and, where those need it, by one look at the rows: how near they come to the
 * ends of a support, and where a circle is emptiest. FLOW_ECONFIG: a kind that is none; FLOW_EDATA: too many rows on an
 * end. To be released also after an error. */
int data_points_init(data_points *self, file_stream *rows, const data_plan *plan,
                     const data_kind *kinds, bool wrap, uint64_t seed, const char *source,
                     flow_err *err);
void data_points_release(data_points *self);

/* t (at->n, k) = columns first .. first + k - 1 of the points that the rows stand for. What is of a step gets its noise, which
 * depends on the row of the table alone. Each row's wrapped columns are cut a little before or after the cut, at its own draw of
 * where: the density of the rows then ends in ramps that a flow can follow and not in steps, and, wrapped round, it is
 * the same. FLOW_EDATA: row, column and value that are outside of their kind. */
int data_points_take(data_points *self, double *t, const data_pass *at, size_t first, size_t k,
                     flow_err *err);

/* Shift, scale and stretch of an angle from the values t (n): their mean direction comes to 0, and half of them are
 * half a radian away at least, so that the pieces of a spline can tell them apart. More would be more even, and
 * bend what columns have to do with one another. t is written over. */
void data_kinds_fit_angle(flow_unit *unit, double *t, size_t n);

#endif
