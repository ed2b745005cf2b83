#include "student/means.h"

#include "student/distance.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 50 };

int means_open(means *m, const double *z, size_t n, size_t dim, size_t k, flow_err *err)
{
    *m = (means){.n = n, .dim = dim, .k = k, .z = z};
    double *all = calloc(k * (dim + 1) + n + 1, sizeof *all);
    m->of = calloc(n + 1, sizeof *m->of);
    m->centre = all;
    if (!all || !m->of)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to find %zu means", k);
    m->count = all + k * dim;
    m->distance = m->count + k;
    return 0;
}

void means_close(means *m)
{
    free(m->centre);
    free(m->of);
}

/* Of row r to centre k. */
static double square(const means *m, size_t r, size_t k)
{
    return squared_distance(m->z + r * m->dim, m->centre + k * m->dim, m->dim);
}

/* Each row to the nearest of the first k centres. */
static void assign(means *m, size_t k)
{
    for (size_t r = 0; r < m->n; r++) {
        m->distance[r] = INFINITY;
        for (size_t c = 0; c < k; c++) {
            double d = square(m, r, c);
            if (d < m->distance[r]) {
                m->distance[r] = d;
                m->of[r] = c;
            }
        }
    }
}

/* A row drawn with chance as its squared distance from what there is (k-means++: Arthur, Vassilvitskii 2007). */
static size_t far_row(const means *m, double u)
{
    double total = 0, sum = 0;
    for (size_t r = 0; r < m->n; r++)
        total += m->distance[r];
    size_t r = 0;
    while (r + 1 < m->n && (sum += m->distance[r]) <= u * total)
        r++;
    return r;
}

static size_t tries_of(const means *m)
{
    return 2 + (size_t)log((double)m->k);
}

static void set_centre(means *m, size_t c, size_t row)
{
    memcpy(m->centre + c * m->dim, m->z + row * m->dim, m->dim * sizeof *m->centre);
}

/* What the squares would add up to with a centre c at this row. */
static double squares_with(means *m, size_t c, size_t row)
{
    double sum = 0;
    set_centre(m, c, row);
    for (size_t r = 0; r < m->n; r++)
        sum += fmin(m->distance[r], square(m, r, c));
    return sum;
}

/* The best of some rows that are drawn: a piece in which no centre is yet is not left out for want of luck (greedy
 * k-means++). */
static size_t best_row(means *m, size_t c, pcg *rng)
{
    size_t tries = tries_of(m), best = 0;
    double least = INFINITY;
    for (size_t i = 0; i < tries; i++) {
        size_t row = far_row(m, pcg_uniform(rng));
        double sum = squares_with(m, c, row);
        if (sum < least) {
            least = sum;
            best = row;
        }
    }
    return best;
}

static void seed_centres(means *m, pcg_stream stream)
{
    pcg rng = pcg_at(stream, 0, m->k * tries_of(m) + 1);
    for (size_t r = 0; r < m->n; r++)
        m->distance[r] = DBL_MAX / (double)m->n;
    for (size_t c = 0; c < m->k; c++) {
        set_centre(m, c, best_row(m, c, &rng));
        assign(m, c + 1);
    }
}

/* Centres to the means of their rows; one without rows stays. */
static void move_centres(means *m)
{
    memset(m->count, 0, m->k * sizeof *m->count);
    for (size_t r = 0; r < m->n; r++)
        m->count[m->of[r]]++;
    for (size_t c = 0; c < m->k; c++)
        for (size_t i = 0; i < m->dim && m->count[c] > 0; i++)
            m->centre[c * m->dim + i] = 0;
    for (size_t r = 0; r < m->n; r++)
        for (size_t i = 0; i < m->dim; i++)
            m->centre[m->of[r] * m->dim + i] += m->z[r * m->dim + i] / m->count[m->of[r]];
}

void means_find(means *m, pcg_stream stream)
{
    seed_centres(m, stream);
    for (int i = 0; i < ROUNDS; i++) {
        move_centres(m);
        assign(m, m->k);
    }
    move_centres(m);
}
