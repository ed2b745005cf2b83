/* student/hunt_source.h -- where a hunt (hunt.h) looks: rows found in one of several ways. */
#ifndef STUDENT_HUNT_SOURCE_H
#define STUDENT_HUNT_SOURCE_H

#include "student/sides.h"

typedef struct hunt_source {
    size_t n, dim;
    double *x, *log_p, *log_q; /* (n, D), (n), (n) */
    size_t evaluations;
} hunt_source;

/* Memory for n rows. FLOW_ENOMEM. */
int hunt_source_open(hunt_source *self, size_t n, size_t dim, flow_err *err);
void hunt_source_close(hunt_source *self); /* accepts one that was never opened, but is zero */

/* How much is looked at; the defaults are what a run takes. */
typedef struct hunt_effort {
    size_t edge_chains; /* of hunt_from_edge, EDGE_STATES states each */
    size_t wide_rows;   /* of hunt_from_afar */
    size_t told;        /* missed rows at most that are told into regions */
    size_t proposals;   /* of a round, in whose weights the mass is */
} hunt_effort;

/* So many times the default, at least a few of each. times > 0. */
hunt_effort hunt_effort_of(double times);

/* ---- the ways. After student_sides_meet; student, guide: as hunt_input has them. The same for any number of threads. Errors: the target's;
 * FLOW_ENOMEM. To be closed also after a failure. */

/* From the edge of what a student covers: chains that begin at those of its own samples where it has the least density for
 * the target's, and keep
 *
 *   log pi = log p~ + EDGE_PULL min(0, log p~ - log q - limit)
 *
 * where it misses, log p~ - log q > limit, that is the target itself; elsewhere it draws them there. What is next to what the
 * student covers is found in this way, as the neck of a funnel, which chains on the target hardly enter. All states, missed
 * or not, of `most` chains, or as many as there are samples. */
#define EDGE_PULL 2.0
#define EDGE_DECADES 2.0 /* of step sizes: edges are of all widths */
enum { EDGE_BURN = 80, EDGE_STATES = 10, EDGE_THIN = 2, EDGE_LEAPS = 5 };
int hunt_from_edge(hunt_source *out, const student_sides *sides, const flow *student,
                   const flow *guide, double limit, size_t most, flow_err *err);

/* From far away: rows annealed (annealed.h) from a normal that is WIDE_BY times as wide as the student's samples in each column. Of a
 * target that cannot be annealed from there, none. */
#define WIDE_BY 10.0
enum { WIDE_MOVES = 3 };
int hunt_from_afar(hunt_source *out, const student_sides *sides, const flow *student, size_t rows,
                   flow_err *err);

#endif
