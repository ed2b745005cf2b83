#include "student/hunt_source.h"

#include <stdlib.h>

static size_t times_of(double times, double number)
{
    enum { LEAST = 8 };
    return number * times > LEAST ? (size_t)(number * times) : LEAST;
}

hunt_effort hunt_effort_of(double times)
{
    return (hunt_effort){.edge_chains = times_of(times, 128),
                         .wide_rows = times_of(times, 512),
                         .told = times_of(times, 512),
                         .proposals = times_of(times, 8192)};
}

int hunt_source_open(hunt_source *self, size_t n, size_t dim, flow_err *err)
{
    *self = (hunt_source){.n = n, .dim = dim};
    self->x = malloc(n * (dim + 2) * sizeof *self->x);
    if (!self->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of a hunt", n);
    self->log_p = self->x + n * dim;
    self->log_q = self->log_p + n;
    return 0;
}

void hunt_source_close(hunt_source *self)
{
    free(self->x);
    *self = (hunt_source){.n = 0};
}
