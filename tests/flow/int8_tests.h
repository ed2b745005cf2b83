/* tests/flow/int8_tests.h -- maps in bytes against plain loops over whole numbers; see kernel_tests.h, of the compilation
 * that rounds. */
#include "flow/layer/stair_int8.h"

/* Kernels: of this instruction set as it is, and of the one for products of bytes, where there is one. */
static const char *const byte_words[] = {FLOW_TEXT(FLOW_ISA), FLOW_TEXT(FLOW_ISA) "_vnni"};
enum { N_BYTE_WORDS = sizeof byte_words / sizeof *byte_words };

static int byte_word_runs(size_t w)
{
    return w == 0 || (int8_kernel_vnni.isa && int8_kernel_vnni.supported());
}

/* A staircase rounded for random ranges, and random inputs: column 0 the average one, column 1 all at their end. */
typedef struct byte_case {
    stair_case s;
    stair_int8 map;
    size_t levels;                     /* 256, or 65536 in two arrays of words */
    real *block, *lo, *inverse, *mean; /* (n_words), (cols) each */
    word *lower, *upper;               /* (quads', ld) */
} byte_case;

static const size_t byte_lds[] = {1, 16, 48, 80, 128};
enum { N_BYTE_LDS = sizeof byte_lds / sizeof *byte_lds };

static void take_kernel(byte_case *b, const char *isa)
{
    setenv("FLOW_ISA", isa, 1);
    b->map = stair_int8_of(&b->s.map);
    cr_assert_str_eq(b->map.kernel->isa, isa);
    free(b->block);
    b->block = reals_new(b->map.n_words);
    double *scratch = malloc(b->s.cols * sizeof *scratch);
    stair_int8_round(&b->map, b->block, b->s.theta, b->lo, b->inverse, b->mean, NULL, scratch);
    free(scratch);
}

static size_t level_of(const byte_case *b, size_t k, size_t j)
{
    const byte *low = (const byte *)b->lower, *high = (const byte *)b->upper;
    size_t at = int8_at(k, j, b->s.ld);
    return b->levels > 256 ? low[at] + 256u * high[at] : low[at];
}

static void set_level(byte_case *b, size_t k, size_t j, size_t level)
{
    ((byte *)b->lower)[int8_at(k, j, b->s.ld)] = (byte)(level % 256);
    ((byte *)b->upper)[int8_at(k, j, b->s.ld)] = (byte)(level / 256);
}

/* Every seventh unit never moved. */
static void make_range(byte_case *b, size_t k, pcg *rng)
{
    size_t average = (size_t)pcg_below(rng, b->levels);
    double step = (0.2 + pcg_uniform(rng)) * 8 / (double)b->levels;
    b->lo[k] = (real)(4 * pcg_uniform(rng) - 4);
    b->inverse[k] = k % 7 == 3 ? 0 : (real)(1 / step);
    b->mean[k] =
        k % 7 == 3 ? b->lo[k] : (real)((double)b->lo[k] + (double)average / (double)b->inverse[k]);
    set_level(b, k, 0, average);
}

static void byte_case_open(byte_case *b, size_t number, size_t ld, size_t levels)
{
    *b = (byte_case){.levels = levels};
    stair_case_open(&b->s, number, ld);
    for (size_t k = 0; k < b->s.limit[0];
         k++) /* a row of the largest sum: 127 everywhere, on even ranges */
        b->s.dense[k] = 0.5;
    stair_set_weight(&b->s.map, b->s.theta, b->s.dense);
    size_t quads = flow_pad(b->s.cols), n = quads * 4 * ld;
    pcg rng =
        pcg_at((pcg_stream){.seed = 7 * number + ld, .stage = PCG_TEST, .purpose = PCG_BASE}, 0, n);
    real **owned[] = {&b->lo, &b->inverse, &b->mean};
    for (size_t i = 0; i < 3; i++)
        *owned[i] = reals_new(b->s.cols);
    b->lower = aligned_alloc(64, (n + 63) / 64 * 64);
    b->upper = aligned_alloc(64, (n + 63) / 64 * 64);
    for (size_t i = 0; i < n; i++) /* behind the last input, too */
        set_level(b, i / 4 / ld * 4 + i % 4, i / 4 % ld, (size_t)pcg_below(&rng, levels));
    for (size_t k = 0; k < b->s.cols; k++)
        make_range(b, k, &rng);
    for (size_t k = 0; k < b->s.cols && ld > 1; k++)
        set_level(b, k, 1, levels - 1);
}

