/* flow/units.h -- between the user's units x and the units u that a flow works in, column by
 * column. This is where a column's kind lives once the data are read: its support, grid and period.
 *
 *     FLOW_LINE     t = x                            or, of a period P, x moved by a multiple of P
 *                                                    into [cut, cut + P)
 *     FLOW_ABOVE    t = log(x - lo)                  x > lo
 *     FLOW_BELOW    t = -log(hi - x)                 x < hi
 *                   or, with soft > 0, log(exp(d / soft) - 1) for log d of the distance d from the end
 *     FLOW_BETWEEN  t = log(p / (1 - p)), p = alpha + (1 - 2 alpha) (x - lo) / (hi - lo)
 *     u = (t - shift) / scale
 *
 * The logit is that of Papamakarios, Pavlakou, Murray (2017), "Masked Autoregressive Flow for
 * Density Estimation", section 4.3 and appendix D, for values in an interval; with alpha > 0 its
 * ends stay finite. A half line has one of two maps. The logarithm turns a heavy tail (energies, masses) into one that a
 * flow can have, and a light one into one that it has not: what is a little beyond the data there is far beyond them in
 * x. The inverse of a softplus (Dugas, Belisle, Bengio, Nadeau, Garcia 2001, "Incorporating Second-Order Functional
 * Knowledge for Better Option Pricing") is that logarithm near the end, d = soft log(1 + e^t), and a straight line
 * beyond soft: the tail stays what it is. Which of both a column of a table has: teacher/link.h.
 *
 * Values that are rounded may lie on an end, where there is no t: one counts as `edge` further inside.
 *
 * A column with a step > 0 is a grid, x = origin + k step. A grid value stands for its cell
 * [x, x + step): the flow sees points of the cell, lo and hi bound the points and not the values.
 * The origin is lo, else hi, else 0. Densities of a grid count in steps, so that one is near the
 * probability of a cell: in a log-determinant its x is x / step.
 *
 * A column with a period is a circle. The flow has it on one (circle.h), u being an angle, with scale = P / (2 pi) and
 *
 *     u = 2 atan(stretch tan((t - shift) / (2 scale)))
 *
 * which makes values that gather about shift as even as a circle can have them (a Moebius map: what follows a
 * wrapped Cauchy law becomes uniform; McCullagh 1996, "Moebius transformation and Cauchy parameter
 * estimation"), as shift and scale do on a line. Or, `wrapped`, on a line: then the density on the circle is the flow's, q, wrapped round it, sum over k of
 * q(t + k P), which is periodic whatever q is. How cells and wrapped columns are made of points:
 * units_points.h. */
#ifndef FLOW_UNITS_H
#define FLOW_UNITS_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum flow_support { FLOW_LINE, FLOW_ABOVE, FLOW_BELOW, FLOW_BETWEEN } flow_support;

/* Zero but for scale: the identity. */
typedef struct flow_unit {
    flow_support support;
    double lo, hi; /* lo < hi; 0 where the support does not have them */
    double alpha;  /* FLOW_BETWEEN: 0 <= alpha < 1/2; else 0 */
    double
        soft; /* FLOW_ABOVE, FLOW_BELOW: > 0, linear beyond about so far from the end; 0: a logarithm */
    double edge;         /* so far inside does a value at the very end count; 0: it is outside */
    double step;         /* 0: a continuous column */
    double period;       /* FLOW_LINE only; 0: not periodic */
    bool wrapped;        /* of a period: the flow has the column on a line */
    double stretch;      /* of a period that is not wrapped, above 0; 0 is 1 */
    double cut, start;   /* samples are put into [start, start + period) */
    double shift, scale; /* scale > 0 */
} flow_unit;

typedef struct flow_units {
    size_t dim;
    flow_unit column[]; /* (dim) */
} flow_units;

/* The identity. */
flow_units *flow_units_create(size_t dim, flow_err *err);
void flow_units_free(flow_units *self);

/* u (n, dim) from x (n, dim); logdet (n) += log|det du/dx|, NULL: not wanted. u may be x. Of a grid
 * x is any point of a cell. A row outside the support gives NaN there: ask flow_units_first_outside
 * before. */
void flow_units_to_flow(const flow_units *self, double *u, double *logdet, const double *x,
                        size_t n);

/* x from u; logdet (n) += log|det dx/du|, of a grid that of the point. x may be u. Whatever number u is, x is
 * within [lo, hi], on the grid, in [start, start + period), and stays so when it is rounded to
 * single precision (to the rounded bounds; above 0 stays above 0). */
void flow_units_to_user(const flow_units *self, double *x, double *logdet, const double *u,
                        size_t n);

/* The first column of the user's row x (dim) outside its support (of a logit: not 0 < p < 1) or off
 * its grid, or dim if there is none. The density is 0 there. */
size_t flow_units_first_outside(const flow_units *self, const double *x);

/* Whether the flow has the column on a circle. */
static inline bool flow_unit_is_angle(const flow_unit *self)
{
    return self->period > 0 && !self->wrapped;
}
/* Sets scale, shift and cut of one: middle comes to u = 0. */
void flow_unit_set_angle(flow_unit *self, double middle);
/* Sets where u = 0 is and how far a small step of u goes there, in numbers of what the support is mapped to: of an
 * angle these are radians, and scale is 1 / stretch. */
void flow_unit_place(flow_unit *self, double shift, double scale);
/* u of such a number. */
double flow_unit_placed(const flow_unit *self, double t);
/* x of a column, in [start, start + period) if it has one. */
double flow_unit_wind(const flow_unit *self, double x);
/* u from t. */
double flow_unit_scaled(const flow_unit *self, double t);

/* What x of a column must be, for messages: "above 0", "between 0 and 1", "a number, in steps of 1 from
 * 0";
 * returns text. */
enum { FLOW_UNIT_TEXT = 96 };
const char *flow_unit_wants(char text[FLOW_UNIT_TEXT], const flow_unit *self);

/* The grid value that x is but for rounding (1e-6 of a step); NaN if it is none. */
double flow_unit_snap(const flow_unit *self, double x);

/* {"columns": [{"shift": 0.5, "scale": 2.0, "logit": {"lo": 0.0, "hi": 1.0, "alpha": 1e-6}}, ...]}
 * with "logit" only of FLOW_BETWEEN; "above": lo, "below": hi, with "softplus": soft beside either; "edge": 1e-3; "step": 1.0; "angle": {"period",
 * "cut", "start"} and "stretch": 1.7, and "circle" with the numbers of an angle that is wrapped; each absent
 * where there is none. Numbers survive the trip through text exactly.
 * to_json: a new reference, NULL if memory is out. from_json: FLOW_EDATA names column and key. */
json_t *flow_units_to_json(const flow_units *self);
flow_units *flow_units_from_json(const json_t *json, flow_err *err);

#endif
