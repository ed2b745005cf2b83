/* Random numbers: the generator against the reference program and NumPy, rows against serial draws,
 * distributions at fixed seeds. Each statistical check states its false-alarm rate: the chance that
 * a sound generator would fail it at a seed picked at random. */
#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define U128(hi, lo) (((pcg_u128)(hi) << 64) | (lo))
#define PI_L 3.14159265358979323846264338327950288L

static const pcg_stream stream = {.seed = 20240817, .stage = PCG_TEST, .purpose = PCG_BASE};

/* ---- known answers */

Test(pcg, reference_demo)
{
    /* check-pcg64.out of the PCG library: seed 42, stream 54. */
    const uint64_t want[] = {0x86b1da1d72062b68u, 0x1304aa46c9853d39u, 0xa3670e9e0dd50358u,
                             0xf9090e529a7dae00u, 0xc85b9fd837996f2cu, 0x606121f8e3919196u};
    pcg rng = pcg_seed(42, 54);
    for (size_t i = 0; i < 6; i++) {
        uint64_t got = pcg_next(&rng);
        cr_assert_eq(got, want[i], "draw %zu is %016lx", i, got);
    }
}

Test(pcg, numpy_with_advance)
{
    /* numpy.random.PCG64 with .state set to the reference seeding, .advance(k), .random_raw(). */
    const pcg_u128 steps[] = {
        0, 1, 1000, ((pcg_u128)1 << 40) + 12345, ((pcg_u128)1 << 100) + 987654321, (pcg_u128)0 - 3};
    const uint64_t small[] = {0x86b1da1d72062b68u, 0x1304aa46c9853d39u, 0xf771891bd1a77d13u,
                              0x32a45315a92c168fu, 0x227db4a0a713624cu, 0xac3ed19c9df52abdu};
    const uint64_t large[] = {0xb583376bd459f02cu, 0xd72ebedf910876b2u, 0xb7846dfb8edcc70bu,
                              0x8e78ee3c6f4b444au, 0x3955af8ea2bacd6cu, 0x646bcac81804d25fu};
    for (size_t i = 0; i < 6; i++) {
        pcg a = pcg_seed(42, 54);
        pcg b = pcg_seed(U128(0x1fb3b0c0d5a2e877u, 0x9a1c55e2d2b1f0a7u),
                         U128(0xdeadbeefcafef00du, 0x123456789abcdef1u));
        pcg_advance(&a, steps[i]);
        pcg_advance(&b, steps[i]);
        cr_assert_eq(pcg_next(&a), small[i], "case %zu, seed 42", i);
        cr_assert_eq(pcg_next(&b), large[i], "case %zu, 128-bit seed", i);
    }
}

Test(pcg, advance_is_stepping)
{
    pcg slow = pcg_seed(7, 11), start = slow;
    for (unsigned k = 0; k < 300; k++) {
        pcg fast = start;
        pcg_advance(&fast, k);
        cr_assert(fast.state == slow.state, "%u steps", k);
        pcg_advance(&fast, (pcg_u128)0 - k);
        cr_assert(fast.state == start.state, "%u steps back", k);
        pcg_next(&slow);
    }
}

/* FNV-1a over the bytes. */
static uint64_t digest(const void *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++)
        h = (h ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
    return h;
}

/* The promise that bits do not change between versions, compilers, flags and processors. A change
 * here breaks every stored run: it must be meant. */
Test(pcg, pinned_bits)
{
    double z[1001 * 3];
    pcg_normals(z, stream, 5, 1001, 3);
    cr_assert_eq(digest(z, sizeof z), 0xe7b43c17669227d0u, "normals: %016lx", digest(z, sizeof z));
    pcg_uniforms(z, stream, 5, 1001, 3);
    cr_assert_eq(digest(z, sizeof z), 0x1211a5dfa732b36eu, "uniforms: %016lx", digest(z, sizeof z));
    size_t order[1000];
    pcg_permutation(order, 1000, stream, 3);
    cr_assert_eq(digest(order, sizeof order), 0x4ccf92a18b80ae2du, "permutation: %016lx",
                 digest(order, sizeof order));
}

/* ---- rows */

Test(pcg, uniform_rows_are_serial_draws)
{
    const size_t widths[] = {1, 2, 3, 7, 64, 255, 256, 257, 600};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        size_t width = widths[k], n = 23;
        const uint64_t first = 0xffffffffffffff00u; /* row * width needs more than 64 bits */
        double *u = malloc(n * width * sizeof *u);
        pcg_uniforms(u, stream, first, n, width);
        for (size_t i = 0; i < n; i++) {
            pcg rng = pcg_at(stream, 0, width), at = pcg_at(stream, first + i, width);
            pcg_advance(&rng, ((pcg_u128)first + i) * (width + width % 2));
            cr_assert(at.state == rng.state, "width %zu, row %zu", width, i);
            for (size_t j = 0; j < width; j++)
                cr_assert_eq(u[i * width + j], pcg_uniform(&rng), "width %zu, row %zu, column %zu",
                             width, i, j);
        }
        free(u);
    }
}

