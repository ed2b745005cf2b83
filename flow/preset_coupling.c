/* flow/preset_coupling.c -- flows of coupling layers: each leaves the first half of the coordinates as
 * it is and transforms the second, given the first; then the halves change places. A density and a
 * sample both cost one pass, so either direction will do. */
#include "flow/order.h"
#include "flow/preset_kind.h"

typedef struct coupling {
    preset_head head;
    size_t layers;
    const json_t *transformer, *conditioner;
    int linear; /* a preset_linear */
    bool actnorm;
} coupling;

static int coupling_layers(const void *options, json_t *list, flow_place *place, flow_err *err)
{
    const coupling *self = options;
    int failed = place->dim < 2
                     ? flow_fail(err, FLOW_ECONFIG, "a coupling needs two coordinates or more")
                     : 0;
    for (size_t l = 0; l < self->layers && !failed; l++) {
        if (l > 0)
            failed |= preset_add_order(list, FLOW_SWAP, place);
        if (self->linear == PRESET_LINEAR_LU)
            failed |= preset_add_plain(list, "lu_linear", err);
        if (self->actnorm)
            failed |= preset_add_plain(list, "actnorm", err);
        failed |=
            preset_add_autoregressive(list, self->transformer, self->conditioner, 2, "identity");
    }
    return failed;
}

/* ---- NICE: shifts alone, which keep volumes, and a scale of each coordinate at the end */

static int nice_layers(const void *options, json_t *list, flow_place *place, flow_err *err)
{
    coupling own = *(const coupling *)options;
    json_t *name = json_string("additive");
    json_t *shift = name ? flow_kind_complete(&flow_transformers, name, err) : NULL;
    own.transformer = shift;
    int failed =
        !shift || coupling_layers(&own, list, place, err) || preset_add_plain(list, "actnorm", err);
    json_decref(name);
    json_decref(shift);
    return failed;
}

static const flow_key nice_keys[] = {
    {FLOW_KEY(coupling, layers), .type = FLOW_KEY_WHOLE, .min = 1, .max = 64, .def = "4",
     .doc = "Coupling layers, one after the other."},
    {FLOW_KEY(coupling, conditioner), .type = FLOW_KEY_KIND, .flags = FLOW_KEY_FLAT,
     .kinds = &flow_conditioners, .def = "mlp", .doc = "The network of each layer."},
    PRESET_BASE_KEY,
    {.name = NULL}};

const preset preset_nice = {
    .kind = {.name = "nice",
             .doc = "additive couplings and a scale at the end (Dinh, Krueger & Bengio 2014)",
             .keys = nice_keys,
             .size = sizeof(coupling)},
    .layers = nice_layers,
};

/* ---- RealNVP */

static const flow_key realnvp_keys[] = {
    {FLOW_KEY(coupling, layers), .type = FLOW_KEY_WHOLE, .min = 1, .max = 64, .def = "8",
     .doc = "Coupling layers, one after the other."},
    {FLOW_KEY(coupling, conditioner), .type = FLOW_KEY_KIND, .flags = FLOW_KEY_FLAT,
     .kinds = &flow_conditioners, .def = "mlp", .doc = "The network of each layer."},
    {FLOW_KEY(coupling, transformer), .type = FLOW_KEY_KIND, .flags = FLOW_KEY_FLAT,
     .kinds = &flow_transformers, .def = "affine",
     .doc = "What a layer does to each coordinate of its second half. spline makes it a neural "
            "spline flow (Durkan, Bekasov, Murray & Papamakarios 2019)."},
    {FLOW_KEY(coupling, linear), .type = FLOW_KEY_WORD, .words = preset_linears, .def = "none",
     .doc = "A learned linear map of all coordinates between two layers."},
    {FLOW_KEY(coupling, actnorm), .type = FLOW_KEY_BOOL, .def = "false",
     .doc = "A learned shift and scale of each coordinate between two layers, set from data so "
            "that its first output has mean 0 and variance 1."},
    PRESET_BASE_KEY,
    {.name = NULL}};

const preset preset_realnvp = {
    .kind = {.name = "realnvp",
             .doc = "affine couplings (Dinh, Sohl-Dickstein & Bengio 2017)",
             .keys = realnvp_keys,
             .size = sizeof(coupling)},
    .layers = coupling_layers,
};
