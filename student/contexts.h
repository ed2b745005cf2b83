/* student/contexts.h -- which contexts a conditional student is trained and judged for. */
#ifndef STUDENT_CONTEXTS_H
#define STUDENT_CONTEXTS_H

#include "flow/pcg.h"
#include "teacher/numbers.h"

#include <stddef.h>
#include <stdint.h>

/* Contexts that the student is trained for: rows of a table, drawn at random. (n, C); none
 * if C = 0. */
typedef struct distill_contexts {
    data_numbers rows;
    size_t n;
} distill_contexts;

/* to (n, c) = rows of them at random, by one generator: the first rows do not depend on n. There is at
 * least one to draw from. */
void distill_contexts_draw(const distill_contexts *self, double *to, size_t n, size_t c,
                           pcg_stream stream);

/* The same for rows first .. first + n - 1 of a stream, each by its own number. u: (n), to work in. */
void distill_contexts_of_rows(const distill_contexts *self, double *to, double *u, uint64_t first,
                              size_t n, size_t c, pcg_stream stream);

#endif
