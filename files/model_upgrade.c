#include "files/model_upgrade.h"

#include "flow/kind.h"

#include <string.h>

const char model_format[] = "distill.model.2";

static const char first_format[] = "distill.model.1";

/* ---- format 1 */

/* Moves the keys of the kind from the layer, where they lay flat, to an object of their own. */
static json_t *move_keys(json_t *layer, const flow_kind *kind)
{
    json_t *out = json_pack("{s:s}", "kind", kind->name);
    for (const flow_key *key = kind->keys; out && key && key->name; key++) {
        json_t *value = json_object_get(layer, key->name);
        if (value &&
            (json_object_set(out, key->name, value) || json_object_del(layer, key->name))) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* What format 1 had in words today's has as numbers, or as defaults of keys that came later. What it must
 * say itself is asked for. */
static int nest(json_t *layer, const char *role, const flow_registry *kinds, const char *name,
                const char *const *must, flow_err *err)
{
    const flow_kind *kind = name ? flow_kind_find(kinds, name) : NULL;
    if (!kind)
        return flow_fail(err, FLOW_EDATA, "no %s '%.40s'", kinds->what, name ? name : "");
    for (; *must; must++)
        if (flow_key_find(kind->keys, *must) && !json_object_get(layer, *must))
            return flow_fail(err, FLOW_EDATA, "key '%s' is missing", *must);
    json_t *object = move_keys(layer, kind);
    return json_object_set_new(layer, role, object)
               ? flow_fail(err, FLOW_ENOMEM, "out of memory for a description")
               : 0;
}

static int upgrade_layer(json_t *layer, flow_err *err)
{
    static const char *const of_tau[] = {"bins", "bound", "scale_bound", NULL};
    static const char *const of_net[] = {"hidden", "residual", "activation", NULL};
    const char *kind = json_string_value(json_object_get(layer, "kind"));
    if (!kind || strcmp(kind, "autoregressive") != 0)
        return 0;
    const char *tau = json_string_value(json_object_get(layer, "transformer"));
    int code = nest(layer, "transformer", &flow_transformers, tau, of_tau, err);
    return code ? code : nest(layer, "conditioner", &flow_conditioners, "mlp", of_net, err);
}

/* Each layer made as it would be today, and its later keys filled in. */
static int upgrade_layers(json_t *layers, flow_err *err)
{
    size_t i;
    json_t *layer;
    json_array_foreach(layers, i, layer)
    {
        if (upgrade_layer(layer, err))
            return FLOW_EDATA;
        json_t *complete = flow_kind_complete(&flow_layers, layer, err);
        if (json_array_set_new(layers, i, complete))
            return err && err->code ? err->code : FLOW_ENOMEM;
    }
    return 0;
}

json_t *model_upgrade(const json_t *description, const char *format, flow_err *err)
{
    if (format && strcmp(format, model_format) == 0)
        return json_incref((json_t *)(uintptr_t)description);
    if (!format || strcmp(format, first_format) != 0) {
        flow_fail(err, FLOW_EDATA, "not a model: metadata 'format' is neither %s nor %s",
                  model_format, first_format);
        return NULL;
    }
    json_t *out = json_deep_copy(description);
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for a description");
    if (!out || upgrade_layers(json_object_get(out, "layers"), err) == 0)
        return out;
    json_decref(out);
    return NULL;
}
