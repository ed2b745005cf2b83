#include "student/pieces.h"

#include "student/distance.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double DIP = 2; /* nats */

typedef struct ways {
    const double *x, *log_p;
    size_t n, dim, near;
    const unsigned char *circles; /* of the target */
    size_t *to;                   /* (n, near): the nearest rows, nearest first */
    double *far;                  /* (near): their distances, of the row in work */
    double *points, *logp;        /* (near * POINTS, D), (near * POINTS): of the row in work */
    size_t *root;                 /* (n): a forest; a root is its own */
} ways;

static int take(ways *w, flow_err *err)
{
    size_t points = w->near * PIECES_POINTS;
    w->to = malloc(w->n * (w->near + 1) * sizeof *w->to);
    w->points = malloc((points * (w->dim + 1) + w->near) * sizeof *w->points);
    if (!w->to || !w->points)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to tell pieces of %zu rows", w->n);
    w->root = w->to + w->n * w->near;
    w->logp = w->points + points * w->dim;
    w->far = w->logp + points;
    for (size_t r = 0; r < w->n; r++)
        w->root[r] = r;
    return 0;
}

/* Puts row b, at distance d, among the nearest of row r, of which there are `have`. Returns how many there are then. */
static size_t insert(ways *w, size_t r, size_t b, double d, size_t have)
{
    size_t *to = w->to + r * w->near, at = have < w->near ? have : w->near;
    while (at > 0 && w->far[at - 1] > d)
        at--;
    if (at == w->near)
        return have;
    size_t move = (have < w->near ? have : w->near - 1) - at;
    memmove(to + at + 1, to + at, move * sizeof *to);
    memmove(w->far + at + 1, w->far + at, move * sizeof *w->far);
    to[at] = b;
    w->far[at] = d;
    return have < w->near ? have + 1 : have;
}

static void find_nearest(ways *w, size_t r)
{
    size_t have = 0;
    for (size_t b = 0; b < w->n; b++)
        if (b != r)
            have =
                insert(w, r, b,
                       squared_way(w->x + r * w->dim, w->x + b * w->dim, w->dim, w->circles), have);
}

static size_t root_of(ways *w, size_t r)
{
    while (w->root[r] != r)
        r = w->root[r] = w->root[w->root[r]];
    return r;
}

/* The points between row r and each of its nearest. */
static void lay_points(ways *w, size_t r)
{
    double *to = w->points;
    for (size_t k = 0; k < w->near; k++)
        for (size_t j = 1; j <= PIECES_POINTS; j++, to += w->dim) {
            double share = (double)j / (PIECES_POINTS + 1);
            const double *a = w->x + r * w->dim, *b = w->x + w->to[r * w->near + k] * w->dim;
            for (size_t i = 0; i < w->dim; i++)
                to[i] = a[i] + share * way_between(a, b, i, w->circles);
        }
}

static void join(ways *w, size_t r)
{
    for (size_t k = 0; k < w->near; k++) {
        size_t other = w->to[r * w->near + k];
        double low = fmin(w->log_p[r], w->log_p[other]) - DIP, least = INFINITY;
        for (size_t j = 0; j < PIECES_POINTS; j++)
            least =
                fmin(least, isnan(w->logp[k * PIECES_POINTS + j]) ? -INFINITY
                                                                  : w->logp[k * PIECES_POINTS + j]);
        if (least >= low)
            w->root[root_of(w, r)] = root_of(w, other);
    }
}

/* Numbers the pieces that count, in the order of their roots. */
static void count(pieces *out, ways *w)
{
    size_t *size = w->to; /* whose rows have been joined */
    memset(size, 0, w->n * sizeof *size);
    for (size_t r = 0; r < w->n; r++)
        size[root_of(w, r)]++;
    for (size_t r = 0; r < w->n; r++) {
        double share = (double)size[r] / (double)w->n;
        int counts = size[r] >= PIECES_LEAST;
        out->of[r] = counts ? out->n : SIZE_MAX;
        out->n += (size_t)counts;
        out->in_pieces += counts ? share : 0;
        out->largest = fmax(out->largest, share);
    }
    for (size_t r = 0; r < w->n; r++)
        out->of[r] = out->of[root_of(w, r)];
}

int pieces_count(pieces *out, const target *t, flow_pool *pool, const double *x,
                 const double *log_p, size_t n, flow_err *err)
{
    ways w = {.x = x, .log_p = log_p, .n = n, .dim = t->dim, .circles = t->circles};
    w.near = n > PIECES_NEAR ? PIECES_NEAR : n - 1;
    *out = (pieces){.rows = n, .evaluations = n * w.near * PIECES_POINTS};
    out->of = malloc(n * sizeof *out->of);
    int code = out->of ? take(&w, err)
                       : flow_fail(err, FLOW_ENOMEM, "out of memory to tell pieces of %zu rows", n);
    target_asker *asker = code ? NULL : target_asker_create(t, pool, err);
    code = asker ? 0 : err->code;
    for (size_t r = 0; r < n && !code; r++) {
        find_nearest(&w, r);
        lay_points(&w, r);
        code = target_ask(asker, w.logp, NULL, NULL, w.points, NULL, w.near * PIECES_POINTS, err);
        if (!code)
            join(&w, r);
    }
    if (!code)
        count(out, &w);
    target_asker_free(asker);
    free(w.to);
    free(w.points);
    return code;
}

void pieces_close(pieces *self)
{
    free(self->of);
    *self = (pieces){.n = 0};
}