static void byte_case_close(byte_case *b)
{
    void *owned[] = {b->block, b->lo, b->inverse, b->mean, b->lower, b->upper};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    stair_case_close(&b->s);
}

static void each_byte_case(void (*check)(byte_case *b, size_t number))
{
    for (size_t number = 0; number < N_STAIRS; number += UNLESS_SANITIZED(1, 3))
        for (size_t l = 0; l < 2 * N_BYTE_LDS; l++) {
            byte_case b;
            byte_case_open(&b, number, byte_lds[l / 2], l % 2 ? 65536 : 256);
            for (size_t w = 0; w < N_BYTE_WORDS && byte_word_runs(w); w++) {
                take_kernel(&b, byte_words[w]);
                check(&b, number);
            }
            byte_case_close(&b);
        }
}

static void byte_product(const byte_case *b, real *y, const real *add, size_t row0, size_t row1)
{
    if (b->levels > 256)
        stair_int8_product_wide(&b->map, y, b->block, b->lower, b->upper, add, row0, row1, b->s.ld);
    else
        stair_int8_product(&b->map, y, b->block, b->lower, add, row0, row1, b->s.ld);
}

/* ---- what it means: y = W x + b of the inputs that the bytes stand for, off by half a step of a weight times the
 * distance of the input from its average; at the average by nothing */

static double step_of_input(const byte_case *b, size_t k)
{
    return b->inverse[k] > 0 ? 1 / (double)b->inverse[k] : 0;
}

/* What a whole weight of row m stands for. */
static double naive_scale(const byte_case *b, size_t m)
{
    double most = 0;
    for (size_t k = 0; k < b->s.limit[m]; k++)
        most = fmax(most, fabs((double)(real)b->s.dense[m * b->s.cols + k] * step_of_input(b, k)));
    return (double)(real)(most / 127);
}

static void check_meaning(byte_case *b, size_t number)
{
    const stair_case *s = &b->s;
    byte_product(b, s->y, s->add, 0, s->rows);
    for (size_t i = 0; i < s->rows * s->ld; i++) {
        size_t m = i / s->ld, j = i % s->ld;
        double want = s->bias[m] + (double)s->add[i], room = 4 * EPS * fabs(want);
        for (size_t k = 0; k < s->limit[m]; k++) {
            double step = step_of_input(b, k), w = s->dense[m * s->cols + k];
            double x = (double)b->lo[k] + step * (double)level_of(b, k, j);
            double apart = fabs(x - (double)b->mean[k]) / (step > 0 ? step : 1);
            want += w * x;
            room += 4 * EPS * fabs(w) * (fabs((double)b->lo[k]) + step * (double)b->levels);
            room += naive_scale(b, m) / 2 * (1 + 1e-5) * apart;
        }
        cr_assert_leq(fabs((double)s->y[i] - want), room,
                      "map %zu, ld %zu, %s, element %zu: %g, want %g", number, s->ld,
                      b->map.kernel->isa, i, (double)s->y[i], want);
    }
}

KERNEL_TEST(int8, maps_are_near_the_ones_they_round)
{
    each_byte_case(check_meaning);
}

/* ---- to the last bit: whole weights, whole sums, two roundings */

typedef struct naive_row {
    real scale, bias;
    int w[128];
} naive_row;

