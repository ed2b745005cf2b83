/* flow/pcg.c -- the generator, its streams, and normal numbers in bulk.
 *
 * Speed. A 128-bit congruential step has a latency of several cycles, so bulk draws run LANES
 * copies of the recurrence, each jumping LANES steps at once: the same numbers in the same order.
 * The normals are Box-Muller over a tile of draws, in a loop without branches or calls that
 * compilers vectorise.
 *
 * Bits. A fused multiply-add would make the copies of that loop differ, so it is switched off here,
 * whatever the flags: GCC by the pragma below. Clang 14 ignores its own pragma under
 * -ffp-contract=fast, so there the copies are for instruction sets without the instruction.
 *
 * Papers: O'Neill 2014 (PCG); Brown 1994, "Random number generation with arbitrary strides"
 * (advance); Steele, Lea, Flood 2014 (SplitMix, the hash); Lemire 2019, "Fast random integer
 * generation in an interval"; Box, Muller 1958; the splitting of log follows Tang 1990 and the
 * FreeBSD msun notes. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=off")
#endif

#include "flow/pcg.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define U128(hi, lo) (((pcg_u128)(hi) << 64) | (lo))

/* 47026247687942121848144207491837523525 */
#define MULTIPLIER U128(2549297995355413924u, 4865540595714422341u)

/* ---- the generator */

static inline uint64_t xsl_rr(pcg_u128 state)
{
    uint64_t high = (uint64_t)(state >> 64);
    uint64_t x = high ^ (uint64_t)state;
    unsigned r = (unsigned)(high >> 58);
    return x >> r | x << (-r & 63);
}

pcg pcg_seed(pcg_u128 initstate, pcg_u128 initseq)
{
    pcg self = {0, initseq << 1 | 1};
    pcg_next(&self);
    self.state += initstate;
    pcg_next(&self);
    return self;
}

uint64_t pcg_next(pcg *self)
{
    self->state = self->state * MULTIPLIER + self->inc;
    return xsl_rr(self->state);
}

/* k steps are one step with multiplier A^k and increment c (1 + A + ... + A^(k-1)); both by
 * squaring. */
void pcg_advance(pcg *self, pcg_u128 steps)
{
    pcg_u128 total_mul = 1, total_add = 0, mul = MULTIPLIER, add = self->inc;
    for (; steps; steps >>= 1) {
        if (steps & 1) {
            total_mul *= mul;
            total_add = total_add * mul + add;
        }
        add *= mul + 1;
        mul *= mul;
    }
    self->state = self->state * total_mul + total_add;
}

static inline double to_uniform(uint64_t draw)
{
    return (double)(draw >> 11) * 0x1p-53;
}

double pcg_uniform(pcg *self)
{
    return to_uniform(pcg_next(self));
}

uint64_t pcg_below(pcg *self, uint64_t bound)
{
    assert(bound > 0);
    pcg_u128 m = (pcg_u128)pcg_next(self) * bound;
    if ((uint64_t)m < bound) { /* only now can the low half fall among the 2^64 mod bound values */
        uint64_t reject = (0 - bound) % bound;
        while ((uint64_t)m < reject)
            m = (pcg_u128)pcg_next(self) * bound;
    }
    return (uint64_t)(m >> 64);
}

/* ---- streams */

/* SplitMix64's finaliser after its increment: a bijection of 64-bit words. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Two 64-bit keys, each a bijection of the seed for a fixed name and of the name for a fixed seed:
 * streams coincide only where both keys do. State and increment get a half from either key. */
static pcg stream_start(pcg_stream stream)
{
    uint64_t name = (uint64_t)stream.stage << 32 | stream.purpose;
    uint64_t a = mix(mix(stream.seed) ^ name);
    uint64_t b = mix(mix(~name) + stream.seed);
    return pcg_seed(U128(mix(a), mix(b)), U128(mix(~a), mix(~b)));
}

pcg pcg_at(pcg_stream stream, uint64_t row, size_t width)
{
    pcg self = stream_start(stream);
    pcg_advance(&self, (pcg_u128)row * (width + (width & 1)));
    return self;
}

/* The row goes through the hash. Rows a large power of two of draws apart would not do: 2^64 steps
 * of a 128-bit congruential generator leave the low half of the state as it is. */
