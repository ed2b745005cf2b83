/* student/against_data.h -- a teacher held against its data: its own samples beside rows that no fit saw. A student that
 * is perfect is only as right as its teacher.
 *
 * Two samples: distances between rows of the teacher and held-out rows, each beside its permutation null (two_sample.h).
 * Columns are first put into robust units, (x - median) / (interquartile range / 1.349) of the held-out rows, their
 * standard deviation where that range is 0, and cut at +- STUDENT_ROBUST_CUT: so one row in a million sigmas neither
 * hides the other rows nor drowns them. A conditional teacher is asked at held-out contexts, and the columns of
 * the context are compared with the others: a teacher that does not heed its context has the right columns and the wrong
 * pairs.
 *
 * Moments are those of moments.h, in the units of the flow. Ranges are over all rows of the data, no part of which a
 * good teacher leaves much: of n rows a new one is outside with chance 2 / (n + 1) in each column.
 *
 * Tails (tails.h) are held against all rows as well: the test rows alone have too few of them far out to say anything, and a
 * teacher that goes too far, or not far enough, does so beside the rows that it has learnt, too. Rows that it knows can
 * only make it look better there. Of a conditional teacher it is the held-out rows, at whose contexts it is asked.
 *
 * Likelihoods, in nats a row and the units of the flow: more on the training rows than on the test rows is overfitting, or a
 * table whose rows are sorted; and test rows that are training rows cannot show it. */
#ifndef STUDENT_AGAINST_DATA_H
#define STUDENT_AGAINST_DATA_H

#include "student/moments.h"
#include "student/sides.h"
#include "student/tails.h"
#include "student/two_sample.h"
#include "teacher/dataset.h"

#define STUDENT_ROBUST_CUT 10.0

/* A row is outside of a range when it is so by more than this share of the standard deviation of the column's data: a
 * density smears what the data have at one value, such as a largest count, to both of its sides. */
#define STUDENT_EDGE 0.1

/* A column: moments in the units of the flow, ranges in those of the user. */
typedef struct student_column {
    double mean, sd, lo, hi; /* of the teacher's samples */
    double data_mean, data_sd, data_lo,
        data_hi;    /* moments: of the held-out rows; range: of all rows */
    double outside; /* share of the teacher's samples outside of the data's range */
    double missed;  /* share of the data's rows outside of the range of the teacher's samples */
} student_column;

/* The worst column of a kind of share. */
typedef struct student_share {
    size_t column;
    double
        value; /* less what chance explains: STUDENT_CHANCE / n for a range of n rows; NaN: unknown */
} student_share;

/* 128 ends of ranges (64 columns) reach 8 / n or so together, when the two distributions are one. */
#define STUDENT_CHANCE 20.0

typedef struct student_against_data {
    size_t rows; /* held out; 0: nothing was compared, and all is NaN */
    student_two_sample sliced_w2, energy;
    student_moments_difference moments; /* student: the teacher's samples, reference: the data */
    size_t dim;
    student_column *columns; /* (dim) */
    student_share outside, missed;
    student_tails
        tails; /* of the teacher's samples beside all rows of the data; of a conditional teacher, held-out ones */
    double train_log_likelihood, train_se;
    size_t train_rows;
    double
        repeated; /* share of the test rows that are training rows: what a look at the table (teacher/look.h)
                        says, from whoever has it; NaN until then */
} student_against_data;

/* After student_sides_init. held_out: a part of data; of weighed rows some, drawn by their weights, are compared (thin.h). teacher: the flow as it was fitted, NULL if it is none.
 * FLOW_ENOMEM and what the flow says. err is not NULL. To be released also after an error. */
int student_against_data_measure(student_against_data *out, const student_sides *sides,
                                 const data_set *data, const data_part *held_out,
                                 const flow *teacher, flow_err *err);
void student_against_data_release(student_against_data *self);

/* All NaN. */
extern const student_against_data student_against_no_data;

#endif
