#include "student/fill.h"

#include "student/chains.h"
#include "student/distance.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOVES = 40, LEAPS = 5 };

typedef struct filling {
    student_pilot *pilot;
    const pieces *found;
    const unsigned char *circles; /* of the target */
    size_t *piece;                /* (rows) */
    size_t *has;                  /* (pieces): rows */
    size_t *from;                 /* (missing): the row that each new one starts from */
    size_t missing;
} filling;

/* ---- which rows belong where */

static size_t piece_of_nearest(const filling *f, size_t row)
{
    size_t out = SIZE_MAX;
    double least = INFINITY;
    const double *u = f->pilot->u;
    size_t dim = f->pilot->rows.dim;
    for (size_t r = 0; r < f->found->rows; r++) {
        double d = squared_way(u + r * dim, u + row * dim, dim, f->circles);
        if (d < least) {
            least = d;
            out = f->found->of[r];
        }
    }
    return out;
}

static void sort_rows(filling *f)
{
    for (size_t r = 0; r < f->pilot->rows.n; r++) {
        size_t k = r < f->found->rows ? f->found->of[r] : piece_of_nearest(f, r);
        f->piece[r] = k;
        if (k != SIZE_MAX)
            f->has[k]++;
    }
}

static size_t lacks(const filling *f, size_t piece)
{
    size_t dim = f->pilot->rows.dim, least = dim > FILL_LEAST ? dim : FILL_LEAST;
    return f->has[piece] < least ? least - f->has[piece] : 0;
}

/* The rows of each such piece in turn. */
static void choose(filling *f)
{
    size_t at = 0, rows = f->pilot->rows.n;
    for (size_t k = 0; k < f->found->n; k++)
        for (size_t i = 0, r = 0; i < lacks(f, k); r = (r + 1) % rows)
            if (f->piece[r] == k) {
                f->from[at++] = r;
                i++;
            }
}

static int plan(filling *f, flow_err *err)
{
    f->piece = malloc(f->pilot->rows.n * sizeof *f->piece);
    f->has = calloc(f->found->n, sizeof *f->has);
    if (!f->piece || !f->has)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to fill %zu pieces", f->found->n);
    sort_rows(f);
    for (size_t k = 0; k < f->found->n; k++)
        f->missing += lacks(f, k);
    f->from = malloc((f->missing + 1) * sizeof *f->from);
    if (!f->from)
        return flow_fail(err, FLOW_ENOMEM, "out of memory to fill %zu pieces", f->found->n);
    choose(f);
    return 0;
}

/* ---- new rows */

static int move_on(const filling *f, chains *c, flow_err *err)
{
    const annealed *rows = &f->pilot->rows;
    for (size_t k = 0; k < c->n; k++)
        memcpy(c->at.x + k * c->dim, rows->x + f->from[k] * c->dim, c->dim * sizeof *c->at.x);
    c->step = rows->step;
    memcpy(c->widths, f->pilot->scale, c->dim * sizeof *c->widths);
    int code = chains_look(c, &c->at, err);
    return code ? code : chains_move(c, 0, 1, MOVES, LEAPS, err);
}

/* The pilot's numbers one after the other: shift, scale, u. */
static int grow(student_pilot *p, size_t by, flow_err *err)
{
    size_t dim = p->rows.dim, n = p->rows.n + by;
    double *x = realloc(p->rows.x, n * dim * sizeof *x);
    p->rows.x = x ? x : p->rows.x;
    double *log_p = realloc(p->rows.log_p, n * sizeof *log_p);
    p->rows.log_p = log_p ? log_p : p->rows.log_p;
    double *all = realloc(p->shift, (n + 2) * dim * sizeof *all);
    if (all) {
        p->shift = all;
        p->scale = all + dim;
        p->u = all + 2 * dim;
    }
    return x && log_p && all
               ? 0
               : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of a pilot", n);
}

static int append(student_pilot *p, const chains *c, flow_err *err)
{
    size_t dim = c->dim, from = p->rows.n;
    memcpy(p->rows.x + from * dim, c->at.x, c->n * dim * sizeof *c->at.x);
    memcpy(p->rows.log_p + from, c->at.log_p, c->n * sizeof *c->at.log_p);
    p->rows.n += c->n;
    p->filled = c->n;
    return student_pilot_scale(p, c->target, from, c->n, err);
}

static int fill(filling *f, const target *t, flow_pool *pool, uint64_t seed, flow_err *err)
{
    chains c = {.target = t, .pool = pool, .stream = {.seed = seed, .stage = STREAM_FILL}};
    int code = chains_open(&c, f->missing, err);
    code = code ? code : move_on(f, &c, err);
    code = code ? code : grow(f->pilot, f->missing, err);
    code = code ? code : append(f->pilot, &c, err);
    f->pilot->evaluations += c.evaluations;
    chains_close(&c);
    return code;
}

int student_fill(student_pilot *self, const target *t, flow_pool *pool, const pieces *found,
                 uint64_t seed, flow_err *err)
{
    filling f = {.pilot = self, .found = found, .circles = t->circles};
    int code = plan(&f, err);
    if (!code && f.missing)
        code = fill(&f, t, pool, seed, err);
    free(f.piece);
    free(f.has);
    free(f.from);
    return code;
}
