#include "teacher/numbers.h"

#include <stdlib.h>
#include <string.h>

static size_t size_of(flow_precision precision)
{
    return precision == FLOW_F32 ? sizeof(float) : sizeof(double);
}

int data_numbers_create(data_numbers *out, size_t n, size_t width, flow_precision precision,
                        flow_err *err)
{
    size_t count, bytes;
    *out = (data_numbers){.precision = precision, .width = width};
    if (!__builtin_mul_overflow(n, width, &count) &&
        !__builtin_mul_overflow(count, size_of(precision), &bytes))
        out->at = malloc(bytes + 1);
    return out->at ? FLOW_OK
                   : flow_fail(err, FLOW_ENOMEM, "no memory for %zu rows of %zu numbers", n, width);
}

data_numbers data_numbers_of(const double *x, size_t width)
{
    return (data_numbers){
        .at = (void *)(uintptr_t)x /* read only */, .precision = FLOW_F64, .width = width};
}

data_numbers data_numbers_from(const data_numbers *self, size_t first)
{
    data_numbers out = *self;
    if (out.at)
        out.at = (char *)self->at + first * self->width * size_of(self->precision);
    return out;
}

static size_t place(const data_numbers *self, size_t row)
{
    return (self->pick ? self->pick[row] : row) * self->width;
}

static void copy_row(double *to, const data_numbers *self, size_t at)
{
    if (self->precision == FLOW_F64) {
        memcpy(to, (const double *)self->at + at, self->width * sizeof *to);
        return;
    }
    const float *from = (const float *)self->at + at;
    for (size_t col = 0; col < self->width; col++)
        to[col] = (double)from[col];
}

void data_numbers_copy(double *to, const data_numbers *self, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        copy_row(to + i * self->width, self, place(self, first + i));
}

void data_numbers_put(const data_numbers *self, size_t row, const double *x)
{
    size_t at = row * self->width;
    if (self->precision == FLOW_F64) {
        memcpy((double *)self->at + at, x, self->width * sizeof *x);
        return;
    }
    float *to = (float *)self->at + at;
    for (size_t col = 0; col < self->width; col++)
        to[col] = (float)x[col];
}

double data_number(const data_numbers *self, size_t row, size_t col)
{
    size_t at = place(self, row) + col;
    return self->precision == FLOW_F64 ? ((const double *)self->at)[at]
                                       : (double)((const float *)self->at)[at];
}
