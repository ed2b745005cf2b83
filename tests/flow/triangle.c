/* Products with a triangle of ones on its diagonal, and solutions, against BLAS. */
#define FLOW_BITS 64
#define FLOW_ISA generic
#include "flow/layer/triangle.h"
#include "tests/common/check.h"
#include "tests/common/examples.h"

#include <cblas.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 33, LD = 32 };

/* What is on the diagonal and on its other side must not matter: both are read as they are by nobody. */
static void check_triangle(size_t d, size_t ld, int lower, int across)
{
    double *matrix = random_numbers_new(d * d, 0.3, d), *x = random_numbers_new(d * ld, 1.1, ld);
    double *got = malloc(2 * d * ld * sizeof *got), *want = got + d * ld;
    const CBLAS_UPLO which = lower ? CblasLower : CblasUpper;
    const CBLAS_TRANSPOSE trans = across ? CblasTrans : CblasNoTrans;
    memcpy(got, x, d * ld * sizeof *got);
    memcpy(want, x, d * ld * sizeof *want);
    triangle_multiply(got, matrix, d, lower, across, ld);
    cblas_dtrmm(CblasRowMajor, CblasLeft, which, trans, CblasUnit, (blasint)d, (blasint)ld, 1,
                matrix, (blasint)d, want, (blasint)ld);
    check_close(got, want, d * ld, 1e-13, 1e-13, "product, D = %zu, %d %d", d, lower, across);
    memcpy(want, got, d * ld * sizeof *want);
    triangle_solve(got, matrix, d, lower, across, ld);
    check_close(got, x, d * ld, 1e-11, 1e-11, "solution, D = %zu, %d %d", d, lower, across);
    cblas_dtrsm(CblasRowMajor, CblasLeft, which, trans, CblasUnit, (blasint)d, (blasint)ld, 1,
                matrix, (blasint)d, want, (blasint)ld);
    check_close(got, want, d * ld, 1e-11, 1e-11, "BLAS's solution, D = %zu", d);
    free(matrix), free(x), free(got);
}

Test(triangle, like_blas)
{
    for (size_t d = 1; d <= MOST; d += 1 + d / 4)
        for (size_t ld = 1; ld <= LD; ld += 31)
            for (int which = 0; which < 4; which++)
                check_triangle(d, ld, which / 2, which % 2);
}