/* sin of a full turn's fraction, 0 <= turn < 2: the nearest half turn is taken off before pi
 * enters. */
static long double sin_turn(long double turn)
{
    long double half = roundl(2 * turn);
    long double s = sinl(2 * PI_L * (turn - half / 2));
    return fmodl(half, 2) != 0 ? -s : s;
}

/* z1 = r cos, z2 = r sin of the exact uniforms, in extended precision. */
static void reference_normals(long double *z, uint64_t radius, uint64_t angle)
{
    long double r = sqrtl(-2 * logl((long double)((radius >> 11) + 1) * 0x1p-53L));
    long double turn = (long double)(angle >> 11) * 0x1p-53L;
    z[0] = r * sin_turn(turn + 0.25L);
    z[1] = r * sin_turn(turn);
}

static int within_ulps(double got, long double want, double ulps)
{
    double size = fabs((double)want), ulp = nextafter(size, INFINITY) - size;
    return fabsl((long double)got - want) <= (long double)(ulps * ulp) + 1e-18L;
}

Test(pcg, normal_rows_are_box_muller_of_serial_draws)
{
    const size_t widths[] = {1, 2, 5, 64, 301};
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        size_t width = widths[k], n = 41;
        const uint64_t first = 1234567;
        double *z = malloc(n * width * sizeof *z);
        pcg_normals(z, stream, first, n, width);
        for (size_t i = 0; i < n; i++) {
            pcg rng = pcg_at(stream, first + i, width);
            for (size_t j = 0; j < width; j += 2) {
                long double want[2];
                uint64_t radius = pcg_next(&rng);
                reference_normals(want, radius, pcg_next(&rng));
                for (size_t c = j; c < width && c < j + 2; c++)
                    cr_assert(within_ulps(z[i * width + c], want[c - j], 4),
                              "width %zu, row %zu, column %zu: %.17g, not %.20Lg", width, i, c,
                              z[i * width + c], want[c - j]);
            }
        }
        free(z);
    }
}

Test(pcg, rows_do_not_depend_on_the_batch)
{
    enum { N = 500 };
    pcg rng = pcg_seed(99, 1);
    for (size_t width = 1; width <= 9; width++) {
        static double all[N * 9], part[N * 9];
        pcg_normals(all, stream, 1000, N, width);
        for (int trial = 0; trial < 60; trial++) {
            size_t from = (size_t)pcg_below(&rng, N);
            size_t n = trial % 3 ? (size_t)pcg_below(&rng, N - from + 1) : 1;
            pcg_normals(part, stream, 1000 + from, n, width);
            cr_assert_eq(memcmp(part, all + from * width, n * width * sizeof *part), 0,
                         "width %zu, rows %zu + %zu", width, from, n);
        }
    }
}

Test(pcg, nothing_asked_nothing_written)
{
    double z[2] = {2.385, -0.713};
    pcg_normals(z, stream, 0, 0, 3);
    pcg_normals(z, stream, 0, 3, 0);
    pcg_uniforms(z, stream, 9, 0, 1);
    pcg_normals(z, stream, 0, 1, 1); /* one column of a row that is two draws wide */
    cr_assert_eq(z[1], -0.713);
    cr_assert_neq(z[0], 2.385);
}

/* ---- the copies of the kernel */

/* Draws at the edges of the map: ends, quadrants, the split of log at sqrt(1/2), long runs of bits.
 */
static void edge_draws(uint64_t *radius, uint64_t *angle, size_t n)
{
    pcg rng = pcg_seed(5, 5);
    for (size_t i = 0; i < n; i++) {
        uint64_t a = pcg_next(&rng), b = pcg_next(&rng);
        unsigned shift = (unsigned)pcg_below(&rng, 64);
        switch (i % 6) {
        case 0:
            a >>= shift;
            break;
        case 1:
            a = ~(a >> shift);
            break;
        case 2:
            a = 0xb504f333f9de6484u + (uint64_t)((int64_t)(a >> 50) - (1 << 13)) * 2048;
            break;
        case 3:
            b = (b >> 61 << 61) + (shift << 11);
            break;
        case 4:
            b = (b >> 61 << 61) - (shift << 11);
            break;
        default:
            break;
        }
        radius[i] = a;
        angle[i] = b;
    }
    radius[0] = angle[1] = 0;
    radius[1] = angle[0] = UINT64_MAX;
}

