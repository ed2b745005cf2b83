/* teacher/look.h -- a look at a table before a flow is fitted to it: what each column is made of, which
 * columns are tied, which rows are repeated, whether the parts of the split are alike; and what of that
 * ruins a density.
 *
 * A density has a maximum only where no value, no row and no combination of columns comes back exactly: a
 * copied column, a sum beside its parts, a count that is not dequantised, or a row that is in training and
 * in validation lets the likelihood grow without end. What is certain to ruin a fit is an error, what is
 * likely to is a warning; what is worth saying in the config is a note.
 *
 * All of it is deterministic. Least, largest, mean and spread are of all rows in use; what has to be sorted
 * is of at most LOOK_ROWS of them, at even distances in each part, and repeats are counted among so
 * many rows chosen by what they hold, so that all copies of a row are chosen or none. Columns are looked at one
 * after another (walk.h); nothing is as large as half of the table. */
#ifndef TEACHER_LOOK_H
#define TEACHER_LOOK_H

#include "teacher/dataset.h"

enum { LOOK_ROWS = 1 << 18 };

typedef enum look_level { LOOK_NOTE, LOOK_WARNING, LOOK_ERROR } look_level;

/* Values of one column, in the units of the table. */
typedef struct look_column {
    size_t col; /* of the table */
    bool context;
    double min, max, mean, sd;
    double q1, median, q3;
    double spread;     /* standard deviation without the farthest thousandth on either side */
    double low, high;  /* how far min and max are from the median, in (q3 - q1) / 1.349 */
    double gap;        /* smallest difference between two values; 0: there is one value */
    double step;       /* all values are on a grid of this step; 0: on none that is seen */
    double mode;       /* the commonest value */
    double mode_share; /* of the rows */
    double coincide;   /* probability that two rows have the same value */
    double edge[2]; /* where rows end abruptly below and above, or shares end; NaN: they thin out */
    double period;  /* by the range or the name of the column; 0: it does not look like an angle */
    bool fixed;     /* one value up to rounding */
    bool monotone;  /* rows are in the order of this column */
    double drift;   /* largest distance between the distribution functions of the training rows and
                          of validation or test rows (Kolmogorov, Smirnov), whichever is farther */
    size_t distinct;  /* values that differ, of those looked at */
    size_t looked_at; /* rows whose values were sorted */
    size_t wild;   /* rows ten spreads or more beyond the farthest thousandth, if they are what the
                          standard deviation measures */
    bool tied;     /* follows from columns before it */
    char hint[96]; /* what data.columns should say of it, "step: 1"; or "" */
    size_t wild_row; /* the farthest of them, of the table */
    double wild_value;
} look_column;

typedef struct look_rows {
    size_t n;       /* rows in use */
    size_t dropped; /* rows that are not finite */
    double repeats; /* share of the rows that another one before them equals */
    double across;  /* share of validation and test rows that a training row equals */
    double
        tested; /* share of the test rows alone; NaN: there are none, or columns of few values make
                             rows that repeat by themselves */
    double chance; /* pairs of equal rows that there would be if columns were independent, over
                             those there are; 0: there are none */
    size_t first, second; /* rows of the table: a training row and its copy; equal: there is none */
} look_rows;

typedef struct look_finding {
    look_level level;
    const char *kind; /* "integers", "tied_columns", ... */
    size_t col;       /* of the table; LOOK_NO_COLUMN */
    char text[400];   /* what, where, how many */
    char remedy[300]; /* keys of the config to set, or what to do with the file */
} look_finding;
#define LOOK_NO_COLUMN SIZE_MAX

typedef struct data_look {
    look_column *columns; /* (n_columns): of the data, then of context */
    size_t n_columns, dim;
    look_rows rows;
    size_t n_train, n_valid, n_test;
    bool drifts;            /* rows are split by their position, and their parts are not alike */
    look_finding *findings; /* (n_findings), errors first */
    size_t n_findings;
    char suggestion
        [600]; /* "data.columns: {...}": all columns, each with its hint; "": there is none, or
                             columns have kinds already, or there are too many */
} data_look;

/* At the rows that a plan by the same options says. FLOW_ENOMEM, and what the stream says. */
data_look *data_look_at(file_stream *rows, const data_plan *plan, const char *source,
                        const data_options *options, flow_err *err);

/* As data_set_create would use the table; it fails where columns or rows cannot be chosen at all. */
data_look *data_look_create(const file_table *table, const char *source,
                            const data_options *options, flow_err *err);
void data_look_free(data_look *self); /* accepts NULL */

/* FLOW_EDATA with the first error, its remedy and how many more there are; FLOW_OK if there is none. */
int data_look_judge(const data_look *self, const char *source, flow_err *err);

#endif
