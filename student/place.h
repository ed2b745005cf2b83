/* student/place.h -- a student that begins where rows are: a linear map at its data end is set to their covariance, and
 * the components of a mixture base are placed among them by k-means. */
#ifndef STUDENT_PLACE_H
#define STUDENT_PLACE_H

#include "student/distill.h"

/* Of a student whose other layers are as they are at first, the identity but for orders of columns. Sets the last
 * layer, where it is lu_linear, so that N(0, I) has the rows' mean and covariance, whose correlations are shrunk by
 * D / (n + D) unless they are precise; then places, widths and shares of a mixture base; both of columns on lines alone. What is neither stays. The same for any
 * number of threads. FLOW_ENOMEM; what flow_log_prob says. */
int student_place(flow *student, flow_pool *pool, const distill_rows *rows, pcg_stream stream,
                  flow_err *err);

#endif
