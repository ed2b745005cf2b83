/* teacher/target.h -- what a student can learn from: a log-density up to a constant and, where there
 * are any, its gradient, an exact sampler, its modes and its normalisation.
 *
 * All numbers are double. A target is read-only while it is used; each thread has its own work. An
 * implementation is one file that ends in its table of operations. What it must do: fill what it is
 * asked for, or return a failure for the whole shard. What a single row's trouble means is decided in
 * one place (target.c) and told by the row's status: nobody guesses it from the numbers. */
#ifndef TEACHER_TARGET_H
#define TEACHER_TARGET_H

#include "flow/flow.h"
#include "flow/kind.h"
#include "teacher/column_kind.h"
#include "teacher/quantities.h"

typedef struct target target;

/* How a row turned out. */
typedef enum target_status {
    TARGET_FINITE,
    TARGET_NO_DENSITY, /* log p~ = -inf: outside of the support */
    TARGET_BROKEN      /* log p~ is NaN or +inf, or its gradient is not finite */
} target_status;

/* What a target can do. */
enum {
    TARGET_GRADIENT = 1, /* log_density has one */
    TARGET_THREADS =
        2, /* several threads may call it, each with its own work; those without the flag
                            are served one call at a time, of all such targets in the process (what
                            cannot be shared is often a library's own state) */
    TARGET_WIDENS = 4, /* sample can widen its noise */
    TARGET_DEAR =
        8 /* a row may cost more than to hand it to a thread, and its numbers are the same whatever
                            is asked beside it: few rows are spread over threads, too */
};

/* Rows of a stream to be drawn: first, first + 1, ... Of those, a share `widen` in [0, 1) come from
 * noise that is stretched by widen_by >= 1 (0: none do); target_is_wide says which. */
typedef struct target_rows {
    pcg_stream stream;
    uint64_t first;
    double widen, widen_by;
} target_rows;

/* A way to cut space into pieces, of each of which it is known what share of the probability it holds. */
typedef struct target_partition {
    char name[64]; /* what it tells apart */
    size_t n;
    const double *weights; /* (n), sum 1 */
} target_partition;

/* All that are known. Each says something of every row; a target of many wells has one for each place that has
 * two, since nobody can count the wells themselves. */
typedef struct target_modes {
    size_t partitions;                 /* > 0 */
    const target_partition *partition; /* (partitions) */
    /* mode (partitions): in which piece of each x (D) lies, 0 .. n - 1; anything larger: in none. */
    void (*modes_of)(void *arg, size_t *mode, const double *x);
    void *arg;
} target_modes;

/* Pieces of all partitions together. */
size_t target_modes_count(const target_modes *self);

enum { TARGET_COLUMN_TEXT = 32 };

typedef struct target_ops {
    const char *name;
    void (*free)(target *self);

    /* Scratch for shards of up to max_rows <= FLOW_SHARD rows. */
    void *(*work_create)(const target *self, size_t max_rows, flow_err *err);
    void (*work_free)(const target *self, void *work); /* accepts NULL */

    /* logp (n) = log p~(x | context), -inf where there is no density; grad (n, D) its gradient in x,
     * NULL: not wanted. status (n) comes in as TARGET_FINITE: a target may mark a row that its numbers
     * do not tell about; the others are judged by their numbers. n > 0. Any return but 0 is a failure
     * of the whole shard. */
    int (*log_density)(const target *self, double *logp, double *grad, target_status *status,
                       const double *x, const double *context, size_t n, void *work, flow_err *err);

    /* x (n, D), exactly distributed as p, row r a function of (stream, first + r) and its context
     * alone; logp (n) = log p~(x); status as above. NULL: the target has no sampler. */
    int (*sample)(const target *self, double *x, double *logp, target_status *status,
                  const double *context, const target_rows *rows, size_t n, void *work,
                  flow_err *err);

    /* What column `at` of x is called: text, or a name of its own. NULL: x0, x1, ... */
    const char *(*column)(const target *self, char *text, size_t at);

    /* What else a row stands for: functions of x, the target's own. NULL, or NULL is returned: there are none. */
    const quantities *(*quantities)(const target *self);
} target_ops;

struct target {
    const target_ops *ops;
    size_t dim, context;
    double log_z;              /* log of the integral of p~; 0: normalised, NaN: not known */
    double log_z_se;           /* standard error of that, where it was estimated; 0: it is exact */
    unsigned flags;            /* TARGET_GRADIENT | ... */
    uint64_t draws;            /* different rows that sample has; 0: as many as are asked for */
    const target_modes *modes; /* borrowed; NULL: none are known */
    const flow *flow;          /* that it is, in whose data its x are; borrowed; NULL: it is none */
    /* (D) what its columns are, ends and periods; borrowed; NULL: it is all of R^D. Beyond an end there is no density, and
     * around a circle it goes on as it was; who learns from it maps it first (target_in_units.h). */
    const data_kind *kinds;
    /* (D) 1 where a number of x is a point on a circle, in radians (flow/circle.h); borrowed; NULL: none is. A target
     * with kinds has none of these: it is not mapped yet. */
    const unsigned char *circles;
};

