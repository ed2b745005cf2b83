/* pipeline/config/config.h -- everything a YAML file can say, as plain numbers.
 *
 * Every field is described by one row of the table in pipeline/config/schema.c, which also holds its
 * default, its range and its documentation; what a flow is made of is said by its kinds. After config_load no field is unset: a key that was not
 * given has its default. "auto" and "off" are stored as values that no user can write:
 *   whole numbers  0   where the row has FLOW_KEY_AUTO
 *   reals          NAN where the row has FLOW_KEY_AUTO, or no default
 *   strings        NULL where the row has no default
 *   words          -1  where the row has FLOW_KEY_AUTO, or no default */
#ifndef PIPELINE_CONFIG_CONFIG_H
#define PIPELINE_CONFIG_CONFIG_H

#include "flow/err.h"
#include "flow/flow.h"
#include "flow/key.h"
#include "flow/optimizer.h"
#include "pipeline/config/complain.h"
#include "pipeline/config/gates.h"
#include "student/distill.h"
#include "teacher/dataset.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFIG_MAX_NAMES = 4096 }; /* columns in a list */

typedef struct config_gates {
    size_t n;
    gate at[GATE_COUNT]; /* in the order of the file, no figure twice */
} config_gates;

/* ---- words. An enum key is stored as the value that belongs to its word. In the lists below the
 * word of value v stands at index v (config_precisions apart). */

extern const flow_word config_precisions[];
extern const flow_word config_headers[];
extern const flow_word config_nonfinites[];
extern const flow_word config_repeated[];
extern const flow_word config_splits[];
extern const flow_word config_schedules[];         /* of a teacher */
extern const flow_word config_student_schedules[]; /* no plateau */
extern const flow_word config_gradients[];
extern const flow_word config_recipes[];
extern const flow_word config_starts[];
extern const flow_word config_sketches[];
extern const flow_word config_chains[];
extern const flow_word config_quantities[];

/* ---- sections */

typedef struct config_compute {
    uint64_t threads; /* 0: auto, one per processor */
    uint64_t shard;   /* rows; 0: auto. Changes bits */
    int network;      /* a flow_network: of the student as it is shipped; -1: auto */
} config_compute;

/* Off unless alpha is given: x -> logit(alpha + (1 - 2 alpha) (x - lo) / (hi - lo)). */
typedef struct config_logit {
    double alpha; /* NAN: off */
    double lo, hi;
} config_logit;

typedef struct config_data {
    const char *path;       /* ready for fopen; NULL if generator is given */
    int generator;          /* index into data_generators; -1 if path is given */
    uint64_t rows;          /* generator only */
    double noise;           /* generator only; NAN: auto, the generator's own */
    file_header header;     /* csv only */
    flow_names columns;     /* n = 0: all but those of context and weights */
    const data_kind *kinds; /* (columns.n), if columns is a mapping; else NULL */
    flow_names context;
    const char *weights; /* NULL: rows count alike */
    bool standardize;
    double dequantize; /* step; 0: off */
    config_logit logit;
    data_nonfinite nonfinite;
    data_repeated repeated;
    data_split split;
    double valid, test; /* shares of the rows */
} config_data;

/* teacher.train.epochs if it is auto: so many, or more, up to the most, if that is not so many steps. */
#define CONFIG_EPOCHS 30
#define CONFIG_MOST_EPOCHS 100
#define CONFIG_FIT_STEPS 1500

typedef struct config_teacher_train {
    uint64_t batch;
    uint64_t epochs; /* 0: auto */
    double lr;
    uint64_t warmup; /* steps */
    flow_schedule schedule;
    double plateau_factor;     /* plateau only */
    uint64_t plateau_patience; /* epochs; plateau only */
    double weight_decay;
    double clip;       /* multiple of the running median of the gradient's norm; 0: off */
    double average;    /* decay of the moving average of the weights; 0: off */
    uint64_t patience; /* epochs without improvement before stopping; 0: never */
} config_teacher_train;

/* student.train.lr and steps if they are auto, of a student that does not start as its teacher; and
 * steps of one that does. */
#define CONFIG_LR 1e-3
#define CONFIG_STEPS 5000
#define CONFIG_STEPS_WARM 1000

typedef struct config_student_train {
    uint64_t batch;
    uint64_t steps;  /* 0: auto; settings_steps */
    double lr;       /* NAN: auto */
    uint64_t warmup; /* steps */
    flow_schedule schedule;
    double weight_decay;
    double clip;             /* multiple of the running median of the gradient's norm; 0: off */
    double average;          /* decay of the moving average of the weights; 0: off */
    const json_t *objective; /* complete, of objective_registry; NULL: what a recipe finds, or kl */
    distill_gradient gradient;
    double forward;      /* weight of forward KL at the first step; reverse KL has 1 - forward */
    double forward_end;  /* and at the last; NAN: the same */
    double widen;        /* share of forward KL's samples from stretched noise; 0: off */
    double widen_by;     /* factor on that noise */
    double temper;       /* inverse temperature of the teacher at the first step; 1: off */
    double temper_until; /* share of the steps at which it reaches 1 */
    uint64_t late_batch; /* batch is multiplied by this ... */
    double late_from;    /* ... from this share of the steps on */
} config_student_train;

