/* teacher/target_density.h -- what the built-in energies share: a target whose rows are computed by a
 * formula, in any number of threads.
 *
 * Such a target is a struct that begins with a target_density, and a table of operations of which all but
 * begin and one density are optional. Scratch, shards, samples and flags are seen to here. */
#ifndef TEACHER_TARGET_DENSITY_H
#define TEACHER_TARGET_DENSITY_H

#include "teacher/target.h"

/* log(2 pi) / 2 */
#define TARGET_HALF_LOG_2PI 0.91893853320467274178

typedef struct target_density target_density;

typedef struct target_density_ops {
    const target_kind *kind;
    size_t size; /* of the struct */

    /* Sets dim, what else of the fields below is not 0, and what is its own, from the options of the kind
     * and, for keys that it reads itself, from the object. */
    int (*begin)(target_density *self, const void *options, const json_t *object, flow_err *err);

    /* log p~(x); grad (D) = its gradient unless NULL. room: `room` numbers, in no order. */
    double (*log_p)(const target_density *self, double *grad, const double *x, double *room);
    /* The same of n rows at once, for those that are quicker so; takes the place of log_p. */
    void (*log_ps)(const target_density *self, double *logp, double *grad, const double *x,
                   size_t n, double *room);

    /* x (D), exactly distributed as p, from z (normals), independent standard normals, and from as many
     * numbers of rng, which is this row's alone, as it takes. NULL: there is no sampler. */
    void (*draw)(const target_density *self, double *x, const double *z, pcg *rng);

    /* What column `at` is called, into text of TARGET_COLUMN_TEXT. NULL: x0, x1, ... */
    const char *(*column)(const target_density *self, char *text, size_t at);

    /* Of target_modes, if there are partitions; arg is self. */
    void (*modes_of)(void *arg, size_t *mode, const double *x);
} target_density_ops;

struct target_density {
    target base;     /* begin sets dim, and log_z where it is not 0 */
    target_ops face; /* what base.ops points to */
    const target_density_ops *ops;
    size_t
        normals; /* that draw wants; with any, samples can be widened: the normals are stretched */
    size_t room; /* numbers of scratch */
    size_t partitions;           /* 0: no modes are known */
    target_partition *partition; /* what target_density_cut gave */
    target_modes modes;          /* of these; what base.modes points to */
    double *held;                /* what target_density_hold gave */
};

/* For `create` of a kind: a target of these operations. Errors begin with the kind's name. */
target *target_density_create(const target_density_ops *ops, const json_t *object, flow_err *err);

/* For `begin`, once: n > 0 numbers, 0 at first, that live as long as the target. NULL: FLOW_ENOMEM. */
double *target_density_hold(target_density *self, size_t n, flow_err *err);

/* For `begin`, once: n > 0 partitions, to be filled in. NULL: FLOW_ENOMEM. */
target_partition *target_density_cut(target_density *self, size_t n, flow_err *err);
/* The same, of one partition. weights (n) outlive the target. */
int target_density_cut_once(target_density *self, const char *name, size_t n, const double *weights,
                            flow_err *err);

/* A standard normal, for `draw`s that need one more. */
double target_density_normal(pcg *rng);

/* Where a condition does not hold that keys have as their `only`: FLOW_ECONFIG if one of them, a number,
 * has been given another value than its default all the same. */
int target_density_idle(const flow_kind *kind, const void *options, const char *only,
                        flow_err *err);

/* The value of a key that `begin` reads itself; NULL if it is not given, or null. */
const json_t *target_density_given(const json_t *object, const char *key);

/* Fills out (n) from a list of n finite numbers. FLOW_ECONFIG names the key. */
int target_density_list(double *out, const json_t *list, size_t n, const char *key, flow_err *err);

/* The log Z of a target: what its user gives, with a standard error, or else its own, which may be NaN: not known. */
void target_density_log_z(target *self, double given, double se, double own);

/* For a kind's conflict: the key that has no effect, for the reason `why`, if an error is given and no log_z. */
const char *target_density_log_z_conflict(char *why, size_t size, double given, double se);

#endif
