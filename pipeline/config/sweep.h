/* pipeline/config/sweep.h -- the section `sweep` of a config: the points of a sweep. A run of the config takes no notice of it.
 *
 *   sweep:
 *     grid: {student.flow.layers: [2, 4, 8], student.train.lr: [1e-3, 3e-4]}
 *     list: [{seed: 1}, {seed: 2, data.rows: 1000}]
 *     select: {metric: kl_reverse}
 *
 * A point of the grid has one value of each of its keys; with a list, too, each of its items goes with each point of the grid.
 * Keys and values are those of --set. */
#ifndef PIPELINE_CONFIG_SWEEP_H
#define PIPELINE_CONFIG_SWEEP_H

#include "pipeline/config/config.h"
#include "pipeline/config/walk.h"

enum { SWEEP_MAX_KEYS = 32, SWEEP_MAX_POINTS = 10000 };

/* A key with its values, as --set would have them. */
typedef struct sweep_axis {
    const char *key;
    size_t n;
    const char **values; /* (n) */
} sweep_axis;

/* Some keys with one value each. */
typedef struct sweep_item {
    size_t n;
    sweep_axis *keys; /* (n) */
} sweep_item;

typedef struct sweep {
    sweep_item grid;
    size_t n_items;
    sweep_item *items; /* (n_items); none: one that is empty */
    gate_figure metric;
    bool largest; /* is best */
} sweep;

/* The keys of the section, grid and list apart of `select`: what explain and the schema tell. */
extern const flow_key sweep_keys[];
extern const char sweep_doc[];

/* Reads the section into config->sweep. False after complaints. */
bool sweep_read(config *self, const value_source *from, const yaml_node_t *node);

/* How many points there are. */
size_t sweep_points(const sweep *self);

/* The keys and values of one of them: returns how many, at most SWEEP_MAX_KEYS. */
size_t sweep_point(const char **keys, const char **values, const sweep *self, size_t index);

#endif
