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
    GATE_ESS_REVERSE,
    GATE_ESS_FORWARD,
    GATE_KHAT,
    GATE_MODE_SHARE_ERROR,
    GATE_ROUNDTRIP,
    GATE_TEACHER_TEST_LOG_LIKELIHOOD,
    GATE_STUDENT_ROWS_PER_S,
    GATE_COUNT
} gate_figure;

typedef struct gate_info {
    const char *name; /* the key under validate.require */
    const char *unit;
    bool small_is_good; /* so the bound is "< x" or "<= x"; else "> x" or ">= x" */
    const char *doc;
} gate_info;

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

/* "< 0.7" -> op, bound. FLOW_ECONFIG if it is not an operator and a finite number, or if the
 * operator asks for a bad value of the figure (khat > 0.7). */
int gate_parse(gate *out, gate_figure figure, const char *text, flow_err *err);

/* "< 0.7", the canonical text of the bound; out has GATE_TEXT bytes. */
void gate_print(char *out, const gate *self);

/* False for a value that is NAN: what could not be computed has not been shown. */
bool gate_holds(const gate *self, double value);

#endif
