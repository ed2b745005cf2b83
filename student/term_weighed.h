/* student/term_weighed.h -- what objectives on a buffer have in common: rows of the student's own, drawn and weighed
 * anew every so many steps, and -sum weight log q at fixed x in between, which asks the target for nothing. How they
 * are weighed is the objective's: its term begins with this one. */
#ifndef STUDENT_TERM_WEIGHED_H
#define STUDENT_TERM_WEIGHED_H

#include "student/own_rows.h"

typedef struct term_weighed term_weighed;

struct term_weighed {
    objective_term base;
    size_t buffer, every; /* rows; steps */
    own_rows_width width;
    /* Fills rows.weight, sum 1, from the densities of the rows. */
    int (*weigh)(term_weighed *self, flow_err *err);
    own_rows rows;
    struct {
        double kl_reverse, kl_forward, ess; /* of the buffer */
        double first, second;               /* the objective's own figures */
        uint64_t filled;                    /* whether there are rows */
    } now;
    double u;     /* where a batch starts in the sums of the weights */
    size_t batch; /* of the step in work */
};

/* What is left to the objective: name, doc, remedy, report and free. */
unsigned term_weighed_needs(const objective_term *self);
double term_weighed_weight(const objective_term *self, double share);
int term_weighed_check(objective_term *self, const flow *student, const target *teacher,
                       flow_err *err);
int term_weighed_open(objective_term *self, const term_scene *scene, flow_err *err);
int term_weighed_before_step(objective_term *self, const term_step *at, flow_err *err);
int term_weighed_shard(const objective_term *self, term_shard *s, flow_err *err);
void term_weighed_pieces(objective_term *self, flow_pieces *pieces);

#define TERM_WEIGHED_OPS                                                                           \
    .needs = term_weighed_needs, .weight = term_weighed_weight, .check = term_weighed_check,       \
    .open = term_weighed_open, .before_step = term_weighed_before_step,                            \
    .shard = term_weighed_shard, .pieces = term_weighed_pieces

/* Its figures into the state, and its rows back. */
void term_weighed_report(const term_weighed *self, distill_state *state);
void term_weighed_free(objective_term *self);

/* Keys of the parts of a course: fields start, polish of OPTIONS. */
#define TERM_PARTS_KEYS(OPTIONS, POLISH)                                                           \
    {FLOW_KEY(OPTIONS, start),                                                                     \
     .type = FLOW_KEY_REAL,                                                                        \
     .flags = FLOW_KEY_OPEN_MAX,                                                                   \
     .min = 0,                                                                                     \
     .max = 1,                                                                                     \
     .def = "0.1",                                                                                 \
     .unit = "share of the steps",                                                                 \
     .doc = "The first part of the training, by forward KL on the rows of a pilot, where there "   \
            "was one."},                                                                           \
    {                                                                                              \
        FLOW_KEY(OPTIONS, polish),                                                                 \
            .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, .min = 0, .max = 1, .def = POLISH,  \
            .unit = "share of the steps",                                                          \
            .doc = "The last part of it, by reverse KL with the estimator student.train.gradient." \
    }

/* And of the buffer: fields buffer and every as well. */
#define TERM_WEIGHED_KEYS(OPTIONS, POLISH)                                                         \
    {FLOW_KEY(OPTIONS, buffer),                                                                    \
     .type = FLOW_KEY_WHOLE,                                                                       \
     .min = 64,                                                                                    \
     .max = 1048576,                                                                               \
     .def = "8192",                                                                                \
     .unit = "rows",                                                                               \
     .doc = "Rows that the student draws at a time, to learn from."},                              \
        {FLOW_KEY(OPTIONS, every),                                                                 \
         .type = FLOW_KEY_WHOLE,                                                                   \
         .min = 1,                                                                                 \
         .max = 100000,                                                                            \
         .def = "32",                                                                              \
         .unit = "steps",                                                                          \
         .doc = "Steps on them before they are drawn anew."},                                      \
        TERM_PARTS_KEYS(OPTIONS, POLISH)

#endif