/* Whether number i of x is a point on a circle. */
static inline bool target_turns(const target *self, size_t i)
{
    return self->circles && self->circles[i];
}

/* ---- making one */

/* A fitted flow as a target; normalised. The flow is borrowed and must outlive the target. */
target *target_from_flow(const flow *teacher, flow_err *err);
/* The target `of`, which may have no sampler or a poor one, with stored draws of it as its sampler: row
 * r of every stream is stored row r modulo n, whatever the stream's seed and name are. So a batch of
 * more than n rows has repetitions, and two streams have the same rows: `draws` says n, for those to
 * whom it matters. Their log-densities are those of the target. x (n, D) and `of` are borrowed. Without
 * context, for a stored row has been drawn at one (FLOW_ECONFIG). n > 0. */
target *target_with_draws(const target *of, const double *x, size_t n, flow_err *err);

/* A kind of target that can be made from a description, a tagged object (flow/kind.h). Its options are what
 * its keys say; lists of numbers it reads itself. */
typedef struct target_kind {
    flow_kind kind;
    const char *example; /* a description; NULL: it needs a file */
    bool follows;        /* it is a flow, which a student can start as */
    target *(*create)(const json_t *object, flow_err *err); /* of an object with all keys */
} target_kind;

/* A key of every kind whose columns a user can say something of (target_columns.h); target_create reads it. */
#define TARGET_COLUMNS_KEY                                                                         \
    {                                                                                              \
        .name = "columns", .type = FLOW_KEY_OWN, .items = data_kind_keys, .n_min = 1,              \
        .n_max = FLOW_MAX_DIM,                                                                     \
        .wants = "columns and what is said of each, {x: positive, phi: {period: 6.283185307}}",    \
        .doc =                                                                                     \
            "Where columns end and which are on circles, by name, as in data.columns: support, "   \
            "link and "                                                                            \
            "period (distill explain data.columns.NAME.support); there is no step in a "           \
            "density. It "                                                                         \
            "may make the density narrower than that says of itself, not wider. Beyond an end "    \
            "there "                                                                               \
            "is none; log Z, sampler and modes of what is made narrower are known no more, "       \
            "but for "                                                                             \
            "a log_z given for it."                                                                \
    }

/* Every kind, NULL past the end, and the same as a registry. */
extern const target_kind *const target_kinds[];
extern const flow_registry target_registry;

/* Whether a description, which has a kind of the registry, is of a flow that a student can start as. */
bool target_follows(const json_t *description);

/* A target as the description says; keys that are missing have their defaults. FLOW_ECONFIG names the key
 * that is wrong. */
target *target_create(const json_t *description, flow_err *err);

void target_free(target *self); /* accepts NULL */

/* What column `at` of x is called: in text, or the target's own. */
const char *target_column(const target *self, char text[TARGET_COLUMN_TEXT], size_t at);

/* Functions of x that it offers, borrowed; NULL: none. */
const quantities *target_quantities(const target *self);

/* ---- a shard, by one thread. After success every row's status is set: without density logp is -inf;
 * broken, it is what the target gave. grad is zero in rows that are not finite. */

int target_shard_log_density(const target *self, double *logp, double *grad, target_status *status,
                             const double *x, const double *context, size_t n, void *work,
                             flow_err *err);

/* FLOW_ECONFIG if rows are to be widened and the target cannot. It must have a sampler. */
int target_shard_sample(const target *self, double *x, double *logp, target_status *status,
                        const double *context, const target_rows *rows, size_t n, void *work,
                        flow_err *err);

/* Whether row number `row` of a stream is a wide one. */
int target_is_wide(const target_rows *rows, uint64_t row);

/* ---- whole batches, spread over a pool; rows do not depend on n or on the pool. Of several shards that
 * fail the first one's error is returned. */

/* Who asks a target often, with scratch for each thread of the pool; both are borrowed. FLOW_ENOMEM. */
typedef struct target_asker target_asker;
target_asker *target_asker_create(const target *self, flow_pool *pool, flow_err *err);
void target_asker_free(target_asker *self); /* accepts NULL */

/* As target_log_density. One batch at a time. */
int target_ask(const target_asker *self, double *logp, double *grad, target_status *status,
               const double *x, const double *context, size_t n, flow_err *err);

/* logp (n) of x (n, D); grad (n, D), status (n), NULL: not wanted. */
int target_log_density(const target *self, flow_pool *pool, double *logp, double *grad,
                       target_status *status, const double *x, const double *context, size_t n,
                       flow_err *err);

/* x (n, D), logp (n), status (n; NULL: not wanted): rows first .. first + n - 1 of the stream. The
 * target must have a sampler. */
int target_sample(const target *self, flow_pool *pool, double *x, double *logp,
                  target_status *status, const double *context, pcg_stream stream, uint64_t first,
                  size_t n, flow_err *err);

#endif
