/* ---- normal numbers: Box, Muller 1958, by straight-line code */

static uint64_t double_bits(double x)
{
    uint64_t b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static double bits_double(uint64_t b)
{
    double x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* An integer below 2^53, by its halves in the mantissas of 2^84 and 2^52. */
static double exact_double(uint64_t i)
{
    const double high = bits_double(0x4530000000000000u | i >> 32);
    const double low = bits_double(0x4330000000000000u | (i & 0xffffffffu));
    return (high - (0x1p84 + 0x1p52)) + low;
}

/* log of a normal number in [2^-63, 2^63]; with f = m - 1 and s = f / (2 + f), log m = 2 atanh s. */
static double log_positive(double u)
{
    const uint64_t sqrt_half = 0x3fe6a09e667f3bcdu, bias = (uint64_t)64 << 52;
    const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
    const uint64_t biased_k = (double_bits(u) - sqrt_half + bias) >> 52;
    const double k = bits_double(0x4330000000000000u | biased_k) - (0x1p52 + 64);
    const double f = bits_double(double_bits(u) - (biased_k << 52) + bias) - 1;
    const double s = f / (2 + f), z = s * s, half_f2 = 0.5 * f * f;
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
    return k * ln2_high - ((half_f2 - (s * (half_f2 + r * z) + k * ln2_low)) - f);
}

/* |t| <= pi / 4 */
static double sin_small(double t, double t2)
{
    double p = 1.0 / 355687428096000;
    p = p * t2 - 1.0 / 1307674368000;
    p = p * t2 + 1.0 / 6227020800;
    p = p * t2 - 1.0 / 39916800;
    p = p * t2 + 1.0 / 362880;
    p = p * t2 - 1.0 / 5040;
    p = p * t2 + 1.0 / 120;
    p = p * t2 - 1.0 / 6;
    return t + t * t2 * p;
}

static double cos_small(double t2)
{
    double p = 1.0 / 20922789888000;
    p = p * t2 - 1.0 / 87178291200;
    p = p * t2 + 1.0 / 479001600;
    p = p * t2 - 1.0 / 3628800;
    p = p * t2 + 1.0 / 40320;
    p = p * t2 - 1.0 / 720;
    p = p * t2 + 1.0 / 24;
    const double half = 0.5 * t2, near_one = 1 - half;
    return near_one + ((1 - near_one - half) + t2 * t2 * p);
}

/* cos and sin of 2 pi u, u = draw's 53 high bits / 2^53. */
static void cos_sin_turn(double *cos_out, double *sin_out, uint64_t draw)
{
    const double round = 0x1.8p52, turns4 = exact_double(draw >> 11) * 0x1p-51;
    const double shifted = turns4 + round;
    const uint64_t quadrant = double_bits(shifted);
    const double t = (turns4 - (shifted - round)) * 0x1.921fb54442d18p0, t2 = t * t;
    const uint64_t s = double_bits(sin_small(t, t2)), c = double_bits(cos_small(t2));
    const uint64_t swap = (s ^ c) & (0 - (quadrant & 1));
    *cos_out = bits_double((c ^ swap) ^ ((quadrant + 1) & 2) << 62);
    *sin_out = bits_double((s ^ swap) ^ (quadrant & 2) << 62);
}

enum { PAIRS = 16 };

/* PAIRS pairs of normal numbers. */
static void box_muller(double *restrict even, double *restrict odd, const uint64_t *restrict radius,
                       const uint64_t *restrict angle)
{
    for (int i = 0; i < PAIRS; i++) {
        const double u = (exact_double(radius[i] >> 11) + 1) * 0x1p-53;
        const double r = sqrt(-2 * log_positive(u));
        double c, s;
        cos_sin_turn(&c, &s, angle[i]);
        even[i] = r * c;
        odd[i] = r * s;
    }
}

/* z (n, L): a row of an odd number of columns leaves its last draw. */
static void normal_rows(double *z, pcg *rng, int n)
{
    enum { A_ROW = (L + 1) / 2 };
    uint64_t radius[PAIRS] = {0}, angle[PAIRS] = {0};
    double even[PAIRS], odd[PAIRS];
    for (int first = 0; first < n * A_ROW; first += PAIRS) {
        const int left = n * A_ROW - first, some = left < PAIRS ? left : PAIRS;
        for (int i = 0; i < some; i++) {
            radius[i] = pcg_next(rng);
            angle[i] = pcg_next(rng);
        }
        box_muller(even, odd, radius, angle);
        for (int i = 0; i < some; i++) {
            const int row = (first + i) / A_ROW, col = 2 * ((first + i) % A_ROW);
            z[row * L + col] = even[i];
            if (col + 1 < L)
                z[row * L + col + 1] = odd[i];
        }
    }
}
