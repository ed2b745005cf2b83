/* A verdict from figures that are known, and how to look into the document that it becomes. */
#ifndef TESTS_PIPELINE_VERDICT_MADE_H
#define TESTS_PIPELINE_VERDICT_MADE_H

#include "pipeline/report/verdict.h"

/* What verdict_json is asked with, and what that points to. set_up fills them. */
extern student_validation figures;
extern student_column columns[2];
extern student_mode modes[2], teacher_modes[2];
extern student_tail tails[2][2], teacher_tails[2][2]; /* [column][above] */
extern config_gates require;
extern distill_state training;
extern verdict_input input;

/* What each figure's gate looks at. */
extern const double gate_values[GATE_COUNT];

/* Figures that are all different, so that none can stand for another. */
void set_up(void);

/* A new reference; never NULL. */
json_t *made(bool *pass);

/* The value at "a.b.2.c"; the second of a number. */
const json_t *at(const json_t *value, const char *path);
double number(const json_t *value, const char *path);
void expect_null(const json_t *value, const char *path);

#endif
