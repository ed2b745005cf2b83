/* student/hunt.h -- what a student misses of a target that nobody can sample: where rows that were found without it have a
 * density that the student does not give them, and how much of the probability is there.
 *
 * A row is missed if log p~ - log q - log Z is above HUNT_NATS. They are looked for among rows of long chains on the target, from the
 * student's edge, and from far away (hunt_source.h). Missed rows fall into regions (pieces.h); a mixture of
 * Student's t on them, g (proposal.h), proposes rows of its own, by which
 *
 *   Z_missed = E_g [p~ / g, where missed],   Z_rest = E_q [p~ / q, where not],   mass = Z_missed / (Z_missed + Z_rest)
 *
 * Weights of the second are at most e^HUNT_NATS Z, by what missed means; those of the first have their ESS and k-hat. So
 * the mass does not hang on how chains share themselves among modes. Where g is of no use (its weights say so, or
 * regions are too many or too thin for it), the mass is the share of the chains' rows that are missed, and `weighed` says
 * which it is. Regions that no row was found in are not in it: it is what is missed at least.
 *
 * Source: Owen, Zhou 2000, "Safe and effective importance sampling". */
#ifndef STUDENT_HUNT_H
#define STUDENT_HUNT_H

#include "flow/units.h"
#include "student/hunt_source.h"

#include <math.h>

#define HUNT_NATS 3.0
enum {
    HUNT_REGIONS = 5, /* that are told of, those of the most mass */
    HUNT_COLUMNS = 3, /* of a region: those that are furthest out */
};

/* A column of the region's row of the highest density, in the user's units; distance: from the mean of the student's
 * samples, in their standard deviations, in the units of the flow. */
typedef struct hunt_column {
    size_t column;
    double value, distance;
} hunt_column;

typedef struct hunt_region {
    student_estimate mass; /* share of all probability */
    size_t rows;           /* of the chains */
    double nats;           /* log p~ - log q - log Z at its row of the highest density */
    size_t n_columns;
    hunt_column columns[HUNT_COLUMNS];
} hunt_region;

typedef struct student_hunt {
    size_t rows,
        missed; /* of the chains; of those, missed. 0 rows: there was no hunt, and figures are NaN */
    student_estimate mass; /* of all that is missed */
    bool weighed;          /* by proposals; else counted */
    double ess, khat;      /* of the proposals' weights: rows, shape; NaN: there were none */
    double log_z;          /* with what was found: log (Z_missed + Z_rest); NaN unless weighed */
    size_t pieces;         /* all that were told apart */
    size_t n_regions;      /* those that are told of; one where pieces are too many or too thin */
    hunt_region regions[HUNT_REGIONS];
    size_t evaluations;
} student_hunt;

/* None: all NaN, 0 rows. */
#define STUDENT_NO_HUNT                                                                            \
    {                                                                                              \
        .mass = {NAN, NAN}, .ess = NAN, .khat = NAN, .log_z = NAN                                  \
    }

/* What a hunt is given. */
typedef struct hunt_input {
    const student_sides *sides; /* after student_sides_meet */
    const flow *student;        /* in double, or rounded: of its densities (student_sides_ruler) */
    const flow *guide; /* the student in double: of its slopes, where chains are led by them */
    hunt_source
        found; /* rows of chains on the target, which know nothing of the student; borrowed, and their evaluations not counted */
    size_t chains;           /* how many chains */
    double log_z;            /* the target's own, or the best that is known */
    const flow_units *units; /* the user's; NULL: those of the flow */
    hunt_effort effort;
} hunt_input;

/* The same for any number of threads. Errors: the target's; FLOW_EDIVERGED: the student's density at a proposal is not a
 * number; FLOW_ENOMEM. */
int student_hunt_run(student_hunt *out, const hunt_input *in, flow_err *err);

/* What is missed for certain: the mass less three standard errors, or 0; NaN without a hunt. */
double student_hunt_least(const student_hunt *self);

#endif