static naive_row naive_round(const byte_case *b, size_t m)
{
    const stair_case *s = &b->s;
    naive_row out = {.scale = (real)naive_scale(b, m)};
    double before = 0, after = 0;
    for (size_t k = 0; k < s->limit[m]; k++) {
        double w = (double)(real)s->dense[m * s->cols + k], step = step_of_input(b, k);
        out.w[k] = out.scale > 0 ? (int)rint(w * step / (double)out.scale) : 0;
        cr_assert(out.w[k] >= -127 && out.w[k] <= 127);
        before += w * (double)b->mean[k];
        after += out.w[k] * ((double)b->mean[k] - (double)b->lo[k]) * (double)b->inverse[k];
    }
    out.bias = (real)((double)(real)s->bias[m] + (before - (double)out.scale * after));
    return out;
}

/* Of lower bytes, or of upper ones. */
static real naive_sum(const byte_case *b, const naive_row *row, size_t m, size_t j, int upper)
{
    int64_t sum = 0;
    for (size_t k = 0; k < b->s.limit[m]; k++)
        sum += row->w[k] * (int64_t)(upper ? level_of(b, k, j) / 256 : level_of(b, k, j) % 256);
    cr_assert(sum >= INT32_MIN && sum <= INT32_MAX);
    return (real)sum;
}

static void check_row_bits(const byte_case *b, size_t number, size_t m, const real *add)
{
    const size_t ld = b->s.ld;
    naive_row row = naive_round(b, m);
    for (size_t j = 0; j < ld; j++) {
        real want = naive_sum(b, &row, m, j, 0) * row.scale + row.bias;
        want = add ? want + add[m * ld + j] : want;
        if (b->levels > 256)
            want = naive_sum(b, &row, m, j, 1) * (256 * row.scale) + want;
        cr_assert(b->s.y[m * ld + j] == want,
                  "map %zu, ld %zu, %s, row %zu, column %zu: %a, want %a", number, ld,
                  b->map.kernel->isa, m, j, (double)b->s.y[m * ld + j], (double)want);
    }
}

static void check_bits(byte_case *b, size_t number)
{
    stair_case *s = &b->s;
    for (int with_add = 0; with_add < 2; with_add++) {
        const real *add = with_add ? s->add : NULL;
        byte_product(b, s->y, add, 0, s->rows);
        for (size_t m = 0; m < s->rows; m++)
            check_row_bits(b, number, m, add);
    }
}

KERNEL_TEST(int8, sums_are_exact)
{
    each_byte_case(check_bits);
}

/* ---- any rows have the bits of the whole and are all that is written, but for padding */

static void check_byte_rows(byte_case *b, size_t number)
{
    stair_case *s = &b->s;
    size_t n = flow_pad(s->rows) * s->ld;
    real *y = reals_new(n);
    byte_product(b, s->y, s->add, 0, s->rows);
    for (size_t row0 = 0; row0 < s->rows; row0 += 1 + s->rows / 9)
        for (size_t row1 = row0 + 1; row1 <= s->rows; row1 += 1 + s->rows / 7) {
            for (size_t i = 0; i < n; i++)
                y[i] = (real)NAN;
            byte_product(b, y, s->add, row0, row1);
            check_equal(y + row0 * s->ld, s->y + row0 * s->ld, (row1 - row0) * s->ld, "rows of map",
                        number);
            for (size_t i = 0; i < s->rows * s->ld; i++)
                cr_assert(i / s->ld >= row0 && i / s->ld < row1 ? 1 : isnan((double)y[i]),
                          "map %zu, ld %zu: rows %zu .. %zu write row %zu", number, s->ld, row0,
                          row1, i / s->ld);
        }
    free(y);
}

KERNEL_TEST(int8, rows_one_by_one_have_the_same_bits)
{
    each_byte_case(check_byte_rows);
}
