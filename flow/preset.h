/* flow/preset.h -- flows as a user says them: a preset with a few numbers, or layers spelt out.
 *
 * Each is a kind of the registry flow_presets. An object of one of them ({"kind": "maf", "layers": 5, ...}, complete: kind.h) becomes the
 * description that flow_create reads. */
#ifndef FLOW_PRESET_H
#define FLOW_PRESET_H

#include "flow/flow.h"
#include "flow/kind.h"
#include "flow/unroll.h"

extern const flow_registry flow_presets;

/* Layers as they may be spelt out: those of flow_layers, and {"repeat": n, "layers": [...]}. */
extern const flow_registry flow_spelt_layers;

/* The description of that flow: a new reference. Random orders take rows of place->stream, row l the one after
 * block l of a preset. NULL: FLOW_ECONFIG for what makes no sense, FLOW_ENOMEM. */
json_t *flow_preset_describe(const json_t *preset, flow_direction direction,
                             const flow_place *place, flow_err *err);

/* The flow of that description, parameters zero. FLOW_ECONFIG also if a preset is only for the other direction. */
flow *flow_preset_create(const json_t *object, flow_direction direction, const flow_place *place,
                         flow_precision precision, flow_err *err);

/* The direction that a preset is parallel in, if it is for one alone; `either`, if it will do in both. */
flow_direction flow_preset_direction(const json_t *object, flow_direction either);

/* Whether it may have columns on circles: place->circles. One that is made of a teacher has its circles. */
bool flow_preset_can_circle(const json_t *object, flow_direction direction);

/* Whether the preset is made of a teacher's flow, by flow_unroll: then the two above refuse it. */
int flow_preset_follows(const json_t *object);

/* How, of one that does; iterations 0, width NaN: they are to be found (student/search.h). */
int flow_preset_unrolling(flow_unrolling *how, const json_t *object, flow_err *err);

/* Settles a list of spelt layers: repeats are written out, orders become numbers. A new reference. */
json_t *flow_layers_settle(const json_t *spelt, flow_place *place, flow_err *err);

#endif
