/* teacher/look_judge.c -- which figures of a column are bad news, and what to do about it. */
#include "teacher/look_findings.h"
#include "teacher/look_period.h"

#include <math.h>
#include <stdio.h>

enum {
    FEW_VALUES = 100, /* a spline flow of usual size can put a spike on each of so many values */
    ROWS_A_VALUE = 5  /* fewer rows for each: they differ as often as numbers do */
};
static const double coded = 0.001; /* share of the rows that are one far value */
static const double spike = 0.1;   /* share of the rows: a flow spends itself on them */

static bool is_whole(double x)
{
    return rint(x) == x;
}

static bool has_few_values(const look_column *of)
{
    return of->distinct <= FEW_VALUES && of->looked_at >= ROWS_A_VALUE * of->distinct;
}

/* ---- errors */

static void judge_fixed(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    char remedy[LOOK_REMEDY_SIZE], name[LOOK_NAME_SIZE];
    snprintf(remedy, sizeof remedy, "leave %s out of data.%s", look_word(name, self, i),
             of->context ? "context" : "columns");
    look_say(self, LOOK_ERROR, "constant", i, remedy, "is %.9g%s in all %zu rows", of->min,
             of->min < of->max ? " up to rounding" : "", self->out->rows.n);
}

/* ---- warnings */

/* Yes and no have no other values, and what was counted is not below 0. */
static void write_step(char *text, size_t size, const look_column *of)
{
    if (of->distinct == 2)
        snprintf(text, size, "%.6g, support: [%.12g, %.12g]", of->step, of->min, of->max);
    else if (of->min >= 0 && is_whole(of->step))
        snprintf(text, size, "%.6g, support: [0, inf]", of->step);
    else
        snprintf(text, size, "%.6g", of->step);
}

static void judge_few_values(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    char remedy[LOOK_REMEDY_SIZE], step[96], name[LOOK_NAME_SIZE];
    write_step(step, sizeof step, of);
    look_hint(remedy, self, i, "step", step);
    if (!(of->step > 0))
        snprintf(remedy, sizeof remedy, "data.context: [%s], or leave it out of data.columns",
                 look_name(name, self, i));
    look_say(self, LOOK_WARNING, of->step > 0 && is_whole(of->step) ? "integers" : "few_values", i,
             remedy, "has %zu different values in %zu rows%s: a density of them has no maximum",
             of->distinct, of->looked_at,
             of->step >= 1 && is_whole(of->step) ? ", whole numbers" : "");
}

static void judge_spike(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    char remedy[LOOK_REMEDY_SIZE], name[LOOK_NAME_SIZE];
    snprintf(remedy, sizeof remedy,
             "model the rows with and without it apart, or data.context: [%s]",
             look_name(name, self, i));
    look_say(self, LOOK_WARNING, "one_value", i, remedy,
             "is exactly %.6g in %.3g %% of the rows%s: a density of them has no maximum", of->mode,
             100 * of->mode_share,
             of->mode == of->min   ? ", its least value"
             : of->mode == of->max ? ", its largest value"
                                   : "");
}

static void judge_wild(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    const file_table *table = self->at.table;
    char row[FILE_LABEL_SIZE];
    look_say(self, LOOK_WARNING, "outliers", i,
             "leave such rows out, or set the field to nan and data.nonfinite: drop; if they are "
             "real: teacher.flow.base: {kind: student_t}",
             "has %zu row%s that make%s up its standard deviation of %.3g (%.3g without): %s is "
             "%.6g, where half of all are from %.4g to %.4g",
             of->wild, of->wild == 1 ? "" : "s", of->wild == 1 ? "s" : "", of->sd, of->spread,
             file_row_label(row, table, of->wild_row), of->wild_value, of->q1, of->q3);
}

/* One value of many rows, at an end, far from all others: -999 for what is not known. */
static bool has_code(const look_column *of)
{
    double far = of->mode == of->min ? of->low : of->mode == of->max ? of->high : 0;
    return of->mode_share >= coded && of->mode_share * (double)of->looked_at >= 5 && far > 30;
}

static void judge_code(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    look_say(self, LOOK_WARNING, "code", i,
             "if it stands for a missing value: write nan there, and data.nonfinite: drop",
             "is exactly %.6g in %.3g %% of the rows, and half of all are from %.4g to %.4g: is it "
             "a number?",
             of->mode, 100 * of->mode_share, of->q1, of->q3);
}

