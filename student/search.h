/* student/search.h -- how many steps a student that follows its teacher needs, and what smaller ones are worth.
 *
 * Untrained, T steps are the nearer to the teacher the larger T is (ladder.h). So the search goes up first, T = 1,
 * 2, ..., untrained, until a rung passes. Then down from one below it, each T starting as its teacher and
 * trained, layer by layer and as a whole, for as long as they pass; if already the first does not, the rung that
 * passed untrained is trained. The smallest T that passed is taken. Where the width is to be found, too, networks are
 * halved from there, each size trained, for as long as they pass, and the narrowest that passed is taken. From it the
 * student can be shrunk: fewer steps, narrower networks, whether they pass or not. Every rung on the way is kept, to be compared.
 *
 * What passing is, and how a student is trained, is the caller's. The same answers give the same search, so that one that
 * was stopped is made again out of what is kept of it, up to there. */
#ifndef STUDENT_SEARCH_H
#define STUDENT_SEARCH_H

#include "student/ladder.h"

enum {
    STUDENT_SEARCH_MOST = 16,
    STUDENT_SEARCH_HALVINGS = 6
}; /* steps up, and halvings down, that it goes to */

/* In the order in which they were measured. */
typedef struct student_rungs {
    student_rung *at; /* (n) */
    size_t n, capacity;
    size_t taken; /* the rung of the student that is handed over */
} student_rungs;

void student_rungs_release(student_rungs *self);

typedef struct student_searching {
    const flow *teacher;
    student_sides *sides; /* of the teacher in double */
    flow_unrolling how;   /* iterations 0: to be found; else those. width NaN: likewise */
    /* Shrinking, whether it passes or not: down to `fewest` steps (0: no fewer than were taken), and each of
     * these with networks half as wide, `halvings` times. */
    size_t fewest, halvings;

    bool (*passes)(void *arg, const student_rung *rung);
    /* Two trainings in place of a student that starts as its teacher, the second of what the first left; rung:
     * how and, to be filled, layers or training. Where the student passes after the first and not after
     * the second it is as after the first. layerwise may be NULL. */
    int (*layerwise)(void *arg, flow *student, student_rung *rung, flow_err *err);
    int (*train)(void *arg, flow *student, student_rung *rung, flow_err *err);
    /* A trained student that is not taken, before it is freed. */
    int (*aside)(void *arg, const flow *student, const student_rung *rung, flow_err *err);
    /* What is finished can be kept, and is then not made again: rung n of the list as it was measured, and its student,
     * NULL of one that is not trained. recall: *found, and both as they were kept; asked in their order, from 0 on, and a rung
     * may be asked for twice. NULL, both: nobody keeps anything. */
    int (*remember)(void *arg, size_t n, const student_rung *rung, const flow *student,
                    flow_err *err);
    int (*recall)(void *arg, bool *found, size_t n, student_rung *rung, flow *student,
                  flow_err *err);
    void *arg;
} student_searching;

/* *taken, the caller's, is the student. If no T passes it is the largest that was tried: the caller's judge will
 * say so. rungs is filled, to be released also after an error. Errors: those of the callbacks, of
 * flow_unroll, of the target; FLOW_ENOMEM. After FLOW_ESTOPPED *taken is the student that is there, trained
 * as far as it got. err is not NULL. */
int student_search(const student_searching *self, flow **taken, student_rungs *rungs,
                   flow_err *err);

#endif
