/* pipeline/report/bank.h -- the rows that a report shows: of the data, the teacher and the student, in the user's units, and what the
 * student misses of the teacher. */
#ifndef PIPELINE_REPORT_BANK_H
#define PIPELINE_REPORT_BANK_H

#include "files/model.h"
#include "pipeline/plot/ink.h"
#include "student/contexts.h"
#include "teacher/dataset.h"
#include "teacher/target.h"

#include <stdint.h>

enum {
    BANK_ROWS = 50000,    /* of each, at most */
    BANK_WEIGHTS = 20000, /* rows whose weights are looked at, of each side */
    BANK_ASKED = 4000     /* the same of a target that is no flow: it may be slow */
};

/* Where they come from. */
typedef struct bank_source {
    const data_set *data;      /* NULL: a target is learnt from */
    const flow_model *teacher; /* of the data */
    const flow_model *student;
    const target *exact; /* what the student is held against, in double */
    bool exact_is_flow;
    const distill_contexts *contexts; /* of a target, in the units of its flow */
    const char *const *names;         /* (D) */
    size_t samples;                   /* of the validation: no more weights are looked at */
    double log_z;                     /* of the target, as far as it is known */
    const char *chain;                /* .npy of rows of long chains on it; NULL: there are none */
    double worth;                     /* independent rows that these are worth */
    flow_pool *pool;
    uint64_t seed;
} bank_source;

/* x NULL: there are none. */
typedef struct bank_rows {
    double *x; /* (n, D) in the user's units */
    size_t n;
    double *weight; /* (n), of sum n; NULL: all rows count alike */
    double worth;   /* independent rows that they are worth; 0: n */
} bank_rows;

/* log p - log q - log Z, nats. */
typedef struct bank_excess {
    double *at;
    size_t n;
} bank_excess;

typedef struct bank {
    size_t dim;
    const char *const *names;
    const flow_units *units;
    bank_rows data, teacher, student;
    /* Where the target cannot be sampled: rows of long chains, and samples of the student by p / q. */
    bank_rows chain, weighed;
    /* Samples of the teacher with an excess above the least of student_uncovered_nats. */
    bank_rows missed;
    bank_excess own, theirs; /* at samples of the student, and of the teacher */
} bank;

/* What is shown of a side. */
typedef struct bank_side {
    const char *name;
    const bank_rows *rows;
    plot_ink ink;
    double dash; /* points; 0: none */
} bank_side;

/* Those that there are, in the order in which they are shown: the first is what others are held against. Returns how many. */
enum { BANK_SIDES = 4 };
size_t bank_sides(bank_side out[BANK_SIDES], const bank *self);

/* Up to BANK_ROWS rows of the data, spread evenly over all of them, and as many samples of each flow. Row r of a sample
 * has the context of row r of the data, so all three have the same mixture of contexts; of a target, contexts in turn.
 * Streams: (seed, STREAM_EXPORT, PCG_TARGET) for the teacher, (seed, STREAM_EXPORT, PCG_BASE) for the student; rows with weights are
 * those of the validation (sides.h), as many as they are. The same numbers for any number of threads. To be released also after an
 * error: FLOW_ENOMEM, and those of samples and of the target. err is not NULL. */
int bank_open(bank *out, const bank_source *from, flow_err *err);
void bank_release(bank *self);

#endif