void pcg_permutation(size_t *order, size_t n, pcg_stream stream, uint64_t row)
{
    stream.seed = mix(stream.seed + mix(row));
    pcg rng = stream_start(stream);
    for (size_t i = 0; i < n; i++) {
        size_t j = (size_t)pcg_below(&rng, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

void pcg_permutation_32(uint32_t *order, size_t n, pcg_stream stream, uint64_t row)
{
    stream.seed = mix(stream.seed + mix(row));
    pcg rng = stream_start(stream);
    for (size_t i = 0; i < n; i++) {
        size_t j = (size_t)pcg_below(&rng, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
}

/* ---- bulk draws */

enum {
    LANES = 4,
    TILE = 128
}; /* TILE: pairs of draws; 4 kB of numbers, in the first-level cache */

typedef struct lanes {
    pcg_u128 state[LANES], inc; /* inc of LANES steps at once */
} lanes;

#define MULTIPLIER_2 (MULTIPLIER * MULTIPLIER)
#define MULTIPLIER_4 (MULTIPLIER_2 * MULTIPLIER_2)

static lanes lanes_from(pcg rng)
{
    lanes self = {.inc = rng.inc * (MULTIPLIER + 1) * (MULTIPLIER_2 + 1)};
    for (size_t lane = 0; lane < LANES; lane++) {
        pcg_next(&rng);
        self.state[lane] = rng.state;
    }
    return self;
}

/* Draws 0, 2, 4, ... go to even, 1, 3, 5, ... to odd; pairs is rounded up to LANES / 2. */
static void lanes_fill(lanes *self, uint64_t *even, uint64_t *odd, size_t pairs)
{
    pcg_u128 s0 = self->state[0], s1 = self->state[1], s2 = self->state[2], s3 = self->state[3];
    const pcg_u128 inc = self->inc;
    for (size_t i = 0; i < pairs; i += LANES / 2) {
        even[i] = xsl_rr(s0);
        odd[i] = xsl_rr(s1);
        even[i + 1] = xsl_rr(s2);
        odd[i + 1] = xsl_rr(s3);
        s0 = s0 * MULTIPLIER_4 + inc;
        s1 = s1 * MULTIPLIER_4 + inc;
        s2 = s2 * MULTIPLIER_4 + inc;
        s3 = s3 * MULTIPLIER_4 + inc;
    }
    self->state[0] = s0, self->state[1] = s1, self->state[2] = s2, self->state[3] = s3;
}

/* ---- the Box-Muller kernel: straight-line code, the same for every element */

static inline uint64_t bits_of(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static inline double from_bits(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* An integer below 2^53 as a double, exactly, by placing its halves in the mantissas of 2^84 and
 * 2^52: vector units before AVX-512DQ cannot convert 64-bit integers. */
static inline double exact(uint64_t i)
{
    double high = from_bits(0x4530000000000000u | i >> 32);
    double low = from_bits(0x4330000000000000u | (i & 0xffffffffu));
    return (high - (0x1p84 + 0x1p52)) + low;
}

/* log of a normal number in [2^-63, 2^63]. u = 2^k m with m in [sqrt(1/2), sqrt(2)); with f = m - 1
 * and s = f / (2 + f), log m = 2 atanh s = f - (f^2/2 - s (f^2/2 + R)), R = 2 s^2/3 + 2 s^4/5 + ...
 * (|s| < .172: the first term left out is below 2^-60). ln 2 is split so that k * LN2_HIGH is
 * exact. */
static inline double log_positive(double u)
{
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcdu, bias = (uint64_t)64 << 52;
    const double LN2_HIGH = 0x1.62e42feep-1, LN2_LOW = 0x1.a39ef35793c76p-33;
    uint64_t biased_k = (bits_of(u) - sqrt_half + bias) >> 52;
    double k = from_bits(0x4330000000000000u | biased_k) - (0x1p52 + 64);
    double f = from_bits(bits_of(u) - (biased_k << 52) + bias) - 1;
    double s = f / (2 + f), z = s * s, half_f2 = 0.5 * f * f;
    double r = 2.0 / 23;
    r = r * z + 2.0 / 21;
    r = r * z + 2.0 / 19;
    r = r * z + 2.0 / 17;
    r = r * z + 2.0 / 15;
    r = r * z + 2.0 / 13;
    r = r * z + 2.0 / 11;
    r = r * z + 2.0 / 9;
    r = r * z + 2.0 / 7;
    r = r * z + 2.0 / 5;
    r = r * z + 2.0 / 3;
    return k * LN2_HIGH - ((half_f2 - (s * (half_f2 + r * z) + k * LN2_LOW)) - f);
}

/* Taylor series on |t| <= pi/4; the first term left out is below 2^-58 of the result. */
static inline double sin_small(double t, double t2)
{
    double p = 1.0 / 355687428096000; /* 1/17! */
    p = p * t2 - 1.0 / 1307674368000;
    p = p * t2 + 1.0 / 6227020800;
    p = p * t2 - 1.0 / 39916800;
    p = p * t2 + 1.0 / 362880;
    p = p * t2 - 1.0 / 5040;
    p = p * t2 + 1.0 / 120;
    p = p * t2 - 1.0 / 6;
    return t + t * t2 * p;
}

static inline double cos_small(double t2)
{
    double p = 1.0 / 20922789888000; /* 1/16! */
    p = p * t2 - 1.0 / 87178291200;
    p = p * t2 + 1.0 / 479001600;
    p = p * t2 - 1.0 / 3628800;
    p = p * t2 + 1.0 / 40320;
    p = p * t2 - 1.0 / 720;
    p = p * t2 + 1.0 / 24;
    double half = 0.5 * t2, near_one = 1 - half;
    return near_one + ((1 - near_one - half) + t2 * t2 * p);
}

/* cos and sin of 2 pi u, u = draw's 53 high bits / 2^53. 4 u = quadrant + y with |y| <= 1/2 is
 * exact; an odd quadrant swaps the two, and two sign bits follow from the quadrant. */
static inline void cos_sin_turn(double *cos_out, double *sin_out, uint64_t draw)
{
    const double round = 0x1.8p52; /* adding it leaves no room for a fraction */
    double turns4 = exact(draw >> 11) * 0x1p-51, shifted = turns4 + round;
    uint64_t quadrant = bits_of(shifted);
    double t = (turns4 - (shifted - round)) * 0x1.921fb54442d18p0, t2 = t * t;
    uint64_t s = bits_of(sin_small(t, t2)), c = bits_of(cos_small(t2));
    uint64_t swap = (s ^ c) & (0 - (quadrant & 1));
    *cos_out = from_bits((c ^ swap) ^ ((quadrant + 1) & 2) << 62);
    *sin_out = from_bits((s ^ swap) ^ (quadrant & 2) << 62);
}

/* The radius draw gives a uniform on (0, 1], so the log is finite; 2^-53 maps to 8.57. */
__attribute__((always_inline)) static inline void box_muller(double *restrict z,
                                                             const uint64_t *restrict radius,
                                                             const uint64_t *restrict angle,
                                                             size_t pairs)
{
    for (size_t i = 0; i < pairs; i++) {
        double r = sqrt(-2 * log_positive((exact(radius[i] >> 11) + 1) * 0x1p-53)), c, s;
        cos_sin_turn(&c, &s, angle[i]);
        z[2 * i] = r * c;
        z[2 * i + 1] = r * s;
    }
}

/* One copy of the kernel per instruction set. */
#define KERNEL(isa, target, test)                                                                  \
    target static void normals_##isa(double *z, const uint64_t *radius, const uint64_t *angle,     \
                                     size_t pairs)                                                 \
    {                                                                                              \
        box_muller(z, radius, angle, pairs);                                                       \
    }                                                                                              \
    static int supported_##isa(void)                                                               \
    {                                                                                              \
        return test;                                                                               \
    }

#define ROW(isa)                                                                                   \
    {                                                                                              \
        .name = #isa, .supported = supported_##isa, .normals = normals_##isa                       \
    }

KERNEL(generic, , 1)
#if defined(__x86_64__)
KERNEL(avx2, __attribute__((target("avx2"))), __builtin_cpu_supports("avx2"))
#endif
#if defined(__x86_64__) && !defined(__clang__)
KERNEL(avx512, __attribute__((target("avx512f,avx512dq,prefer-vector-width=512"))),
       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
#endif

static const pcg_kernel kernels[] = {
#if defined(__x86_64__) && !defined(__clang__)
    ROW(avx512),
#endif
#if defined(__x86_64__)
    ROW(avx2),
#endif
    ROW(generic)};

const pcg_kernel *pcg_kernels(size_t *count)
{
    *count = sizeof kernels / sizeof kernels[0];
    return kernels;
}

/* ---- rows of numbers */

static void uniforms(double *z, const uint64_t *even, const uint64_t *odd, size_t pairs)
{
    for (size_t i = 0; i < pairs; i++) {
        z[2 * i] = to_uniform(even[i]);
        z[2 * i + 1] = to_uniform(odd[i]);
    }
}

/* Copies count numbers of padded rows, the first being in column *column, without the padding. */
static double *copy_rows(double *out, size_t *column, const double *z, size_t count, size_t width)
{
    if (width % 2 == 0) {
        memcpy(out, z, count * sizeof *z);
        return out + count;
    }
    size_t c = *column;
    for (size_t i = 0; i < count; i++) {
        if (c < width)
            *out++ = z[i];
        c = c == width ? 0 : c + 1;
    }
    *column = c;
    return out;
}

static void fill_rows(double *out, pcg_stream stream, uint64_t first, size_t n, size_t width,
                      void (*map)(double *, const uint64_t *, const uint64_t *, size_t))
{
    double z[2 * TILE];
    uint64_t even[TILE], odd[TILE];
    size_t column = 0, left = n * (width / 2 + (width & 1)); /* pairs */
    lanes rng = lanes_from(pcg_at(stream, first, width));
    while (left) {
        size_t pairs = left < TILE ? left : TILE;
        lanes_fill(&rng, even, odd, pairs);
        map(z, even, odd, pairs);
        out = copy_rows(out, &column, z, 2 * pairs, width);
        left -= pairs;
    }
}

void pcg_normals(double *out, pcg_stream stream, uint64_t first, size_t n, size_t width)
{
    const pcg_kernel *kernel = kernels;
    while (!kernel->supported())
        kernel++;
    fill_rows(out, stream, first, n, width, kernel->normals);
}

void pcg_uniforms(double *out, pcg_stream stream, uint64_t first, size_t n, size_t width)
{
    fill_rows(out, stream, first, n, width, uniforms);
}
