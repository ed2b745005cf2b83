#include "files/encode.h"

#include <math.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "files/encode.c copies numbers as they lie in memory: it wants a little-endian machine"
#endif
_Static_assert(sizeof(float) == 4 && sizeof(double) == 8, "IEEE 754 single and double");

/* Half-way between the largest float and what would follow it: rounds to even, to infinity. */
#define FLOAT_OVERFLOW 0x1.ffffffp127

size_t file_encode_size(flow_precision precision)
{
    return precision == FLOW_F32 ? sizeof(float) : sizeof(double);
}

static size_t encode_f32(unsigned char *bytes, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (fabs(values[i]) >= FLOAT_OVERFLOW && isfinite(values[i]))
            return i;
        float rounded = (float)values[i];
        memcpy(bytes + i * sizeof rounded, &rounded, sizeof rounded);
    }
    return n;
}

size_t file_encode(void *bytes, const double *values, size_t n, flow_precision precision)
{
    if (precision == FLOW_F32)
        return encode_f32(bytes, values, n);
    if (n > 0)
        memcpy(bytes, values, n * sizeof *values);
    return n;
}

void file_decode(double *values, const void *bytes, size_t n, flow_precision precision)
{
    const unsigned char *from = bytes;
    if (precision == FLOW_F64 && n > 0)
        memcpy(values, from, n * sizeof *values);
    for (size_t i = 0; precision == FLOW_F32 && i < n; i++) {
        float value;
        memcpy(&value, from + i * sizeof value, sizeof value);
        values[i] = (double)value;
    }
}
