/* teacher/look_judge_rows.c -- rows and the split: which figures are bad news, and what to do about it. */
#include "teacher/look_findings.h"

#include <math.h>
#include <stdio.h>

static const double ruined = 0.5;    /* share of the held-out rows that are in training: an error */
static const double doubtful = 0.05; /* the same: a warning */
enum { TIMES_CHANCE = 100 };         /* equal rows, over those of independent columns */

enum { ROWS_A_COLUMN = 10, FEW_HELD_OUT = 100 };

/* ---- rows that come back */

/* Some column of the data is on no grid: its values come back with their rows only. */
static bool has_free_column(const look_job *self)
{
    bool found = false;
    for (size_t i = 0; i < self->out->dim; i++)
        found |= self->out->columns[i].step <= 0 && !self->out->columns[i].fixed;
    return found;
}

static bool all_noisy(const look_job *self)
{
    bool all = true;
    for (size_t i = 0; i < self->out->dim; i++)
        all &= look_noise(self, i) > 0;
    return all;
}

static void say_across(look_job *self, look_level level)
{
    const look_rows *rows = &self->out->rows;
    const file_table *table = self->at.table;
    char row[FILE_LABEL_SIZE], copy[FILE_LABEL_SIZE];
    size_t differ = (size_t)llround((1 - rows->repeats) * (double)rows->n);
    look_say(self, level, "rows_across_split", LOOK_NO_COLUMN,
             level == LOOK_ERROR
                 ? "keep one of each and count them in data.weights, or leave the copies out; "
                   "data.repeated: keep trains on them all the same"
                 : "keep one of each and count them in data.weights, or leave the copies out",
             "%.3g %% of the validation and test rows are training rows, too (%s is %s); %zu "
             "of %zu rows differ: they cannot stop the fit or judge it",
             100 * rows->across, file_row_label(copy, table, rows->second),
             file_row_label(row, table, rows->first), differ, rows->n);
}

static void judge_across(look_job *self)
{
    const look_rows *rows = &self->out->rows;
    bool free_column = has_free_column(self);
    bool by_chance = !free_column && rows->chance * TIMES_CHANCE > 1;
    if (rows->across < doubtful || by_chance || all_noisy(self))
        return;
    bool refused = self->options->repeated == DATA_REPEATED_ERROR;
    say_across(self, rows->across >= ruined && free_column && refused ? LOOK_ERROR : LOOK_WARNING);
}

static void judge_repeats(look_job *self)
{
    const look_rows *rows = &self->out->rows;
    const file_table *table = self->at.table;
    char row[FILE_LABEL_SIZE], copy[FILE_LABEL_SIZE];
    if (rows->across >= doubtful || rows->repeats < doubtful || !has_free_column(self))
        return;
    look_say(self, LOOK_WARNING, "repeated_rows", LOOK_NO_COLUMN,
             "keep one of each and count them in data.weights",
             "%.3g %% of the rows are copies of another one (%s is %s): a density of them "
             "has no maximum",
             100 * rows->repeats, file_row_label(copy, table, rows->second),
             file_row_label(row, table, rows->first));
}

/* Ten times as many different rows as there are training rows could be made of the values that the columns have. */
static bool rows_could_differ(const look_job *self)
{
    double rows = 1;
    for (size_t i = 0; i < self->out->dim; i++)
        rows *= (double)self->out->columns[i].distinct;
    return rows > 10 * (double)self->out->n_train;
}

void look_judge_rows(look_job *self)
{
    if (!has_free_column(self) || !rows_could_differ(self))
        self->out->rows.tested = NAN;
    judge_across(self);
    judge_repeats(self);
}

/* ---- the split */

/* Distance that rows drawn from one distribution exceed once in a million tables (Kolmogorov 1933), a
 * tenth at least: less than that is not a fault of the split. */
static double usual_drift(const data_look *of)
{
    double held =
        (double)(of->n_valid && of->n_test ? (of->n_valid < of->n_test ? of->n_valid : of->n_test)
                                           : of->n_valid + of->n_test);
    double tests = 2 * (double)of->n_columns;
    double bound = sqrt(log(2e6 * tests) / 2 * (1 / held + 1 / (double)of->n_train));
    return bound > 0.1 ? bound : 0.1;
}

static void judge_drift(look_job *self)
{
    data_look *of = self->out;
    size_t worst = 0, n = 0;
    if (self->options->split != DATA_SPLIT_POSITION || of->n_valid + of->n_test == 0)
        return;
    for (size_t i = 0; i < of->n_columns; i++) {
        n += of->columns[i].drift > usual_drift(of);
        if (of->columns[i].drift > of->columns[worst].drift)
            worst = i;
    }
    of->drifts = n > 0;
    if (n == 0)
        return;
    const look_column *c = of->columns + worst;
    look_say(
        self, LOOK_WARNING, c->monotone ? "sorted_rows" : "drift", worst, "data.split: seed",
        "%s: training rows and the rows after them are not alike (their distribution functions "
        "differ by %.2f%s)",
        c->monotone ? "is what the rows are sorted by" : "drifts along the table", c->drift,
        n > 1 ? "; other columns, too" : "");
}

static void judge_size(look_job *self)
{
    const data_look *of = self->out;
    if (of->n_train < ROWS_A_COLUMN * of->dim || of->n_train < ROWS_A_COLUMN * ROWS_A_COLUMN)
        look_say(
            self, LOOK_WARNING, "few_rows", LOOK_NO_COLUMN,
            "a small teacher.flow: {layers: 2, hidden: [16]}",
            "%zu rows to train on are few for %zu columns: a large network learns them by heart",
            of->n_train, of->dim);
    if (of->n_valid > 0 && of->n_valid < FEW_HELD_OUT)
        look_say(self, LOOK_WARNING, "few_held_out", LOOK_NO_COLUMN,
                 "data.valid: 0.3, or data.valid: 0 and few teacher.train.epochs",
                 "%zu validation rows decide when the fit stops, %zu test rows judge it: few",
                 of->n_valid, of->n_test);
}

void look_judge_split(look_job *self)
{
    judge_drift(self);
    judge_size(self);
}
