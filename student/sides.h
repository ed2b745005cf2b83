/* student/sides.h -- rows of a student and rows of its teacher, with both log-densities at each: what every
 * figure is computed from.
 *
 * The student's own rows and their log q are what its user gets, in the student's precision.
 * Everything they are measured by is in double: the teacher's densities and draws, and the
 * student's density at the teacher's draws. (In single precision an inverse near a steep place of a
 * flow can be off by more than the flow itself is, and one such row in 50,000 ruins a forward ESS.) But for a student whose
 * networks are rounded, whose densities are its own everywhere.
 *
 * The teacher's rows and the contexts are drawn once; several students can be held against them. err is
 * not NULL here. */
#ifndef STUDENT_SIDES_H
#define STUDENT_SIDES_H

#include "student/diagnostics.h"
#include "student/distill.h"
#include "teacher/broken.h"
#include "teacher/target.h"

typedef struct student_side {
    double *x, *log_p, *log_q; /* (n, D), (n), (n) */
    target_status *status;     /* (n) */
    double *log_w;             /* (n_w) log p - log q, without the rows where the target broke */
    size_t n, n_w;
    broken_rows broken; /* those rows */
} student_side;

typedef struct student_sides {
    const target *teacher;
    flow_pool *pool;
    uint64_t seed;
    size_t n, dim;
    double *context;          /* (n, C) drawn at random from the given ones, NULL if C = 0 */
    student_side own, theirs; /* theirs.n is 0 if the target has no sampler, and never more than the
                                 different rows that it has */
} student_sides;

/* Memory, contexts and the teacher's n rows. teacher (in double) and pool are borrowed. Errors: what the
 * target said; FLOW_EDATA without contexts for a target that wants one; FLOW_ENOMEM. To be released
 * also after an error. */
int student_sides_init(student_sides *self, const target *teacher, flow_pool *pool,
                       const distill_contexts *contexts, size_t n, uint64_t seed, flow_err *err);
void student_sides_release(student_sides *self);

/* The student's n rows, and both densities everywhere. FLOW_EDATA: the target broke at too many rows
 * (broken.h). May be called again with another student. */
int student_sides_meet(student_sides *self, const flow *student, flow_err *err);

/* What a student's density at rows of others is taken from: precise, which is the student in double; or the student, if its
 * networks are rounded (flow/round.h): in double it is the flow that it was rounded from. */
const flow *student_sides_ruler(const flow *student, const flow *precise);

/* After meet. FLOW_EDIVERGED: the student gave numbers that are not finite (diagnostics.h). */
int student_sides_diagnose(const student_sides *self, student_diagnostics *out, flow_err *err);

/* The rows are addressed by (seed, STREAM_VALIDATE, purpose). */
pcg_stream student_sides_stream(const student_sides *self, pcg_purpose purpose);

#endif
