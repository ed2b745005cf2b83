/* An order of rows that is computed: each row once, both ways, and nothing that hangs together. */
#include "flow/shuffle.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static const pcg_stream stream = {.seed = 9, .stage = PCG_TEST, .purpose = PCG_SHUFFLE};

static void check_order(uint64_t n)
{
    flow_shuffle s = flow_shuffle_of(n, stream, 3);
    unsigned char *seen = calloc(n, 1);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t x = flow_shuffle_at(&s, i);
        cr_assert(x < n && !seen[x], "%zu of %zu rows: %zu twice", (size_t)i, (size_t)n, (size_t)x);
        cr_assert_eq(flow_shuffle_place(&s, x), i);
        seen[x] = 1;
    }
    free(seen);
}

Test(shuffle, each_row_once)
{
    for (uint64_t n = 1; n < 300; n++)
        check_order(n);
    check_order(65535);
    check_order(262145);
}

Test(shuffle, as_far_as_rows_go)
{
    const uint64_t n = (uint64_t)1 << 32;
    flow_shuffle s = flow_shuffle_of(n, stream, 1);
    for (uint64_t i = 0; i < n; i += 40000003)
        cr_assert(flow_shuffle_at(&s, i) < n &&
                  flow_shuffle_place(&s, flow_shuffle_at(&s, i)) == i);
}

/* Rows of a stream have orders of their own: two random ones of n agree in about one place, in ten by an accident of 1e-7. */
Test(shuffle, orders_differ)
{
    enum { N = 5000 };
    flow_shuffle one = flow_shuffle_of(N, stream, 1), two = flow_shuffle_of(N, stream, 2);
    int same = 0;
    for (uint64_t i = 0; i < N; i++)
        same += flow_shuffle_at(&one, i) == flow_shuffle_at(&two, i);
    cr_assert_lt(same, 10, "%d", same);
}

/* Chi-square of CELLS x CELLS counts, in standard deviations. */
enum { CELLS = 16, ROWS = 300007 };
static double excess(size_t counts[CELLS * CELLS])
{
    double want = (double)ROWS / (CELLS * CELLS), sum = 0, dof = CELLS * CELLS - 1;
    for (size_t k = 0; k < CELLS * CELLS; k++)
        sum += ((double)counts[k] - want) * ((double)counts[k] - want) / want;
    return (sum - dof) / sqrt(2 * dof);
}

static size_t cell(uint64_t x)
{
    return (size_t)(x * CELLS / ROWS);
}

/* Where a row goes by where it was, and where it goes by where its neighbours go, one and a root of n away. The seed is
 * fixed: no chance. A network of two rounds has hundreds. */
Test(shuffle, nothing_hangs_together)
{
    flow_shuffle s = flow_shuffle_of(ROWS, stream, 1);
    const uint64_t away[] = {0, 1, 2, 547, 548};
    for (size_t k = 0; k < sizeof away / sizeof *away; k++) {
        size_t counts[CELLS * CELLS] = {0};
        for (uint64_t i = 0; i < ROWS; i++) {
            uint64_t to = flow_shuffle_at(&s, i), other = (i + away[k]) % ROWS;
            size_t first = away[k] ? cell(flow_shuffle_at(&s, other)) : cell(i);
            counts[first * CELLS + cell(to)]++;
        }
        cr_expect(fabs(excess(counts)) < 4, "%zu away: %g", (size_t)away[k], excess(counts));
    }
}
