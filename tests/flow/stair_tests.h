/* tests/flow/stair_tests.h -- staircase products against dense loops and BLAS; see kernel_tests.h.
 */

/* ---- staircases: single cells, nothing seen, everything seen, and steps of every size */

typedef enum stair_shape { CLOSED, OPEN, RANDOM, DEGREES } stair_shape;

static const struct {
    size_t rows, cols;
    stair_shape shape;
} stairs[] = {{1, 1, OPEN},      {1, 1, CLOSED},    {1, 9, RANDOM},    {5, 3, CLOSED},
              {9, 1, RANDOM},    {16, 16, DEGREES}, {17, 8, RANDOM},   {31, 40, RANDOM},
              {48, 25, OPEN},    {64, 64, DEGREES}, {70, 33, DEGREES}, {29, 90, RANDOM},
              {128, 17, RANDOM}, {102, 51, DEGREES}};
enum { N_STAIRS = sizeof stairs / sizeof stairs[0] };

static const size_t stair_lds[] = {16, 48, 80, 128};
enum { N_LDS = sizeof stair_lds / sizeof stair_lds[0] };

static int ascending_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void make_limits(size_t *limit, size_t number)
{
    const size_t rows = stairs[number].rows, cols = stairs[number].cols;
    const pcg_stream stream = {.seed = 61 + number, .stage = PCG_TEST, .purpose = PCG_SHUFFLE};
    pcg rng = pcg_at(stream, 0, 1);
    for (size_t m = 0; m < rows; m++)
        switch (stairs[number].shape) {
        case CLOSED:
            limit[m] = 0;
            break;
        case OPEN:
            limit[m] = cols;
            break;
        case RANDOM:
            limit[m] = (size_t)pcg_below(&rng, cols + 1);
            break;
        case DEGREES: /* units of 7 degrees on both sides */
            limit[m] = (m * 7 / rows * cols + 6) / 7;
            break;
        }
    qsort(limit, rows, sizeof *limit, ascending_sizes);
}

/* One staircase with random weights, its dense copy, and buffers with NaN in their padding. */
typedef struct stair_case {
    stair map;
    size_t rows, cols, ld, limit[128];
    double *dense, *bias;                /* (rows, cols) with zeros above the stairs, (rows) */
    real *theta, *x, *y, *dx, *dy, *add; /* x, dx (cols', ld), y, dy, add (rows', ld) */
} stair_case;

static void stair_case_open(stair_case *s, size_t number, size_t ld)
{
    *s = (stair_case){.rows = stairs[number].rows, .cols = stairs[number].cols, .ld = ld};
    make_limits(s->limit, number);
    cr_assert_eq(stair_create(&s->map, s->limit, s->rows, s->cols), 0);
    s->dense = malloc(s->rows * s->cols * sizeof *s->dense);
    s->bias = malloc(s->rows * sizeof *s->bias);
    s->theta = reals_new(s->map.n_params);
    memset(s->theta, 0, s->map.n_params * sizeof *s->theta);
    random_numbers(s->dense, s->rows * s->cols, 0.713, 5 * number + 1);
    random_numbers(s->bias, s->rows, 2.385, 5 * number + 2);
    stair_set_weight(&s->map, s->theta, s->dense); /* what is above the stairs must not matter */
    stair_set_bias(&s->map, s->theta, s->bias);
    for (size_t m = 0; m < s->rows; m++)
        for (size_t k = s->limit[m]; k < s->cols; k++)
            s->dense[m * s->cols + k] = 0;
    real **wide[] = {&s->x, &s->dx}, **tall[] = {&s->y, &s->dy, &s->add};
    for (size_t i = 0; i < 2; i++)
        *wide[i] = reals_new(flow_pad(s->cols) * ld);
    for (size_t i = 0; i < 3; i++)
        *tall[i] = reals_new(flow_pad(s->rows) * ld);
    fill(s->x, s->cols * ld, 1.3, 5 * number + 3);
    fill(s->dy, s->rows * ld, 0.9, 5 * number + 4);
    fill(s->add, s->rows * ld, 1.1, 5 * number + 5);
}

static void stair_case_close(stair_case *s)
{
    void *owned[] = {s->dense, s->bias, s->theta, s->x, s->y, s->dx, s->dy, s->add};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    stair_release(&s->map);
}

