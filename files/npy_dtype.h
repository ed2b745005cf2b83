/* files/npy_dtype.h -- the numbers that .npy files may hold, as bytes. */
#ifndef FILES_NPY_DTYPE_H
#define FILES_NPY_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/* One of NumPy's plain numbers: 'f' of 2, 4 or 8 bytes, 'i' and 'u' of 1, 2, 4 or 8, 'b' (bool) of 1. */
typedef struct npy_dtype {
    char kind;
    size_t size;  /* bytes of a number */
    bool swapped; /* big-endian */
} npy_dtype;

/* From "<f8", "|u1", "=i4"; false if it is none of those. '=' is the writer's own order, which is taken
 * for little-endian: no machine that NumPy runs on today is another. */
bool npy_dtype_parse(npy_dtype *self, const char *text, size_t len);

/* values (n) from bytes (n * size), in any alignment; a 64-bit integer is rounded to the nearest
 * double. Swapped bytes are put right in place. */
void npy_decode(double *values, unsigned char *bytes, size_t n, const npy_dtype *dtype);

#endif
