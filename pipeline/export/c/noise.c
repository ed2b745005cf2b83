/* ---- noise, addressed by (seed, row): PCG XSL-RR 128/64 (O'Neill 2014), whose streams are those of distill. The same
 * bits everywhere, so nothing here may become a fused multiply-add. */

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off,no-math-errno")
#elif defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

#if defined(__SIZEOF_INT128__) && !defined(WITHOUT_INT128)
__extension__ typedef unsigned __int128 wide;
#define WIDE(HIGH, LOW) ((wide)(HIGH) << 64 | (LOW))
#define HIGH_OF(X) ((uint64_t)((X) >> 64))
#define LOW_OF(X) ((uint64_t)(X))

static wide wide_add(wide a, wide b)
{
    return a + b;
}

static wide wide_multiply(wide a, wide b)
{
    return a * b;
}
#else
typedef struct wide {
    uint64_t high, low;
} wide;
#define HIGH_OF(X) ((X).high)
#define LOW_OF(X) ((X).low)

static wide WIDE(uint64_t high, uint64_t low)
{
    wide x;
    x.high = high;
    x.low = low;
    return x;
}

static wide wide_add(wide a, wide b)
{
    const uint64_t low = a.low + b.low;
    return WIDE(a.high + b.high + (low < a.low), low);
}

static wide wide_multiply(wide a, wide b)
{
    const uint64_t mask = 0xffffffffu, a0 = a.low & mask, a1 = a.low >> 32;
    const uint64_t b0 = b.low & mask, b1 = b.low >> 32;
    const uint64_t p0 = a0 * b0, p1 = a1 * b0 + (p0 >> 32), p2 = a0 * b1 + (p1 & mask);
    const uint64_t carried = a1 * b1 + (p1 >> 32) + (p2 >> 32);
    return WIDE(carried + a.high * b.low + a.low * b.high, p2 << 32 | (p0 & mask));
}
#endif

typedef struct pcg {
    wide state, inc;
} pcg;

static wide pcg_multiplier(void)
{
    return WIDE(2549297995355413924u, 4865540595714422341u);
}

static uint64_t pcg_next(pcg *self)
{
    self->state = wide_add(wide_multiply(self->state, pcg_multiplier()), self->inc);
    const uint64_t high = HIGH_OF(self->state), x = high ^ LOW_OF(self->state);
    const unsigned r = (unsigned)(high >> 58);
    return x >> r | x << ((64 - r) & 63);
}

/* SplitMix64's finaliser after its increment. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* count 64-bit steps of `each` draws on. */
static void pcg_advance(pcg *self, uint64_t count, uint64_t each)
{
    wide steps = wide_multiply(WIDE(0, count), WIDE(0, each)), add = self->inc;
    wide mul = pcg_multiplier(), total_mul = WIDE(0, 1), total_add = WIDE(0, 0);
    uint64_t low = LOW_OF(steps), high = HIGH_OF(steps);
    for (; low | high; low = low >> 1 | high << 63, high >>= 1) {
        if (low & 1) {
            total_mul = wide_multiply(total_mul, mul);
            total_add = wide_add(wide_multiply(total_add, mul), add);
        }
        add = wide_multiply(add, wide_add(mul, WIDE(0, 1)));
        mul = wide_multiply(mul, mul);
    }
    self->state = wide_add(wide_multiply(self->state, total_mul), total_add);
}

/* Row `first` of a stream whose rows take `width` draws, an even number. */
static pcg pcg_at(uint64_t seed, uint64_t stage, uint64_t purpose, uint64_t first, uint64_t width)
{
    const uint64_t name = stage << 32 | purpose;
    const uint64_t a = mix(mix(seed) ^ name), b = mix(mix(~name) + seed);
    const wide sequence = WIDE(mix(~a), mix(~b));
    pcg self;
    self.inc = WIDE(HIGH_OF(sequence) << 1 | LOW_OF(sequence) >> 63, LOW_OF(sequence) << 1 | 1);
    self.state = WIDE(0, 0);
    pcg_next(&self);
    self.state = wide_add(self.state, WIDE(mix(a), mix(b)));
    pcg_next(&self);
    pcg_advance(&self, first, width);
    return self;
}