/* Both of its ends are full of rows, so that the seam is where a density is. */
static void judge_period(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    char remedy[LOOK_REMEDY_SIZE], period[32];
    bool sure = look_period_by_range(of) && !isnan(of->edge[0]) && !isnan(of->edge[1]);
    snprintf(period, sizeof period, "%.10g", of->period);
    look_hint(remedy, self, i, "period", period);
    look_say(self, sure ? LOOK_WARNING : LOOK_NOTE, "angle", i, remedy,
             "goes once round, from %.6g to %.6g%s", of->min, of->max,
             sure ? ", with many rows at either end: a density that does not close has a seam"
                  : "");
}

/* Contexts have no kinds: 0 and a whole turn are as far from one another as can be. */
static void judge_given_angle(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    bool sure = look_period_by_range(of) && !isnan(of->edge[0]) && !isnan(of->edge[1]);
    look_say(self, sure ? LOOK_WARNING : LOOK_NOTE, "given_angle", i,
             "data.context: two columns of the table instead, its cosine and its sine",
             "is given and goes once round, from %.6g to %.6g%s", of->min, of->max,
             sure ? ", with many rows at either end: what follows from it has a seam" : "");
}

/* ---- notes */

/* The support as data.columns wants it. A value at its very end would be outside: of two ends there is room
 * by alpha, of one the support begins a little before. */
static void write_support(char *text, size_t size, const look_column *of)
{
    double room = 0.01 * (of->q3 - of->q1), lo = of->edge[0], hi = of->edge[1];
    bool at_end = of->min <= lo || of->max >= hi;
    if (!isnan(lo) && !isnan(hi))
        snprintf(text, size, "[%.12g, %.12g]%s", lo, hi, at_end ? ", alpha: 1e-6" : "");
    else if (isnan(lo))
        snprintf(text, size, "[-inf, %.6g]", at_end ? hi + room : hi);
    else if (lo == 0 && !at_end)
        snprintf(text, size, "positive");
    else
        snprintf(text, size, "[%.6g, inf]", at_end ? lo - room : lo);
}

static void judge_edges(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    char remedy[LOOK_REMEDY_SIZE], support[96];
    write_support(support, sizeof support, of);
    look_hint(remedy, self, i, "support", support);
    if (!isnan(of->edge[0]) && !isnan(of->edge[1]))
        look_say(self, LOOK_NOTE, "edge", i, remedy, "ends at %.12g and at %.12g", of->edge[0],
                 of->edge[1]);
    else
        look_say(self, LOOK_NOTE, "edge", i, remedy, "ends at %.12g", of->edge[isnan(of->edge[0])]);
}

/* Far out on one side only, all of it positive: its logarithm is what a flow sees easily. */
static bool is_lopsided(const look_column *of)
{
    return of->min > 0 && of->high > 10 && of->high > 5 * of->low;
}

static void judge_tail(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    char remedy[LOOK_REMEDY_SIZE];
    look_hint(remedy, self, i, "support", "positive");
    look_say(self, LOOK_NOTE, "tail", i, remedy,
             "is positive and reaches %.3g times its usual spread up, %.3g down", of->high,
             of->low);
}

/* Its values are not the numbers that are scaled. */
static bool is_mapped(const data_kind *kind)
{
    return isfinite(kind->lo) || isfinite(kind->hi) || kind->period > 0;
}

/* ---- the order: of what is said of one column, the first that explains the others */

static void judge_shape(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    if (of->period > 0)
        judge_period(self, i);
    else if (!isnan(of->edge[0]) || !isnan(of->edge[1]))
        judge_edges(self, i);
    else if (is_lopsided(of))
        judge_tail(self, i);
}

static void judge_column(look_job *self, size_t i)
{
    const look_column *of = self->out->columns + i;
    if (of->fixed) {
        judge_fixed(self, i);
        return;
    }
    bool mapped = is_mapped(look_kind(self, i));
    if (of->wild > 0 && !mapped)
        judge_wild(self, i);
    if (has_code(of))
        judge_code(self, i);
    if (of->context && of->period > 0)
        judge_given_angle(self, i);
    if (of->context)
        return; /* what is given may have any other values */
    bool noisy = look_noise(self, i) > 0;
    if (has_few_values(of) && !noisy)
        judge_few_values(self, i);
    else if (of->mode_share > spike && !noisy)
        judge_spike(self, i);
    if (!mapped)
        judge_shape(self, i);
}

void look_judge_columns(look_job *self)
{
    for (size_t i = 0; i < self->out->n_columns; i++)
        judge_column(self, i);
}
