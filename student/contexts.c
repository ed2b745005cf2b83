#include "student/contexts.h"

void distill_contexts_draw(const distill_contexts *self, double *to, size_t n, size_t c,
                           pcg_stream stream)
{
    pcg rng = pcg_at(stream, 0, 1);
    for (size_t r = 0; r < n; r++)
        data_numbers_copy(to + r * c, &self->rows, pcg_below(&rng, self->n), 1);
}

void distill_contexts_of_rows(const distill_contexts *self, double *to, double *u, uint64_t first,
                              size_t n, size_t c, pcg_stream stream)
{
    pcg_uniforms(u, stream, first, n, 1);
    for (size_t r = 0; r < n; r++) {
        size_t row = (size_t)(u[r] * (double)self->n);
        data_numbers_copy(to + r * c, &self->rows, row, 1);
    }
}
