/* flow/quantile.h -- inverses of distribution functions: where a point of the unit interval lies under a density. All of
 * u in (0, 1); NaN in, NaN out. */
#ifndef FLOW_QUANTILE_H
#define FLOW_QUANTILE_H

#include <stddef.h>

/* Of N(0, 1), within 1e-15 relative: Wichura 1988, "Algorithm AS 241: The Percentage Points of the Normal Distribution". */
double flow_normal_quantile(double u);

/* Of Student's t with dof > 0 degrees of freedom, within 1e-12 relative of the u that it stands for: Newton's method on the
 * log of the smaller tail, an incomplete beta function (DLMF 8.17.22). */
double flow_student_t_quantile(double u, double dof);

/* Of a mixture of normals: weight (n) >= 0, of any sum above 0, mean and sd (n). Newton's method between the quantiles of its
 * components, within 1e-14 of the distribution function. */
double flow_mixture_quantile(double u, const double *weight, const double *mean, const double *sd,
                             size_t n);

#endif
