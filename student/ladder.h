/* student/ladder.h -- students unrolled from their teacher (flow/unroll.h; mathematics-layers 12), from small
 * to large, and what each is worth: its figures against the teacher, and how fast it is. Each is a rung. */
#ifndef STUDENT_LADDER_H
#define STUDENT_LADDER_H

#include "flow/round.h"
#include "flow/unroll.h"
#include "student/layerwise.h"
#include "student/sides.h"

#include <stdbool.h>

typedef struct student_rung {
    flow_unrolling how;          /* its size */
    bool trained;                /* or as it starts */
    bool layerwise;              /* layer by layer alone */
    student_layers_state layers; /* if it is trained: what came first. layers = 0: nothing did */
    distill_state training;      /* and then; steps = 0: nothing did */
    bool wild; /* some of its samples are not finite, or the teacher is not at too many of them */
    student_diagnostics weights; /* NaN throughout if it is wild, as the next two are */
    double mode_share_error;     /* validate.h; NaN also where no modes are known */
    double roundtrip;            /* likewise */
    double rows_per_s;           /* samples with log q, in batches */
    double row_seconds;          /* one sample a call */
} student_rung;

/* Fills *out, but for how and trained, with the figures of a student. sides: of its teacher in double. Errors:
 * the target's, but that it breaks at too many of the student's rows, which is wild; FLOW_ENOMEM. err is not
 * NULL. */
int student_rung_measure(student_rung *out, const flow *student, student_sides *sides,
                         flow_err *err);

/* The rung of T = iterations, not trained, in the teacher's own precision and of its size, its networks as `network` says
 * (flow/round.h): T times one network. Errors: those of flow_unroll and flow_round, too, but for samples that are not finite. */
int student_rung_climb(student_rung *out, const flow *teacher, size_t iterations,
                       flow_network network, student_sides *sides, flow_err *err);

/* What is good where nobody says otherwise: both KL at most so many nats, both ESS at least such a share. */
#define STUDENT_RUNG_KL 0.01
#define STUDENT_RUNG_ESS 0.95
bool student_rung_is_good(const student_rung *self);

/* As good, with a tenth of the KL: at .01 the shares of two far modes can be off by more than .05, which no other
 * figure shows; at .001 by .02. */
bool student_rung_is_fine(const student_rung *self);

#endif
