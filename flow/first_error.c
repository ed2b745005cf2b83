#include "flow/first_error.h"

#include <stdint.h>

void flow_first_error_init(flow_first_error *self)
{
    pthread_mutex_init(&self->lock, NULL);
    atomic_init(&self->at, SIZE_MAX);
    self->err = (flow_err)FLOW_ERR_INIT;
}

void flow_first_error_release(flow_first_error *self)
{
    pthread_mutex_destroy(&self->lock);
}

int flow_first_error_spares(const flow_first_error *self, size_t piece)
{
    return atomic_load(&self->at) < piece;
}

void flow_first_error_note(flow_first_error *self, size_t piece, const flow_err *err)
{
    pthread_mutex_lock(&self->lock);
    if (piece < atomic_load(&self->at)) {
        self->err = *err;
        atomic_store(&self->at, piece);
    }
    pthread_mutex_unlock(&self->lock);
}

int flow_first_error_take(flow_first_error *self, flow_err *err)
{
    if (atomic_load(&self->at) == SIZE_MAX)
        return 0;
    int code = flow_fail(err, (flow_code)self->err.code, "%s", self->err.text);
    atomic_store(&self->at, SIZE_MAX);
    return code;
}
