#include "flow/keeper.h"

#include <stdlib.h>

void *flow_keeper_start(const flow_keeper *keeper, const flow_kept *kind, const void *of,
                        flow_err *err)
{
    void *block = NULL, *self = kind->create(of, err);
    size_t size;
    int code = self && keeper ? keeper->find(keeper->arg, &block, &size, err) : 0;
    int resumed = block && kind->load(self, block, size, NULL) == 0;
    if (block && !resumed) {
        kind->release(self);
        self = kind->create(of, err);
    }
    free(block);
    if (self && keeper && !code)
        code = keeper->begin(keeper->arg, resumed, err);
    if (!code)
        return self;
    kind->release(self);
    return NULL;
}

int flow_keeper_keep(const flow_keeper *keeper, const flow_kept *kind, void *self, flow_err *err)
{
    void *block = NULL;
    size_t size;
    int code = kind->save(self, &block, &size, err);
    code = code ? code : keeper->keep(keeper->arg, block, size, err);
    free(block);
    return code;
}