typedef struct config_teacher {
    const json_t *flow; /* complete, of flow_presets */
    config_teacher_train train;
} config_teacher;

/* What comes before the training of a student that starts as its teacher (student/layerwise.h). */
typedef struct config_student_layerwise {
    uint64_t steps; /* of each layer; 0: off */
    double lr;      /* NAN: auto */
    double widen_by;
} config_student_layerwise;

/* Students beside the one that is handed over (student/search.h). */
typedef struct config_student_shrink {
    uint64_t iterations; /* down to so many; 0: none */
    uint64_t halvings;   /* of the networks' widths */
    uint64_t samples;    /* that each size is measured on */
} config_student_shrink;

/* Lists of numbers, one a coordinate or one for all; NULL: auto. */
typedef struct config_student_frame {
    const json_t *shift, *scale;
} config_student_frame;

/* Who says what nobody else has said of a student of a target; and where it begins. */
typedef enum config_recipe { RECIPE_AUTO, RECIPE_NONE } config_recipe;
typedef enum config_start { START_PILOT, START_PLAIN } config_start;
typedef enum config_sketch { SKETCH_AUTO, SKETCH_OFF } config_sketch;
typedef enum config_chain { CHAIN_AUTO, CHAIN_ON, CHAIN_OFF } config_chain;

typedef struct config_student {
    const json_t *flow;
    bool flow_given;      /* it is not the default */
    config_recipe recipe; /* of a target */
    config_start start;   /* likewise */
    config_sketch sketch; /* likewise */
    uint64_t pilot_rows;
    config_student_frame frame; /* of a target */
    config_student_layerwise layerwise;
    config_student_train train;
    config_student_shrink shrink;
} config_student;

/* validate.chains, chain_rows and hunt if they are auto; and where a recipe's sketch held. */
#define CONFIG_CHAINS 256
#define CONFIG_CHAIN_ROWS 4096
#define CONFIG_HUNT 1
#define CONFIG_CHAINS_NEAR 64
#define CONFIG_CHAIN_ROWS_NEAR 1024
#define CONFIG_HUNT_NEAR 0.25

typedef struct config_validate {
    uint64_t samples;
    config_chain chain;
    uint64_t chains, chain_rows; /* 0: auto */
    double hunt;                 /* times the usual effort; NAN: auto */
    config_gates require;
} config_validate;

enum { CONFIG_PAIRS = 6 }; /* columns that are shown in pairs, at most */

typedef struct config_report {
    flow_names pairs; /* n = 0: those that hang together most */
} config_report;

typedef enum config_derived { DERIVED_NONE, DERIVED_USUAL, DERIVED_ALL } config_derived;

typedef struct config_export {
    uint64_t samples; /* 0: none */
    const char *file; /* inside the run directory; .npy or .csv */
    config_derived quantities;
} config_export;

typedef struct config_checkpoint {
    double every; /* seconds; 0: never, but where the run is stopped */
} config_checkpoint;

typedef struct config {
    uint64_t schema;
    const char *name;
    uint64_t seed;
    bool seed_given; /* in a file or by --set */
    bool seed_drawn; /* by config_draw_seed. While neither is true, seed means nothing */
    flow_precision precision;
    const json_t *target; /* complete, of target_registry; NULL: the teacher is fitted to data */
    config_compute compute;
    config_data data;
    config_teacher teacher;
    config_student student;
    config_validate validate;
    config_report report;
    config_export export;
    config_checkpoint checkpoint;
    struct sweep *sweep;          /* sweep.h; NULL: there is no such section. Of no run's concern */
    const struct said *said;      /* said.h: where names of columns were written */
    struct config_memory *memory; /* owns every string and object above */
} config;

/* ---- reading */

/* What is read, in this order; a later one overrides an earlier one key by key. In overlays and
 * sets the value null takes a key back to its default. */
typedef struct config_sources {
    const char *file;
    const char *const *overlays; /* (n_overlays) files */
    size_t n_overlays;
    const char *const *sets; /* (n_sets) "key.key=value" */
    size_t n_sets;
} config_sources;

/* NULL if anything at all is wrong; *out then has every complaint, in no particular order. */
config *config_load(const config_sources *sources, complaints *out);
void config_free(config *self);

/* If no seed is given: draws one from the system (below 2^53, so that every JSON reader gets it
 * right). Otherwise does nothing. */
int config_draw_seed(config *self, flow_err *err);

/* All keys with their values as nested objects: "auto" for auto, null for what has neither value
 * nor default. A new reference; NULL if out of memory. Dump with JSON_SORT_KEYS. */
json_t *config_to_json(const config *self);

#endif
