/* flow/preset_chain.c -- maf and iaf: autoregressive layers with what stands between them, blocks of
 * [lu_linear] [actnorm] autoregressive, separated by permutations; at the end where the data are, of a
 * conditional flow, [context_linear]. */
#include "flow/order.h"
#include "flow/preset_kind.h"

typedef struct chain {
    preset_head head;
    size_t layers;
    const json_t *transformer, *conditioner;
    int permute; /* a flow_pattern */
    int linear;  /* a preset_linear */
    bool actnorm;
    bool context_linear;
} chain;

static int chain_layers(const void *options, json_t *list, flow_place *place, flow_err *err)
{
    const chain *self = options;
    int failed = 0;
    for (size_t block = 0; block < self->layers && !failed; block++) {
        place->row = block;
        if (block > 0 && self->permute != FLOW_IN_ORDER)
            failed |= preset_add_order(list, self->permute, place);
        if (self->linear == PRESET_LINEAR_LU)
            failed |= preset_add_plain(list, "lu_linear", err);
        if (self->actnorm)
            failed |= preset_add_plain(list, "actnorm", err);
        failed |= preset_add_autoregressive(list, self->transformer, self->conditioner, 0, "free");
    }
    return failed;
}

static bool follows_context(const void *options, const flow_place *place)
{
    return ((const chain *)options)->context_linear && place->context > 0;
}

static int maf_layers(const void *options, json_t *list, flow_place *place, flow_err *err)
{
    if (follows_context(options, place) && preset_add_plain(list, "context_linear", err))
        return FLOW_ENOMEM;
    return chain_layers(options, list, place, err);
}

static int iaf_layers(const void *options, json_t *list, flow_place *place, flow_err *err)
{
    int failed = chain_layers(options, list, place, err);
    if (!failed && follows_context(options, place))
        failed = preset_add_inverted(list, "context_linear", err);
    return failed;
}

static const flow_key chain_keys[] = {
    {FLOW_KEY(chain, layers), .type = FLOW_KEY_WHOLE, .min = 1, .max = 64, .def = "5",
     .doc = "Autoregressive layers, one after the other. More layers bend further and cost "
            "proportionally more. A list of layers in its place spells the flow out."},
    {FLOW_KEY(chain, conditioner), .type = FLOW_KEY_KIND, .flags = FLOW_KEY_FLAT,
     .kinds = &flow_conditioners, .def = "mlp", .doc = "The network of each layer."},
    {FLOW_KEY(chain, transformer), .type = FLOW_KEY_KIND, .flags = FLOW_KEY_FLAT,
     .kinds = &flow_transformers, .def = "spline",
     .doc = "What a layer does to each coordinate with the numbers its conditioner gives."},
    {FLOW_KEY(chain, permute), .type = FLOW_KEY_WORD, .words = flow_patterns, .def = "reverse",
     .doc = "What happens to the order of the coordinates between two layers."},
    {FLOW_KEY(chain, linear), .type = FLOW_KEY_WORD, .words = preset_linears, .def = "lu",
     .doc = "A learned linear map of all coordinates between two layers."},
    {FLOW_KEY(chain, actnorm), .type = FLOW_KEY_BOOL, .def = "false",
     .doc = "A learned shift and scale of each coordinate between two layers, set from data so "
            "that its first output has mean 0 and variance 1."},
    {FLOW_KEY(chain, context_linear), .type = FLOW_KEY_BOOL, .def = "true",
     .doc = "Of a conditional flow: one more layer, next to the data, shifts each coordinate by a "
            "linear function of the context and scales it. It starts as the least squares of the "
            "first rows, so that the others begin with what context does not explain."},
    PRESET_BASE_KEY,
    {.name = NULL}};

const preset preset_maf = {
    .kind = {.name = "maf",
             .doc = "masked autoregressive flow: a density in one pass",
             .keys = chain_keys,
             .size = sizeof(chain)},
    .one_way = true,
    .direction = FLOW_DATA_TO_NOISE,
    .layers = maf_layers,
};

const preset preset_iaf = {
    .kind = {.name = "iaf",
             .doc = "inverse autoregressive flow: a sample with its density in one pass",
             .keys = chain_keys,
             .size = sizeof(chain)},
    .one_way = true,
    .direction = FLOW_NOISE_TO_DATA,
    .layers = iaf_layers,
};
