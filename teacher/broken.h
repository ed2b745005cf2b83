/* teacher/broken.h -- rows where a target broke: counted, the first one remembered, and too many of
 * them refused. */
#ifndef TEACHER_BROKEN_H
#define TEACHER_BROKEN_H

#include "flow/err.h"

#include <stddef.h>
#include <stdint.h>

/* What is done with the other rows is only true of a target without its broken rows: so more than this
 * share of BROKEN_WINDOW rows, or of all where there are fewer, is an error. */
#define BROKEN_SHARE 0.05
enum { BROKEN_WINDOW = 4096 };

enum { BROKEN_SHOWN = 4 }; /* coordinates that are remembered */

typedef struct broken_rows {
    uint64_t count;
    uint64_t row; /* of the first, as it was counted; what follows is that row's, too */
    double log_p; /* finite: it was the gradient that broke, or the target said so */
    double x[BROKEN_SHOWN];
    uint64_t dim; /* D */
} broken_rows;

/* Whether all of x (dim) is finite. Elsewhere it is not the target that broke: who asked did. */
int broken_is_point(const double *x, size_t dim);

/* One more, at x (dim). */
void broken_note(broken_rows *self, uint64_t row, double log_p, const double *x, size_t dim);

/* Those of `later` on top, which were met after those of self. */
void broken_add(broken_rows *self, const broken_rows *later);

/* "log p is nan at row 17, x = (0.3, -1.2, ...)"; count > 0. Returns text. */
enum { BROKEN_TEXT = 240 };
const char *broken_text(char *text, const broken_rows *self);

/* FLOW_EDATA, with what comes first in the message, if `broken` of `rows` rows are too many; `first` is
 * named. */
int broken_check(const broken_rows *first, uint64_t broken, uint64_t rows, const char *where,
                 flow_err *err);

#endif
