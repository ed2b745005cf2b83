/* teacher/column_kind.h -- what a user says of a column: its support, step and period. What becomes of it
 * in a model is its unit (flow/units.h). */
#ifndef TEACHER_COLUMN_KIND_H
#define TEACHER_COLUMN_KIND_H

#include "flow/key.h"
#include "flow/units.h"

/* How a half line is mapped (flow/units.h). */
typedef enum data_link { DATA_LINK_AUTO, DATA_LINK_LOG, DATA_LINK_SOFTPLUS } data_link;

typedef struct data_kind {
    /* support; -INFINITY, INFINITY: none. Of a grid, the first and the last value; of a circle, the turn that samples are in */
    double lo, hi;
    double alpha;  /* room at the ends of a support that has two */
    double step;   /* 0: continuous */
    bool smear;    /* the step only blurs: samples and densities are those of a continuous column */
    double period; /* 0: not periodic */
    data_link link; /* of a support with one end */
} data_kind;

/* A continuous column on the whole line. */
extern const data_kind data_kind_plain;

/* The keys that a user gives; the offsets go into a data_kind. "support" is OWN: positive | real | [lo,
 * hi]. */
extern const flow_key data_kind_keys[];

/* Whether nothing is said of the column. */
bool data_kind_is_plain(const data_kind *self);

/* NULL, or why this is no kind: "step wants to be ...", in why. */
enum { DATA_KIND_WHY = 160 };
const char *data_kind_fault(char why[DATA_KIND_WHY], const data_kind *self);

/* Whether anything is said of the column. */
bool data_kind_is_plain(const data_kind *self);

/* The map of a column of this kind, before shift, scale and cut are known, and, of a table, how its half line is mapped
 * (link.h): a softplus has soft = 1 until then, and DATA_LINK_AUTO is a logarithm. Samples of a circle start at lo, or
 * at 0. */
flow_unit data_kind_unit(const data_kind *self);

/* Whether the support has one end. */
bool data_kind_is_half_line(const data_kind *self);

/* Sets the ends that a word says, "positive" or "real"; false: it is neither. */
bool data_kind_support(data_kind *out, const char *word);

/* {"support": [0.0, "inf"], "step": 0.0, ...}, every key: a new reference; NULL: no memory. */
json_t *data_kind_to_json(const data_kind *self);
/* From such an object, where keys may be missing, or from a support alone, [0, 1] or "positive"; free of faults.
 * FLOW_ECONFIG. */
int data_kind_from_json(data_kind *out, const json_t *json, flow_err *err);

#endif