Test(pcg, kernels_agree_to_the_last_bit_and_are_accurate)
{
    enum { N = 30011 }; /* odd: leaves a remainder for every vector width */
    static uint64_t radius[N], angle[N];
    static double want[2 * N], got[2 * N];
    size_t count;
    const pcg_kernel *kernels = pcg_kernels(&count), *generic = kernels + count - 1;
    edge_draws(radius, angle, N);
    generic->normals(want, radius, angle, N);
    for (size_t k = 0; k + 1 < count; k++) {
        if (!kernels[k].supported())
            continue;
        kernels[k].normals(got, radius, angle, N);
        for (size_t i = 0; i < 2 * N; i++)
            cr_assert_eq(memcmp(got + i, want + i, sizeof *got), 0, "%s: draws %016lx %016lx",
                         kernels[k].name, radius[i / 2], angle[i / 2]);
    }
    for (size_t i = 0; i < 2 * N; i++) {
        long double exact[2];
        reference_normals(exact, radius[i / 2], angle[i / 2]);
        cr_assert(within_ulps(want[i], exact[i % 2], 4), "%016lx %016lx: %.17g, not %.20Lg",
                  radius[i / 2], angle[i / 2], want[i], exact[i % 2]);
    }
    cr_assert(fabs(want[0]) <= 8.58 && fabs(want[0]) > 8.57); /* the smallest radius draw */
    cr_assert(want[2] == 0 && want[3] == 0);                  /* the largest */
}

/* ---- streams */

Test(pcg, streams_have_nothing_in_common)
{
    /* First draws of 3 x 4 x 256 neighbouring streams: all distinct, and uniform. */
    enum { SEEDS = 256, N = 12 * SEEDS };
    double u[N], mean = 0, neighbour = 0;
    size_t n = 0;
    for (uint32_t stage = 1; stage <= 3; stage++)
        for (uint32_t purpose = 1; purpose <= 4; purpose++)
            for (uint64_t seed = 0; seed < SEEDS; seed++) {
                pcg rng = pcg_at((pcg_stream){seed, stage, purpose}, 0, 1);
                u[n] = pcg_uniform(&rng);
                for (size_t i = 0; i < n; i++)
                    cr_assert_neq(u[i], u[n], "streams %zu and %zu", i, n);
                mean += u[n++] / N;
            }
    for (size_t i = 0; i + 1 < N; i++)
        neighbour += 12 * (u[i] - 0.5) * (u[i + 1] - 0.5) / N;
    /* 5 sigma: false alarm 6e-7 each. */
    cr_assert_lt(fabs(mean - 0.5), 5 / sqrt(12.0 * N), "mean %g", mean);
    cr_assert_lt(fabs(neighbour), 5 / sqrt(N), "correlation of neighbours %g", neighbour);
}

Test(pcg, seed_stage_and_purpose_all_count)
{
    const pcg_stream a = {1, 2, 3}, others[] = {{2, 2, 3},
                                                {1, 3, 3},
                                                {1, 2, 4},
                                                {1, 3, 2},
                                                {((uint64_t)1 << 63) | 1, 2, 3}};
    pcg x = pcg_at(a, 0, 2);
    for (size_t i = 0; i < 5; i++) {
        pcg y = pcg_at(others[i], 0, 2);
        cr_assert(x.state != y.state && x.inc != y.inc, "stream %zu", i);
    }
}

/* ---- distributions */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov-Smirnov: sqrt(n) sup |F_n - F|; x is sorted in place. Above 2.69 with chance 1e-6. */
static double kolmogorov(double *x, size_t n, double (*cdf)(double))
{
    double worst = 0;
    qsort(x, n, sizeof *x, ascending);
    for (size_t i = 0; i < n; i++) {
        double f = cdf(x[i]);
        worst = fmax(worst, fmax(f - (double)i / (double)n, (double)(i + 1) / (double)n - f));
    }
    return sqrt((double)n) * worst;
}

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x * 0.70710678118654752);
}

static double uniform_cdf(double x)
{
    return x;
}

Test(pcg, uniforms_are_uniform)
{
    enum { N = 200000 };
    double *u = malloc(N * sizeof *u);
    pcg_uniforms(u, stream, 0, N / 4, 4);
    for (size_t i = 0; i < N; i++)
        cr_assert(u[i] >= 0 && u[i] < 1 && u[i] * 0x1p53 == floor(u[i] * 0x1p53), "%a", u[i]);
    double ks = kolmogorov(u, N, uniform_cdf);
    cr_assert_lt(ks, 2.69, "%g", ks); /* false alarm 1e-6 */
    free(u);
}

