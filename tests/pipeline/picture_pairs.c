/* Which columns are shown together. */
#include "pipeline/report/picture_pairs.h"

#include "flow/pcg.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { ROWS = 3000 };

static const pcg_stream STREAM = {.seed = 7, .stage = PCG_TEST, .purpose = PCG_GENERATE};

/* (ROWS, dim) independent normals, to be freed. */
static double *normals(size_t dim)
{
    double *x = malloc(ROWS * dim * sizeof *x);
    cr_assert_not_null(x);
    pcg_normals(x, STREAM, 0, ROWS, dim);
    return x;
}

static size_t choose(picture_pair *pairs, const double *x, size_t n, size_t dim)
{
    flow_err err = FLOW_ERR_INIT;
    size_t chosen = 99;
    cr_assert_eq(picture_choose_pairs(pairs, &chosen, x, n, dim, &err), 0, "%s", err.text);
    return chosen;
}

static void check_pair(picture_pair p, size_t across, size_t up)
{
    cr_assert(p.across == across && p.up == up, "%zu %zu, want %zu %zu", p.across, p.up, across,
              up);
}

Test(picture_pairs, few_columns_are_all_shown)
{
    picture_pair p[PICTURE_CHOSEN];
    double *x = normals(3);
    cr_assert_eq(choose(p, x, ROWS, 1), 1);
    check_pair(p[0], 0, 0);
    cr_assert_eq(choose(p, x, ROWS, 2), 1);
    check_pair(p[0], 0, 1);
    cr_assert_eq(choose(p, x, ROWS, 3), 3);
    cr_assert_eq(choose(p, x, 0, 3), 3, "without rows, too");
    cr_assert_eq(choose(p, x, 1, 2), 1);
    free(x);
}

/* A ring has no correlation, and a strong one lies in columns far apart. */
Test(picture_pairs, the_most_dependent_come_first)
{
    picture_pair p[PICTURE_CHOSEN];
    enum { D = 9 };
    double *x = normals(D);
    for (size_t i = 0; i < ROWS; i++) {
        double *row = x + i * D, angle = 6 * row[5];
        row[7] = row[1] + 0.1 * row[7];
        row[5] = cos(angle) + 0.1 * row[5];
        row[3] = sin(angle) + 0.1 * row[3];
        row[4] = -row[0] + 2 * row[4];
    }
    cr_assert_eq(choose(p, x, ROWS, D), 3);
    check_pair(p[0], 1, 7);
    check_pair(p[1], 3, 5);
    check_pair(p[2], 0, 4);
    free(x);
}

/* 0, 2, 4 repeat one another; 1 and 5 hang together far less. */
Test(picture_pairs, columns_are_not_shown_twice_while_others_are_left)
{
    picture_pair p[PICTURE_CHOSEN];
    enum { D = 6 };
    double *x = normals(D);
    for (size_t i = 0; i < ROWS; i++) {
        double *row = x + i * D;
        row[4] = exp(row[0] + 0.01 * row[4]);
        row[2] = row[0] + 0.1 * row[2];
        row[5] = row[1] + row[5];
    }
    cr_assert_eq(choose(p, x, ROWS, D), 3);
    check_pair(p[0], 0, 4);
    check_pair(p[1], 1, 5);
    check_pair(p[2], 2, 3);
    free(x);
}

/* Ties have one rank: a column of two values tells nothing by its order in the table. */
Test(picture_pairs, equal_values_have_equal_ranks)
{
    picture_pair p[PICTURE_CHOSEN];
    enum { D = 4 };
    double *x = normals(D);
    for (size_t i = 0; i < ROWS; i++) {
        double *row = x + i * D;
        row[0] = row[1] = 1;
        row[3] = row[2] + 3 * row[3];
    }
    cr_assert_eq(choose(p, x, ROWS, D), 3);
    check_pair(p[0], 2, 3);
    free(x);
}

Test(picture_pairs, many_columns)
{
    picture_pair p[PICTURE_CHOSEN];
    enum { D = 70 };
    double *x = normals(D);
    for (size_t i = 0; i < ROWS; i++) {
        x[i * D + 69] = x[i * D + 68]; /* not looked at */
        x[i * D + 63] = x[i * D];
    }
    cr_assert_eq(choose(p, x, ROWS, D), 3);
    check_pair(p[0], 0, 63);
    for (size_t i = 0; i < 3; i++)
        cr_assert_lt(p[i].up, 64);
    free(x);
}