static void each_stair(void (*check)(stair_case *s, size_t number))
{
    for (size_t number = 0; number < N_STAIRS; number++)
        for (size_t l = 0; l < N_LDS; l++) {
            stair_case s;
            stair_case_open(&s, number, stair_lds[l]);
            check(&s, number);
            stair_case_close(&s);
        }
}

/* Chains of up to 90 terms of size 1: a few roundings each. */
#define STAIR_TOLERANCE (100 * EPS)

/* ---- y = W x + b + add */

static double naive_product(const stair_case *s, size_t m, size_t j)
{
    double sum = s->bias[m];
    for (size_t k = 0; k < s->cols; k++)
        sum += s->dense[m * s->cols + k] * (double)s->x[k * s->ld + j];
    return sum;
}

static void check_product(stair_case *s, size_t number)
{
    for (int with_add = 0; with_add < 2; with_add++) {
        stair_product(&s->map, s->y, s->theta, s->x, with_add ? s->add : NULL, 0, s->rows, s->ld);
        for (size_t i = 0; i < s->rows * s->ld; i++) {
            double want = naive_product(s, i / s->ld, i % s->ld);
            want += with_add ? (double)s->add[i] : 0;
            check_close(&(double){(double)s->y[i]}, &want, 1, STAIR_TOLERANCE, STAIR_TOLERANCE,
                        "staircase %zu, ld %zu, element %zu", number, s->ld, i);
        }
    }
    for (size_t i = (s->rows + 7) / 8 * 8 * s->ld; i < flow_pad(s->rows) * s->ld; i++)
        cr_assert(isnan((double)s->y[i]), "staircase %zu writes beyond its padding", number);
}

/* The bits of a product and of max(0, .) after it; a NaN stays one. */
static void check_rectified(stair_case *s, size_t number)
{
    if (s->ld == 1 || s->cols == 0)
        return;
    size_t n = s->rows * s->ld;
    real *want = reals_new(n), kept = s->x[0];
    s->x[0] = (real)NAN;
    for (int with_add = 0; with_add < 2; with_add++) {
        const real *add = with_add ? s->add : NULL;
        stair_product(&s->map, s->y, s->theta, s->x, add, 0, s->rows, s->ld);
        for (size_t i = 0; i < n; i++)
            want[i] = s->y[i] < 0 ? 0 : s->y[i];
        stair_product_rectified(&s->map, s->y, s->theta, s->x, add, 0, s->rows, s->ld);
        cr_assert(memcmp(s->y, want, n * sizeof *want) == 0, "staircase %zu, ld %zu", number,
                  s->ld);
    }
    s->x[0] = kept;
    free(want);
}

KERNEL_TEST(stair, product)
{
    each_stair(check_product);
}

KERNEL_TEST(stair, rectified_product)
{
    each_stair(check_rectified);
}

static void check_against_blas(stair_case *s, size_t number)
{
    const blasint rows = (blasint)s->rows, cols = (blasint)s->cols, ld = (blasint)s->ld;
    double *x = malloc(s->cols * s->ld * sizeof *x), *y = malloc(s->rows * s->ld * sizeof *y);
    for (size_t i = 0; i < s->cols * s->ld; i++)
        x[i] = (double)s->x[i];
    for (size_t i = 0; i < s->rows * s->ld; i++)
        y[i] = s->bias[i / s->ld];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, ld, cols, 1, s->dense, cols, x, ld,
                1, y, ld);
    stair_product(&s->map, s->y, s->theta, s->x, NULL, 0, s->rows, s->ld);
    for (size_t i = 0; i < s->rows * s->ld; i++)
        check_close(&(double){(double)s->y[i]}, &y[i], 1, STAIR_TOLERANCE, STAIR_TOLERANCE,
                    "staircase %zu, ld %zu, element %zu", number, s->ld, i);
    free(x);
    free(y);
}

KERNEL_TEST(stair, product_like_blas)
{
    each_stair(check_against_blas);
}

/* Any rows row0 .. row1 - 1 have the bits of the whole, are all that is written but for padding,
 * and see x up to their limit only: the rest of x is NaN. */
