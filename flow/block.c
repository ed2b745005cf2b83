#define _DEFAULT_SOURCE /* madvise */
#include "flow/block.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE = 64, LARGE_PAGE = 1 << 21 };

/* A network of 1024 x 1024 is a thousand small pages, each of which stops the processor from reading
 * ahead at its end and, the first time, the program. Where the system has no large pages, nothing is
 * lost. */
void *flow_block_new(size_t bytes)
{
    size_t alignment = bytes >= LARGE_PAGE ? LARGE_PAGE : LINE;
    void *block;
    if (posix_memalign(&block, alignment, bytes ? bytes : 1))
        return NULL;
#ifdef MADV_HUGEPAGE
    if (alignment == LARGE_PAGE)
        madvise(block, bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
#endif
    memset(block, 0, bytes);
    return block;
}
