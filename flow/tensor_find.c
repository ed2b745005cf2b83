#include "flow/flow.h"

#include <string.h>

size_t flow_tensor_find(const flow *self, const char *name)
{
    flow_tensor_info info;
    size_t i = 0, n = flow_n_tensors(self);
    for (; i < n; i++) {
        flow_tensor(self, &info, i);
        if (strcmp(info.name, name) == 0)
            break;
    }
    return i;
}