static void check_row_ranges(stair_case *s, size_t number)
{
    size_t ld = s->ld;
    real *x = reals_new(flow_pad(s->cols) * ld), *y = reals_new(flow_pad(s->rows) * ld);
    stair_product(&s->map, s->y, s->theta, s->x, s->add, 0, s->rows, ld);
    for (size_t row0 = 0; row0 < s->rows; row0 += 1 + s->rows / 9)
        for (size_t row1 = row0 + 1; row1 <= s->rows; row1 += 1 + s->rows / 7) {
            size_t seen = s->limit[row1 - 1] * ld;
            for (size_t i = 0; i < s->cols * ld; i++)
                x[i] = i < seen ? s->x[i] : (real)NAN;
            for (size_t i = 0; i < flow_pad(s->rows) * ld; i++)
                y[i] = (real)NAN;
            stair_product(&s->map, y, s->theta, x, s->add, row0, row1, ld);
            check_equal(y + row0 * ld, s->y + row0 * ld, (row1 - row0) * ld, "rows of staircase",
                        number);
            for (size_t i = 0; i < s->rows * ld; i++)
                cr_assert(i / ld >= row0 && i / ld < row1 ? 1 : isnan((double)y[i]),
                          "staircase %zu: rows %zu .. %zu write row %zu", number, row0, row1,
                          i / ld);
        }
    free(x);
    free(y);
}

KERNEL_TEST(stair, rows_one_by_one_have_the_same_bits)
{
    each_stair(check_row_ranges);
}

/* Rows asked for in order, 1, 2, .. 11 at a time, have the bits of the whole and read no more of x
 * than their limit. */
static void check_rows_in_order(stair_case *s, size_t number)
{
    size_t ld = s->ld;
    real *x = reals_new(flow_pad(s->cols) * ld), *y = reals_new(flow_pad(s->rows) * ld);
    stair_product(&s->map, s->y, s->theta, s->x, s->add, 0, s->rows, ld);
    for (size_t step = 1; step < 12; step++) {
        for (size_t row = 0, end; row < s->rows; row = end) {
            end = row + step < s->rows ? row + step : s->rows;
            for (size_t i = 0; i < s->cols * ld; i++)
                x[i] = i < s->limit[end - 1] * ld ? s->x[i] : (real)NAN;
            stair_product_next(&s->map, y, s->theta, x, s->add, row, end, ld);
        }
        check_equal(y, s->y, s->rows * ld, "rows in order of staircase", number);
    }
    free(x);
    free(y);
}

KERNEL_TEST(stair, rows_in_order_have_the_same_bits)
{
    each_stair(check_rows_in_order);
}

/* ---- dx = W^T dy */

static void check_transposed(stair_case *s, size_t number)
{
    stair_product_t(&s->map, s->dx, s->theta, s->dy, 0, s->cols, s->ld);
    for (size_t i = 0; i < s->cols * s->ld; i++) {
        double want = 0;
        for (size_t m = 0; m < s->rows; m++)
            want += s->dense[m * s->cols + i / s->ld] * (double)s->dy[m * s->ld + i % s->ld];
        check_close(&(double){(double)s->dx[i]}, &want, 1, STAIR_TOLERANCE, STAIR_TOLERANCE,
                    "staircase %zu, ld %zu, element %zu", number, s->ld, i);
    }
}

KERNEL_TEST(stair, transposed)
{
    each_stair(check_transposed);
}

static void check_column_chunks(stair_case *s, size_t number)
{
    real *dx = reals_new(flow_pad(s->cols) * s->ld);
    stair_product_t(&s->map, s->dx, s->theta, s->dy, 0, s->cols, s->ld);
    for (size_t col = 0, end; col < s->cols; col = end) {
        end = col + 16 < s->cols ? col + 16 : s->cols;
        stair_product_t(&s->map, dx, s->theta, s->dy, col, end, s->ld);
    }
    check_equal(dx, s->dx, s->cols * s->ld, "columns in chunks of staircase", number);
    free(dx);
}

KERNEL_TEST(stair, columns_in_chunks_have_the_same_bits)
{
    each_stair(check_column_chunks);
}

/* Rows that do not see column k: where the steps of the staircase are. */
static size_t rows_above(const stair_case *s, size_t k)
{
    size_t m = 0;
    while (m < s->rows && s->limit[m] <= k)
        m++;
    return m;
}