Test(pcg, normals_are_normal)
{
    enum { N = 1000000 };
    double *z = malloc(N * sizeof *z), m[5] = {0}, pair = 0, pair_squares = 0, biggest = 0;
    size_t beyond4 = 0;
    pcg_normals(z, stream, 0, N / 10, 10);
    for (size_t i = 0; i < N; i++) {
        double z2 = z[i] * z[i];
        m[1] += z[i] / N, m[2] += z2 / N, m[3] += z2 * z[i] / N, m[4] += z2 * z2 / N;
        beyond4 += fabs(z[i]) > 4;
        biggest = fmax(biggest, fabs(z[i]));
        if (i % 2) { /* the two of one Box-Muller pair */
            pair += z[i] * z[i - 1] * 2 / N;
            pair_squares += (z2 - 1) * (z[i - 1] * z[i - 1] - 1) * 2 / N;
        }
    }
    /* 5 sigma: false alarm 6e-7 each. Variances of z, z^2, z^3, z^4: 1, 2, 15, 96. */
    const double sigma = 5 / sqrt(N);
    cr_assert_lt(fabs(m[1]), sigma, "mean %g", m[1]);
    cr_assert_lt(fabs(m[2] - 1), sigma * sqrt(2), "variance %g", m[2]);
    cr_assert_lt(fabs(m[3]), sigma * sqrt(15), "third moment %g", m[3]);
    cr_assert_lt(fabs(m[4] - 3), sigma * sqrt(96), "fourth moment %g", m[4]);
    cr_assert_lt(fabs(pair), sigma * sqrt(2), "correlation of a pair %g", pair);
    cr_assert_lt(fabs(pair_squares), sigma * sqrt(8), "correlation of squares %g", pair_squares);
    /* Poisson with mean 63.3: outside 25 .. 110 with chance 1e-7. */
    cr_assert(beyond4 >= 25 && beyond4 <= 110, "%zu beyond 4 sigma", beyond4);
    cr_assert(biggest <= 8.58 && biggest > 4);
    double ks = kolmogorov(z, N, normal_cdf);
    cr_assert_lt(ks, 2.69, "%g", ks); /* false alarm 1e-6 */
    free(z);
}

/* sum (observed - expected)^2 / expected. */
static double chi_square(const size_t *counts, size_t cells, size_t n)
{
    double expected = (double)n / (double)cells, sum = 0;
    for (size_t i = 0; i < cells; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    return sum;
}

Test(pcg, below_is_unbiased)
{
    /* At 3/4 of 2^64 a plain multiply-and-shift returns every third value twice as often. */
    enum { N = 90000 };
    pcg rng = pcg_at(stream, 0, 1);
    size_t thirds[3] = {0}, sixths[6] = {0};
    for (size_t i = 0; i < N; i++) {
        uint64_t v = pcg_below(&rng, 0xc000000000000000u);
        cr_assert_lt(v, 0xc000000000000000u);
        thirds[v % 3]++;
        v = pcg_below(&rng, 6);
        cr_assert_lt(v, 6u);
        sixths[v]++;
        cr_assert_eq(pcg_below(&rng, 1), 0u);
    }
    /* Quantiles of chi^2 at 1 - 1e-6 for 2 and 5 degrees of freedom. */
    cr_assert_lt(chi_square(thirds, 3, N), 27.63, "%zu %zu %zu", thirds[0], thirds[1], thirds[2]);
    cr_assert_lt(chi_square(sixths, 6, N), 35.89);
}

Test(pcg, permutations)
{
    size_t order[1000];
    char seen[1000];
    const size_t sizes[] = {0, 1, 2, 17, 1000};
    for (size_t k = 0; k < 5; k++) {
        memset(seen, 0, sizeof seen);
        pcg_permutation(order, sizes[k], stream, k);
        for (size_t i = 0; i < sizes[k]; i++) {
            cr_assert(order[i] < sizes[k] && !seen[order[i]], "size %zu", sizes[k]);
            seen[order[i]] = 1;
        }
    }
}

Test(pcg, permutations_are_equally_likely)
{
    enum { N = 24000 };
    size_t counts[24] = {0}, order[4];
    for (uint64_t row = 0; row < N; row++) {
        pcg_permutation(order, 4, stream, row);
        size_t rank = 0; /* Lehmer code */
        for (size_t i = 0; i < 4; i++) {
            size_t smaller = 0;
            for (size_t j = i + 1; j < 4; j++)
                smaller += order[j] < order[i];
            rank = rank * (4 - i) + smaller;
        }
        counts[rank]++;
    }
    cr_assert_lt(chi_square(counts, 24, N), 70.5); /* 23 degrees of freedom: false alarm 1e-6 */
}
