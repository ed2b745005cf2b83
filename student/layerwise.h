/* student/layerwise.h -- a student that starts as its teacher (flow/unroll.h), brought nearer layer by layer: what
 * comes before student_distill where T steps are far from enough.
 *
 * Layer k of the student, x = S(u), and the teacher's that it stands for, w = T(x), should be inverses. From the
 * noise on, each S is trained by itself, the others as they are, to bring
 *
 *     E 1/2 |T(S(u)) - u|^2
 *
 * down, u being rows of the student's own on their way through it. That is a regression on the fixed point of the
 * layer's iteration, measured where it is noise. For u ~ N(0, I) and w = u + e it is the first half of the
 * pair's KL to second order, 1/2 E (|e|^2 + sum_i (de_i / du_i)^2); the gradient of the half has no slope of a
 * density in it, passes through one layer of each and is 0 in every row where S is the inverse. What it
 * leaves out, and how errors add up over layers, is for student_distill to see to.
 *
 * The error is 0 at the inverse whatever u is drawn from. So every other row has one column of its noise
 * stretched: what the student does far out, where its own rows come once in a thousand, is learnt with the
 * rest, and is what forward ESS stands or falls with (as defensive mixtures: Hesterberg 1995).
 *
 * The same flows, options and seed give the same bits for any number of threads, in one go or kept and taken up again
 * on the way (flow/keeper.h). */
#ifndef STUDENT_LAYERWISE_H
#define STUDENT_LAYERWISE_H

#include "student/distill.h"

/* Rows that u is kept for, up to 64 columns; of more columns fewer, so that there are no more numbers. */
enum { LAYERS_ROWS = 32768, LAYERS_FEWEST = 2048 };

typedef struct student_layers_options {
    size_t batch, steps; /* of every layer; steps > 0 */
    size_t rows;         /* that u is kept for, gone through again and again; 0: as above */
    size_t shard;        /* rows; 0: auto (lanes.h) */
    double lr;           /* cosine to 0. 0: auto, by how far the student is (ruler.h) */
    size_t warmup;       /* steps */
    double clip, average;
    double
        widen_by; /* factor on the stretched columns, >= 1; not used where the base has an edge */
    uint64_t seed;
    int (*stop)(void);         /* asked after every step; non-zero stops there. NULL: never */
    const flow_keeper *keeper; /* NULL: nobody. Its errors stop it */
} student_layers_options;

typedef struct student_layers_state {
    size_t layer, layers;   /* in work, or all; in all */
    size_t step;            /* of it, done */
    size_t trained, better; /* layers that were not inverses already; of those, that came nearer */
    double kl_before,
        kl_after;  /* reverse KL of the whole student, on the same own rows (ruler.h) */
    int went_back; /* the second was not the smaller: nothing was changed */
} student_layers_state;

/* Called every DISTILL_PROBE steps of a layer. */
typedef void (*student_layers_watch)(void *arg, const student_layers_state *state);

/* Trains the layers of a student that flow_unroll made of this teacher, of any width; tied or not. A layer
 * keeps its weights if the training brought it no nearer or did not stay finite, and so does the student as a
 * whole. Everything is borrowed; watch may be NULL. Errors: FLOW_EUSAGE: not a student of that teacher;
 * FLOW_EDATA: no contexts for a teacher that wants one; FLOW_ENOMEM; what the target said: the student is
 * then as it was. FLOW_ESTOPPED: as good as it got. err is not NULL. */
int student_distill_layers(flow *student, student_layers_state *state, const flow *teacher,
                           flow_pool *pool, const distill_contexts *contexts,
                           const student_layers_options *options, student_layers_watch watch,
                           void *arg, flow_err *err);

#endif