/* Columns by steps of the staircase, the last first, have the bits of the whole and read no row of dy
 * that does not see them: those are NaN. */
static void check_column_steps(stair_case *s, size_t number)
{
    size_t ld = s->ld;
    real *dx = reals_new(flow_pad(s->cols) * ld), *dy = reals_new(flow_pad(s->rows) * ld);
    stair_product_t(&s->map, s->dx, s->theta, s->dy, 0, s->cols, ld);
    for (size_t col1 = s->cols, col0; col1 > 0; col1 = col0) {
        size_t above = rows_above(s, col1 - 1);
        for (col0 = col1 - 1; col0 > 0 && rows_above(s, col0 - 1) == above;)
            col0--;
        for (size_t i = 0; i < s->rows * ld; i++)
            dy[i] = i / ld < above ? (real)NAN : s->dy[i];
        stair_product_t_next(&s->map, dx, s->theta, dy, col0, col1, ld);
    }
    check_equal(dx, s->dx, s->cols * ld, "columns of staircase", number);
    free(dx);
    free(dy);
}

KERNEL_TEST(stair, columns_by_steps_have_the_same_bits)
{
    each_stair(check_column_steps);
}

/* ---- dW += dy x^T */

/* Added to the weights, or written over NaN. */
static void check_gradient_into(stair_case *s, size_t number, int add)
{
    size_t n = s->map.n_params, dense = s->rows * s->cols;
    real *gradient = reals_new(n);
    double *weight = malloc((dense + s->rows) * sizeof *weight), *bias = weight + dense;
    memset(gradient, add ? 0 : 0xff, n * sizeof *gradient);
    if (add)
        stair_set_weight(&s->map, gradient, s->dense);
    for (size_t g = 0; g < stair_groups(&s->map); g++)
        stair_gradient(&s->map, gradient, add, s->dy, s->x, g, s->ld);
    stair_get_weight(&s->map, weight, gradient);
    stair_get_bias(&s->map, bias, gradient);
    for (size_t m = 0; m < s->rows; m++) {
        double sum = 0;
        for (size_t k = 0; k < s->cols; k++) {
            double want = add ? s->dense[m * s->cols + k] : 0;
            for (size_t j = 0; j < s->ld && k < s->limit[m]; j++)
                want += (double)s->dy[m * s->ld + j] * (double)s->x[k * s->ld + j];
            check_close(&weight[m * s->cols + k], &want, 1, STAIR_TOLERANCE, 3 * STAIR_TOLERANCE,
                        "staircase %zu, ld %zu, weight %zu, %zu", number, s->ld, m, k);
        }
        for (size_t j = 0; j < s->ld; j++)
            sum += (double)s->dy[m * s->ld + j];
        check_close(&bias[m], &sum, 1, STAIR_TOLERANCE, STAIR_TOLERANCE,
                    "staircase %zu, ld %zu, bias %zu", number, s->ld, m);
    }
    size_t live =
        0; /* padding and masked weights stay zero, although the paddings of x, dy are NaN */
    for (size_t i = 0; i < n; i++) {
        cr_assert(isfinite((double)gradient[i]), "staircase %zu: gradient %zu", number, i);
        live += gradient[i] != 0;
    }
    cr_assert_eq(live, s->map.n_live, "staircase %zu: %zu of %zu gradients", number, live,
                 s->map.n_live);
    free(gradient);
    free(weight);
}

static void check_gradient_of(stair_case *s, size_t number)
{
    check_gradient_into(s, number, 0);
    check_gradient_into(s, number, 1);
}

KERNEL_TEST(stair, gradient)
{
    each_stair(check_gradient_of);
}

/* ---- the copies for files */

static void check_copies(stair_case *s, size_t number)
{
    double *weight = malloc((s->rows * s->cols + s->rows) * sizeof *weight);
    stair_get_weight(&s->map, weight, s->theta);
    check_same(weight, s->dense, s->rows * s->cols, "weights of staircase %zu", number);
    stair_get_bias(&s->map, weight, s->theta);
    check_same(weight, s->bias, s->rows, "bias of staircase %zu", number);
    free(weight);
}

KERNEL_TEST(stair, weights_come_back)
{
    each_stair(check_copies);
}
