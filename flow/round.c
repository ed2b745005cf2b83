#include "flow/round.h"
#include "flow/backend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that ranges of hidden units are taken from, fewer of a network that is large: what a unit has once in ten thousand
 * rows is then still in its range (power: KL .004 with 8192 rows and .014 with 2048). Whole shards, or filler would be
 * seen, too. */
enum { MOST_WATCHED = 64 * FLOW_SHARD, LEAST_WATCHED = 16 * FLOW_SHARD };
#define WATCHED_PRODUCTS ((size_t)1 << 34)

static size_t rows_watched(const flow *self)
{
    size_t rows = WATCHED_PRODUCTS / (flow_n_weights(self) + 1) / FLOW_SHARD * FLOW_SHARD;
    rows = rows < MOST_WATCHED ? rows : MOST_WATCHED;
    return rows > LEAST_WATCHED ? rows : LEAST_WATCHED;
}

static const pcg_stream watched = {.stage = PCG_FLOW, .purpose = PCG_WATCH};

const flow_word flow_networks[] = {
    {"f32", FLOW_NETWORK_AS_IS, "single precision, or what the model has"},
    {"bf16", FLOW_NETWORK_BF16,
     "weights and hidden layers in bf16: no faster here, for what runs elsewhere"},
    {"int16", FLOW_NETWORK_INT16,
     "weights in bytes, hidden layers in two: for steep flows, half as fast as int8"},
    {"int8", FLOW_NETWORK_INT8, "weights and hidden layers in bytes, sums exact"},
    {NULL, 0, NULL}};

const char *flow_network_name(flow_network network)
{
    return flow_networks[network].name;
}

int flow_network_take(flow_network *out, const char *word, flow_err *err)
{
    static const flow_key key = {.type = FLOW_KEY_WORD, .words = flow_networks};
    char wants[128];
    const flow_word *w = flow_networks;
    while (w->name && strcmp(w->name, word) != 0)
        w++;
    flow_key_wants(wants, sizeof wants, &key);
    *out = (flow_network)w->value;
    return w->name ? 0 : flow_fail(err, FLOW_EUSAGE, "network wants %s, got '%.60s'", wants, word);
}

flow_network flow_get_network(const flow *self)
{
    return self->network;
}

int flow_network_is_faster(flow_network network)
{
    const flow_backend *backend = flow_backend_find_rounding(NULL);
    return backend && backend->faster(network);
}

/* A shard of samples, and of contexts (n, C), which are standard normal: units leave them so. */
static int watch_shard(flow_pass *pass, double *x, double *context, uint64_t first, flow_err *err)
{
    const flow *f = pass->flow;
    const size_t dim = f->dim;
    double *z = x + FLOW_SHARD * dim, logp[FLOW_SHARD];
    flow_noise(f, NULL, z, watched, first, FLOW_SHARD);
    if (f->context)
        pcg_normals(context, watched, MOST_WATCHED + first, FLOW_SHARD, f->context);
    flow_pass_transport(pass, NULL, x, logp, z, context, FLOW_SHARD);
    for (size_t i = 0; i < FLOW_SHARD * dim; i++)
        if (!isfinite(x[i]))
            return flow_fail(err, FLOW_EDATA, "row %zu of its samples is not finite",
                             (size_t)first + i / dim);
    return 0;
}

static int watch(flow *self, flow_err *err)
{
    double *x = malloc(FLOW_SHARD * (2 * self->dim + self->context) * sizeof *x);
    flow_pass *pass = x ? flow_pass_create(self, FLOW_SHARD, 0, err) : NULL;
    int code = pass ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory to round a flow");
    for (uint64_t first = 0; !code && first < rows_watched(self); first += FLOW_SHARD)
        code = watch_shard(pass, x, x + 2 * FLOW_SHARD * self->dim, first, err);
    flow_pass_free(pass);
    free(x);
    return code;
}

/* The copy; NULL, and it is freed, if none of its layers has a network: it would be the same flow under another name. */
static flow *networks_of(flow *copy, flow_err *err)
{
    if (!copy || copy->stack.n_networks > 0)
        return copy;
    flow_fail(err, FLOW_ECONFIG, "no layer of the flow has a network to round to %s",
              flow_network_name(copy->network));
    flow_free(copy);
    return NULL;
}

/* Watching, if anything is to be seen. */
static flow *begin(const flow *self, flow_network network, flow_err *err)
{
    if (self->network != FLOW_NETWORK_AS_IS) {
        flow_fail(err, FLOW_ECONFIG, "the flow is rounded already");
        return NULL;
    }
    if (flow_require_transport(self, err))
        return NULL;
    if (network == FLOW_NETWORK_AS_IS)
        return flow_convert(self, self->backend->precision, err);
    const flow_backend *backend = flow_backend_find_rounding(err);
    return backend ? networks_of(flow_copy_on(self, backend, network, err), err) : NULL;
}

int flow_check_round(const flow *self, flow_network network, flow_err *err)
{
    flow *out = begin(self, network, err);
    flow_free(out);
    return out ? 0 : err->code;
}

flow *flow_round(const flow *self, flow_network network, flow_err *err)
{
    flow *out = begin(self, network, err);
    if (!out || network == FLOW_NETWORK_AS_IS)
        return out;
    if (flow_network_in_bytes(network) && watch(out, err)) {
        flow_free(out);
        return NULL;
    }
    out->backend->round(out, rows_watched(out));
    out->settled = 1;
    return out;
}
