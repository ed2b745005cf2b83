/* pipeline/report/verdict_parts.h -- the parts of validation.json, for verdict.c. Each is a new reference, NULL if out of
 * memory (flow/json.h). */
#ifndef PIPELINE_REPORT_VERDICT_PARTS_H
#define PIPELINE_REPORT_VERDICT_PARTS_H

#include "pipeline/report/judge.h"
#include "pipeline/report/verdict.h"

#include <stdio.h>

/* Into *out: the figures made of log weights. */
void verdict_set_weights(json_t **out, const student_diagnostics *weights);

json_t *verdict_estimate(student_estimate e);
json_t *verdict_broken(const broken_rows *rows);
json_t *verdict_modes(const student_validation *figures);
json_t *verdict_worst_mode(const student_validation *figures);
json_t *verdict_chain(const student_against_chain *chain, const char *const *names);
json_t *verdict_hunt(const student_hunt *hunt, const char *const *names);
json_t *verdict_uncovered(const verdict_input *in);
json_t *verdict_speed(const student_speed *speed, const verdict_price *price, double chain_seconds);

/* Seconds of a processor for a row: in the target, and in all else that a training does; NaN: it asked for none. */
double verdict_target_row(const verdict_price *price);
double verdict_own_row(const verdict_price *price);

/* ref: what the side that samples are held against is called: "teacher", "data"; own: the other. */
json_t *verdict_moments(const student_moments_difference *moments, const char *own, const char *ref,
                        const char *const *names);
json_t *verdict_two_samples(const student_two_sample *sliced_w2, const student_two_sample *energy,
                            const char *units, const char *ref);

/* null: nothing was compared. */
json_t *verdict_tails(const student_tails *tails, const char *own, const char *ref,
                      const char *const *names);
/* " (column n, above 14: 27 of 50000 samples, 0 of 30000 of the data; the farthest 214 and 14)", as snprintf; ref: as the
 * text has it. */
int verdict_where_tails(char *out, size_t size, const student_tails *tails, const char *ref,
                        const char *const *names);

/* The teacher's own part: its likelihoods and itself against its data. */
json_t *verdict_teacher(const verdict_input *in);

/* " (phase, mode 1: 0.4 for 0.5)", as snprintf; nothing where no modes are known. */
int verdict_where_worst_mode(char *out, size_t size, const student_validation *figures);
/* " (tau = 0.1, -3 sd out; ...)", as snprintf: where the region of most mass is; nothing where there is none. */
int verdict_where_missed(char *out, size_t size, const student_hunt *hunt,
                         const char *const *names);
void verdict_print_hunt(FILE *to, const student_hunt *hunt, const char *const *names);

void verdict_print_modes(const student_validation *figures);

/* Into *list: a gate on shares that so few samples cannot tell. */
void verdict_warn_of_chance(json_t **list, const verdict_input *in);

/* Into *list: a rounded student of which something is not as it was asked for. */
void verdict_warn_of_network(json_t **list, const verdict_input *in, const judged *figures);

/* Whether a figure without a gate is beyond its limit. */
bool verdict_beyond(const verdict_input *in, const judged *figures, gate_figure which);

/* One line each: figures beyond their limits, and what else a reader should know. */
json_t *verdict_warnings(const verdict_input *in, const judged *figures);

#endif
