#include "pipeline/report/picture_pairs.h"

#include "flow/sort.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 8, MOST_ROWS = 4096, MOST_COLUMNS = 64 };

/* Ranks of the rows that are looked at. */
typedef struct ranks {
    size_t n, dim;
    double *sorted;         /* (n): of one column at a time */
    unsigned char *classes; /* (dim, n): 0 .. CLASSES - 1 */
} ranks;

/* How many of the sorted numbers are below x: equal numbers have equal ranks. */
static size_t rank_of(const double *sorted, size_t n, double x)
{
    size_t low = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (sorted[low + half] < x) {
            low += half + 1;
            n -= half + 1;
        } else
            n = half;
    }
    return low;
}

static void classify(ranks *r, const double *x, size_t total, size_t dim, size_t column)
{
    for (size_t i = 0; i < r->n; i++)
        r->sorted[i] = x[i * total / r->n * dim + column];
    flow_sort_numbers(r->sorted, r->n);
    for (size_t i = 0; i < r->n; i++)
        r->classes[column * r->n + i] =
            (unsigned char)(CLASSES * rank_of(r->sorted, r->n, x[i * total / r->n * dim + column]) /
                            r->n);
}

/* In nats, of the table of the two columns' classes. */
static double information(const ranks *r, size_t a, size_t b)
{
    double joint[CLASSES][CLASSES] = {{0}}, of_a[CLASSES] = {0}, of_b[CLASSES] = {0}, sum = 0;
    for (size_t i = 0; i < r->n; i++) {
        size_t j = r->classes[a * r->n + i], k = r->classes[b * r->n + i];
        joint[j][k]++;
        of_a[j]++;
        of_b[k]++;
    }
    for (size_t j = 0; j < CLASSES; j++)
        for (size_t k = 0; k < CLASSES; k++)
            if (joint[j][k] > 0)
                sum += joint[j][k] * log(joint[j][k] * (double)r->n / (of_a[j] * of_b[k]));
    return r->n ? sum / (double)r->n : 0;
}

/* Takes the best of the pairs that are left: fewest columns seen before, then most information.
 * taken (dim, dim), seen (dim). Returns whether there was one. */
static bool take_best(picture_pair *best, bool *taken, bool *seen, const double *table, size_t dim)
{
    double most = -1;
    int fewest = 3;
    for (size_t a = 0; a < dim; a++)
        for (size_t b = a + 1; b < dim; b++) {
            int old = seen[a] + seen[b];
            if (taken[a * dim + b] || old > fewest || (old == fewest && table[a * dim + b] <= most))
                continue;
            fewest = old;
            most = table[a * dim + b];
            *best = (picture_pair){.across = a, .up = b};
        }
    if (fewest == 3)
        return false;
    taken[best->across * dim + best->up] = seen[best->across] = seen[best->up] = true;
    return true;
}

static size_t choose(picture_pair *pairs, const ranks *r)
{
    double table[MOST_COLUMNS * MOST_COLUMNS] = {0};
    bool taken[MOST_COLUMNS * MOST_COLUMNS] = {false}, seen[MOST_COLUMNS] = {false};
    size_t chosen = 0;
    for (size_t a = 0; a < r->dim; a++)
        for (size_t b = a + 1; b < r->dim; b++)
            table[a * r->dim + b] = information(r, a, b);
    while (chosen < PICTURE_CHOSEN && take_best(&pairs[chosen], taken, seen, table, r->dim))
        chosen++;
    return chosen;
}

int picture_choose_pairs(picture_pair *pairs, size_t *n_pairs, const double *x, size_t n,
                         size_t dim, flow_err *err)
{
    ranks r = {.n = n < MOST_ROWS ? n : MOST_ROWS, .dim = dim < MOST_COLUMNS ? dim : MOST_COLUMNS};
    assert(dim >= 1);
    if (dim == 1) {
        pairs[0] = (picture_pair){0, 0};
        *n_pairs = 1;
        return 0;
    }
    r.sorted = malloc((r.n + 1) * sizeof *r.sorted);
    r.classes = malloc(r.n * r.dim + 1);
    int code = 0;
    if (r.sorted && r.classes) {
        for (size_t column = 0; column < r.dim; column++)
            classify(&r, x, n, dim, column);
        *n_pairs = choose(pairs, &r);
    } else
        code = flow_fail(err, FLOW_ENOMEM, "out of memory to choose columns for a picture");
    free(r.sorted);
    free(r.classes);
    return code;
}

/* ---- those that are asked for */

static int find_column(size_t *out, const char *const *names, size_t dim, const char *name,
                       flow_err *err)
{
    char *end;
    for (*out = 0; *out < dim; (*out)++)
        if (strcmp(names[*out], name) == 0)
            return FLOW_OK;
    unsigned long number = strtoul(name, &end, 10);
    if (!*end && end > name && number < dim) {
        *out = number;
        return FLOW_OK;
    }
    return flow_fail(err, FLOW_ECONFIG, "report.pairs: there is no column '%.80s'", name);
}

int picture_pairs_of(picture_pair *pairs, size_t *n_pairs, const char *const *asked, size_t n,
                     const char *const *names, size_t dim, flow_err *err)
{
    size_t column[PICTURE_ASKED];
    assert(n <= PICTURE_ASKED);
    *n_pairs = 0;
    for (size_t i = 0; i < n; i++) {
        if (find_column(&column[i], names, dim, asked[i], err))
            return err->code;
        for (size_t j = 0; j < i; j++) {
            if (column[j] == column[i])
                return flow_fail(err, FLOW_ECONFIG, "report.pairs: column '%.80s' is there twice",
                                 asked[i]);
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            pairs[(*n_pairs)++] = (picture_pair){column[i], column[j]};
    return FLOW_OK;
}
