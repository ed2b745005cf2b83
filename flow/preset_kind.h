/* flow/preset_kind.h -- what a preset of a flow is made of: for the files that hold one.
 *
 * To add one: a table preset_NAME at the end of a file, and NAME in FLOW_PRESETS. */
#ifndef FLOW_PRESET_KIND_H
#define FLOW_PRESET_KIND_H

#include "flow/preset.h"

#define FLOW_PRESETS(KIND)                                                                         \
    KIND(maf)                                                                                      \
    KIND(iaf)                                                                                      \
    KIND(nice)                                                                                     \
    KIND(realnvp)                                                                                  \
    KIND(unrolled)                                                                                 \
    KIND(auto)                                                                                     \
    KIND(stack)

/* What the options of every preset begin with, and its key. */
typedef struct preset_head {
    const json_t *base;
} preset_head;

#define PRESET_BASE_KEY                                                                            \
    {                                                                                              \
        FLOW_KEY(preset_head, base), .type = FLOW_KEY_KIND, .kinds = &flow_bases, .def = "normal", \
                                     .doc = "The density of the noise that samples are made of."   \
    }

typedef struct preset {
    flow_kind kind; /* its options begin with a preset_head */
    bool one_way;   /* only for this direction: */
    flow_direction direction;
    /* Appends layers to list. Non-zero: *err, or, if that is empty, no memory. */
    int (*layers)(const void *options, json_t *list, flow_place *place, flow_err *err);
    /* Whether it may have columns on circles (circles.h). NULL: always. */
    bool (*can_circle)(const void *options);
    /* In place of layers, NULL then: how a teacher is unrolled. */
    flow_unrolling (*unrolling)(const void *options);
} preset;

/* Layers that stand between others, appended; non-zero: as above. */
int preset_add_order(json_t *list, int pattern, const flow_place *place);
int preset_add_plain(json_t *list, const char *kind, flow_err *err); /* with its defaults */
int preset_add_inverted(json_t *list, const char *kind,
                        flow_err *err); /* the same, read backwards */

/* An autoregressive layer; groups 0: as many as there are coordinates. */
int preset_add_autoregressive(json_t *list, const json_t *transformer, const json_t *conditioner,
                              size_t groups, const char *first);

/* What may stand between two layers: none, or lu_linear. */
typedef enum preset_linear { PRESET_LINEAR_NONE, PRESET_LINEAR_LU } preset_linear;
extern const flow_word preset_linears[];

#endif
