/* pipeline/config/gates.h -- the figures of a validation that validate.require can put a bound on. */
#ifndef PIPELINE_CONFIG_GATES_H
#define PIPELINE_CONFIG_GATES_H

#include "flow/err.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum gate_figure {
    GATE_KL_REVERSE,
    GATE_KL_FORWARD,
    GATE_JEFFREYS,
    GATE_ELBO,
    GATE_EUBO,
    GATE_LOG_Z_SIGMAS,
    GATE_NORMALISATION_SIGMAS,
    GATE_ESS_REVERSE,
    GATE_ACCEPTANCE,
    GATE_KHAT,
    GATE_UNWEIGHTING,
    GATE_UNWEIGHTING_MADNIS,
    GATE_OVER_WEIGHT,
    GATE_UNCOVERED_10,
    GATE_UNCOVERED_5,
    GATE_UNCOVERED_3,
    GATE_ESS_FORWARD,
    GATE_KHAT_FORWARD,
    GATE_MODE_SHARE_ERROR,
    GATE_MEAN_ERROR,
    GATE_SD_ERROR,
    GATE_CORRELATION_ERROR,
    GATE_TAIL_FACTOR,
    GATE_TWO_SAMPLE_SIGMAS,
    GATE_MISSED_MASS,
    GATE_CHAIN_RHAT,
    GATE_CHAIN_UNCOVERED_10,
    GATE_CHAIN_KL_FORWARD,
    GATE_CHAIN_ENERGY_ERROR,
    GATE_ROUNDTRIP,
    GATE_TEACHER_TEST_LOG_LIKELIHOOD,
    GATE_TEACHER_LIKELIHOOD_GAP,
    GATE_TEACHER_REPEATED_ROWS,
    GATE_TEACHER_TWO_SAMPLE_SIGMAS,
    GATE_TEACHER_MEAN_ERROR,
    GATE_TEACHER_SD_ERROR,
    GATE_TEACHER_CORRELATION_ERROR,
    GATE_TEACHER_TAIL_FACTOR,
    GATE_TEACHER_OUTSIDE,
    GATE_TEACHER_MISSED,
    GATE_STUDENT_ROWS_PER_S,
    GATE_STUDENT_ROW_SECONDS,
    GATE_COUNT
} gate_figure;

/* Whose figure it is. */
typedef enum gate_of {
    GATE_OF_RUNG,    /* every student's that is measured on the way */
    GATE_OF_STUDENT, /* the student's that is handed over */
    GATE_OF_TEACHER, /* which no student can change */
    GATE_OF_CLOCK    /* what the clock says and not the seed */
} gate_of;

/* What of the target a figure cannot be had without. */
enum { GATE_NEEDS_SAMPLER = 1, GATE_NEEDS_MODES = 2, GATE_NEEDS_LOG_Z = 4, GATE_NEEDS_CHAIN = 8 };

typedef struct gate_info gate_info;
struct gate_info {
    const char *name; /* the key under validate.require */
    const char *unit;
    bool small_is_good; /* so the bound is "< x" or "<= x"; else "> x" or ">= x" */
    gate_of of;
    unsigned needs;    /* GATE_NEEDS_... */
    bool fails;        /* a run that is beyond the limit fails, as if it were a gate */
    double limit;      /* the worst value that is good where no gate is given; NaN: there is none */
    const char *place; /* in validation.json, keys parted by dots */
    const char *doc;
    const char
        *beyond; /* what it means beyond the limit: a clause. NULL without a limit, as the next */
    const char *next; /* what to do then: a clause */
    const gate_info
        *said_by; /* if that is beyond its limit, too, this one has nothing to add; NULL: none */
};

extern const gate_info gate_figures[GATE_COUNT];

typedef enum gate_op { GATE_LT, GATE_LE, GATE_GT, GATE_GE } gate_op;

typedef struct gate {
    gate_figure figure;
    gate_op op;
    double bound;
} gate;

enum { GATE_TEXT = 40 };

/* The figure of that name, or GATE_COUNT. */
gate_figure gate_find(const char *name);

/* Whether a value keeps the limit, which a NaN does: what was not measured is not beyond anything. */
bool gate_within(const gate_info *self, double value, double limit);

/* "< 0.7" -> op, bound. FLOW_ECONFIG if it is not an operator and a finite number, or if the
 * operator asks for a bad value of the figure (khat > 0.7). */
int gate_parse(gate *out, gate_figure figure, const char *text, flow_err *err);

/* "< 0.7", the canonical text of the bound; out has GATE_TEXT bytes. */
void gate_print(char *out, const gate *self);

/* False for a value that is NAN: what could not be computed has not been shown. */
bool gate_holds(const gate *self, double value);

#endif
