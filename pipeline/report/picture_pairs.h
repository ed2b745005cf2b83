/* pipeline/report/picture_pairs.h -- which columns of a table are worth a look together. */
#ifndef PIPELINE_REPORT_PICTURE_PAIRS_H
#define PIPELINE_REPORT_PICTURE_PAIRS_H

#include "pipeline/report/picture.h"

enum { PICTURE_CHOSEN = 3 }; /* pairs, at most */

/* One column: it twice, for bars. Otherwise the pairs across < up with the largest mutual
 * information, each as free of columns shown before as can be: a group of columns that repeat one
 * another would fill every row. The information is that between the ranks, cut in 8 classes, of up
 * to 4096 rows spread evenly (a rank correlation would miss rings and moons). Of more than 64
 * columns the first 64 are looked at. x (n, dim) is finite, dim >= 1; pairs has room for
 * PICTURE_CHOSEN. FLOW_ENOMEM. */
int picture_choose_pairs(picture_pair *pairs, size_t *n_pairs, const double *x, size_t n,
                         size_t dim, flow_err *err);

/* Each of the columns asked for with each of the others: by name, else by number from 0. pairs has room for them. FLOW_ECONFIG
 * names report.pairs and the column that there is not, or that is asked for twice. */
enum { PICTURE_ASKED = 6 }; /* columns, at most */
int picture_pairs_of(picture_pair *pairs, size_t *n_pairs, const char *const *asked, size_t n,
                     const char *const *names, size_t dim, flow_err *err);

#endif
