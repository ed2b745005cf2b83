/* flow/block.h -- blocks of numbers that loops run over: aligned, zero, in large pages where that pays.
 */
#ifndef FLOW_BLOCK_H
#define FLOW_BLOCK_H

#include <stddef.h>

/* Zeroed, aligned to 64 bytes; at least one byte. free() releases it. NULL: out of memory. */
void *flow_block_new(size_t bytes);

/* The next n of a block of doubles that is cut into arrays. */
static inline double *flow_cut(double **from, size_t n)
{
    double *out = *from;
    *from += n;
    return out;
}

#endif
