/* Blocks are aligned, zero to the last byte, and writable, on both sides of the size from which they
 * lie in large pages. */
#include "flow/block.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Test(block, zero_and_aligned)
{
    const size_t large = 1 << 21;
    const size_t sizes[] = {0, 1, 63, 64, 4097, large - 1, large, large + 1, 2 * large + 12345};
    for (int again = 0; again < 2; again++) /* the second time in memory that was used */
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            unsigned char *block = flow_block_new(sizes[s]);
            cr_assert(block);
            cr_assert_eq((uintptr_t)block % (sizes[s] < large ? 64 : large), 0, "%zu bytes",
                         sizes[s]);
            for (size_t i = 0; i < sizes[s]; i++)
                cr_assert_eq(block[i], 0, "byte %zu of %zu", i, sizes[s]);
            memset(block, 0xff, sizes[s]);
            free(block);
        }
}
