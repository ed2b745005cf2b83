/* teacher/link.h -- whether a column on a half line has a logarithm or a softplus (flow/units.h), by its training rows.
 *
 * A flow goes on beyond the data about as its normal base does. So the tail that a link gives is that of a normal in the
 * link's numbers t, and it is compared where the rows show it: the line through the median (z = 0) and the quantile of
 * z = 1 is followed to the farthest of z = 2, 2.5, ... 4 that has DATA_LINK_FAR rows beyond, and
 *
 *     off = |log((d(line) - median) / (d(rows) - median))|,    d the distance from the end
 *
 * says how far from the rows' own quantile that is. The softplus, its soft being the median of d, is taken where it is
 * the nearer one; the logarithm where rows are too few for z = 2. Of a log-normal the logarithm is off by nothing, of
 * an exponential by 0.7 against 0.3. Nothing is drawn, so the same rows have the same link. */
#ifndef TEACHER_LINK_H
#define TEACHER_LINK_H

#include "teacher/column_kind.h"
#include "teacher/numbers.h"

enum { DATA_LINK_FAR = 15 };

/* unit: of a half line, as a logarithm, shift 0 and scale 1; its soft is set as said or found. t (n): the numbers that it
 * maps the rows to become those of the link. weight: (n, 1) of the rows, at NULL: all alike. At most 2^18 of the rows, at
 * even distances, are looked at. FLOW_ENOMEM. */
int data_link_fit(flow_unit *unit, data_link said, double *t, size_t n, const data_numbers *weight,
                  flow_err *err);

#endif
