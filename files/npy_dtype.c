#include "files/npy_dtype.h"

#include "files/encode.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* With the sizes, in bytes, that are read. */
static const struct {
    char kind;
    const char *sizes;
} kinds[] = {{'f', "248"}, {'i', "1248"}, {'u', "1248"}, {'b', "1"}};

bool npy_dtype_parse(npy_dtype *self, const char *text, size_t len)
{
    if (len != 3 || !memchr("<>=|", text[0], 4))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text[1] == kinds[i].kind && strchr(kinds[i].sizes, text[2]) && text[2]) {
            *self = (npy_dtype){text[1], (size_t)(text[2] - '0'), text[0] == '>'};
            return true;
        }
    return false;
}

static void swap(unsigned char *bytes, size_t n, size_t size)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < size / 2; j++) {
            unsigned char *a = bytes + i * size + j, *b = bytes + (i + 1) * size - 1 - j, c = *a;
            *a = *b;
            *b = c;
        }
}

/* IEEE 754 half precision: a sign, 5 bits of exponent, 10 of fraction. */
static double half(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                  : exponent == 0 ? ldexp(fraction, -24)
                                  : ldexp(fraction + 1024, exponent - 25);
    return bits & 0x8000 ? -size : size;
}

/* `size` little-endian bytes; a negative number has its ones in the bytes above, too. */
static double whole(const unsigned char *bytes, size_t size, bool is_signed)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits |= (uint64_t)bytes[i] << 8 * i;
    if (!is_signed || !(bytes[size - 1] & 0x80))
        return (double)bits;
    return -(double)((~bits & (UINT64_MAX >> (64 - 8 * size))) + 1);
}

void npy_decode(double *values, unsigned char *bytes, size_t n, const npy_dtype *dtype)
{
    size_t size = dtype->size;
    if (dtype->swapped)
        swap(bytes, n, size);
    if (dtype->kind == 'f' && size > 2) {
        file_decode(values, bytes, n, size == 4 ? FLOW_F32 : FLOW_F64);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const unsigned char *at = bytes + i * size;
        values[i] = dtype->kind == 'f'   ? half((unsigned)at[0] | (unsigned)at[1] << 8)
                    : dtype->kind == 'b' ? (double)(*at != 0)
                                         : whole(at, size, dtype->kind == 'i');
    }
}
