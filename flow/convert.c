/* flow/convert.c -- the same flow once more, on another backend. */
#include "flow/backend.h"

#include <stdlib.h>

static int copy_tensors(flow *to, const flow *from, flow_err *err)
{
    for (size_t i = 0; i < flow_n_tensors(from); i++) {
        flow_tensor_info info;
        flow_tensor(from, &info, i);
        double *values = malloc((info.rows * (info.cols ? info.cols : 1) + 1) * sizeof *values);
        if (!values)
            return flow_fail(err, FLOW_ENOMEM, "out of memory for tensor %s", info.name);
        flow_tensor_get(from, values, i);
        int code = flow_tensor_set(to, values, i, err);
        free(values);
        if (code)
            return code;
    }
    return 0;
}

flow *flow_copy_on(const flow *self, const flow_backend *backend, flow_network network,
                   flow_err *err)
{
    json_t *description = flow_describe(self);
    flow *out = description ? flow_create_low(backend, description, network, err) : NULL;
    if (!description)
        flow_fail(err, FLOW_ENOMEM, "out of memory for the description of a flow");
    json_decref(description);
    if (out && copy_tensors(out, self, err)) {
        flow_free(out);
        return NULL;
    }
    return out;
}

flow *flow_convert(const flow *self, flow_precision precision, flow_err *err)
{
    const flow_backend *backend = flow_backend_find(precision, err);
    return backend ? flow_copy_on(self, backend, FLOW_NETWORK_AS_IS, err) : NULL;
}
