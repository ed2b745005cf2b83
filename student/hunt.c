#include "student/hunt.h"

#include "student/column_spread.h"
#include "student/distance.h"
#include "student/hunt_rounds.h"
#include "student/hunt_source.h"
#include "student/pieces.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Of rows; those of the last source are of chains and count. */
enum { EDGE, WIDE, CHAINS, SOURCES };

typedef struct hunt {
    student_hunt *out;
    const hunt_input *in;
    const student_sides *sides;
    hunt_source source[SOURCES]; /* the chains' is the caller's */
    size_t dim, n;               /* n: missed rows, of all sources */
    size_t told;                 /* the first ones, which are told into pieces */
    size_t *region;       /* (n): of each, 0 .. regions - 1, the largest first; SIZE_MAX: none */
    bool *counts;         /* (n): it is of the chains */
    double *x, *log_p;    /* (n, D), (n) */
    double *nats;         /* (n): log p~ - log q - log Z */
    column_spread *usual; /* (D): of the student's samples */
    size_t regions, size[HUNT_MOST];
} hunt;

/* ---- what is missed */

static double nats_of(const hunt *h, const hunt_source *s, size_t row)
{
    return s->log_p[row] - s->log_q[row] - h->in->log_z;
}

static size_t count(const hunt *h, const hunt_source *s)
{
    size_t n = 0;
    for (size_t r = 0; r < s->n; r++)
        n += nats_of(h, s, r) > HUNT_NATS;
    return n;
}

static void put(hunt *h, size_t at, const hunt_source *s, size_t row)
{
    memcpy(h->x + at * h->dim, s->x + row * h->dim, h->dim * sizeof *h->x);
    h->log_p[at] = s->log_p[row];
    h->nats[at] = nats_of(h, s, row);
    h->counts[at] = s == &h->source[CHAINS];
}

/* Every stride-th missed row comes first, so that those told apart are of all sources and times. */
static void list(hunt *h)
{
    size_t most = h->in->effort.told, stride = (h->n + most - 1) / most, seen = 0, at = 0;
    size_t others = h->told = (h->n + stride - 1) / stride;
    for (const hunt_source *s = h->source; s < h->source + SOURCES; s++)
        for (size_t r = 0; r < s->n; r++)
            if (nats_of(h, s, r) > HUNT_NATS)
                put(h, seen++ % stride == 0 ? at++ : others++, s, r);
}

static int take(hunt *h, flow_err *err)
{
    size_t n = h->n;
    h->region = malloc(n * sizeof *h->region);
    h->counts = malloc(n * sizeof *h->counts);
    h->x = malloc(n * (h->dim + 2) * sizeof *h->x);
    h->usual = malloc(h->dim * sizeof *h->usual);
    if (!h->region || !h->counts || !h->x || !h->usual)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of a hunt", n);
    h->log_p = h->x + n * h->dim;
    h->nats = h->log_p + n;
    list(h);
    return 0;
}

/* ---- regions */

static size_t piece_of_nearest(const hunt *h, const pieces *p, size_t k)
{
    size_t nearest = 0;
    double least = INFINITY;
    for (size_t r = 0; r < h->told; r++) {
        double d = squared_distance(h->x + r * h->dim, h->x + k * h->dim, h->dim);
        if (d < least) {
            least = d;
            nearest = r;
        }
    }
    return p->of[nearest];
}

/* region (n), as yet the piece; size (pieces). */
static void sort_rows(hunt *h, const pieces *p, size_t *size)
{
    for (size_t k = 0; k < h->n; k++) {
        size_t piece = k < h->told ? p->of[k] : piece_of_nearest(h, p, k);
        h->region[k] = piece;
        if (piece != SIZE_MAX)
            size[piece]++;
    }
}

/* The largest pieces are the regions. to (pieces). */
static void number(hunt *h, size_t n, size_t *size, size_t *to)
{
    for (size_t k = 0; k < n; k++)
        to[k] = SIZE_MAX;
    for (size_t at = hunt_largest_of(size, n); n > 0 && h->regions < HUNT_MOST && size[at] > 0;
         at = hunt_largest_of(size, n)) {
        to[at] = h->regions;
        h->size[h->regions++] = size[at];
        size[at] = 0;
    }
    for (size_t k = 0; k < h->n; k++)
        h->region[k] = h->region[k] == SIZE_MAX ? SIZE_MAX : to[h->region[k]];
}

static int tell_apart(hunt *h, const pieces *p, flow_err *err)
{
    size_t *room = calloc(2 * p->n + 1, sizeof *room);
    if (!room)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu regions", p->n);
    sort_rows(h, p, room);
    number(h, p->n, room, room + p->n);
    free(room);
    return 0;
}

/* Where most rows are in no region, all are one. */
static void or_one(hunt *h)
{
    size_t in = 0;
    for (size_t k = 0; k < h->regions; k++)
        in += h->size[k];
    if (2 * in >= h->n)
        return;
    for (size_t k = 0; k < h->n; k++)
        h->region[k] = 0;
    h->regions = 1;
    h->size[0] = h->n;
}

static int find_regions(hunt *h, flow_err *err)
{
    pieces p = {.n = 0};
    int code = 0;
    if (h->told > 1) {
        code = pieces_count(&p, h->sides->teacher, h->sides->pool, h->x, h->log_p, h->told, err);
        code = code ? code : tell_apart(h, &p, err);
    }
    h->out->pieces = p.n;
    h->out->evaluations += p.evaluations;
    or_one(h);
    pieces_close(&p);
    return code;
}

/* ---- how much, counted */

/* The share of the found rows, as sure as so many chains make it. */
static student_estimate counted(const hunt *h, size_t rows)
{
    double share = (double)rows / (double)h->source[CHAINS].n;
    return (student_estimate){share, sqrt(share * (1 - share) / (double)h->in->chains)};
}

static size_t found_in(const hunt *h, size_t k)
{
    size_t n = 0;
    for (size_t r = 0; r < h->n; r++)
        n += h->region[r] == k && h->counts[r];
    return n;
}

static void count_masses(const hunt *h, student_estimate *mass)
{
    h->out->mass = counted(h, h->out->missed);
    for (size_t k = 0; k < h->regions; k++)
        mass[k] = counted(h, found_in(h, k));
}

/* ---- how much, weighed */

static int weigh_masses(const hunt *h, student_estimate *mass, flow_err *err)
{
    hunt_mass m = {.of = mass, .regions = h->regions};
    const hunt_seeds seeds = {h->x, h->region, h->n, h->dim};
    int code = hunt_rounds_go(&m, h->sides, h->in->student, &seeds, h->in->log_z + HUNT_NATS,
                              h->in->effort.proposals, err);
    h->out->evaluations += m.evaluations;
    h->out->ess = m.ess;
    h->out->khat = m.khat;
    h->out->weighed = !code && hunt_mass_holds(&m);
    if (h->out->weighed) {
        h->out->mass = m.all;
        h->out->log_z = m.log_z;
    }
    return code;
}

/* ---- where */

/* Keeps the furthest columns, the furthest first. */
static void insert(hunt_region *region, hunt_column c)
{
    size_t at = region->n_columns;
    while (at > 0 && fabs(region->columns[at - 1].distance) < fabs(c.distance))
        at--;
    if (at == HUNT_COLUMNS)
        return;
    region->n_columns += region->n_columns < HUNT_COLUMNS;
    for (size_t i = region->n_columns - 1; i > at; i--)
        region->columns[i] = region->columns[i - 1];
    region->columns[at] = c;
}

/* The row of the highest density in a group. */
static size_t top_of(const hunt *h, size_t k)
{
    size_t out = SIZE_MAX;
    for (size_t r = 0; r < h->n; r++)
        if (h->region[r] == k && (out == SIZE_MAX || h->log_p[r] > h->log_p[out]))
            out = r;
    return out;
}

/* user: (D) room. */
static void describe(const hunt *h, hunt_region *out, size_t k, double *user)
{
    const flow_units *units = h->in->units;
    size_t top = top_of(h, k);
    const double *x = h->x + top * h->dim;
    out->rows = found_in(h, k);
    out->nats = h->nats[top];
    if (units)
        flow_units_to_user(units, user, NULL, x, 1);
    else
        memcpy(user, x, h->dim * sizeof *user);
    for (size_t i = 0; i < h->dim; i++) {
        const column_spread *u = &h->usual[i];
        double off = u->sd > 0 ? (x[i] - u->mean) / u->sd : 0;
        insert(out, (hunt_column){i, user[i], off});
    }
}

static size_t heaviest(const student_estimate *mass, size_t n)
{
    size_t out = 0;
    for (size_t k = 1; k < n; k++)
        if (mass[k].value > mass[out].value)
            out = k;
    return out;
}

static int tell(const hunt *h, student_estimate *mass, flow_err *err)
{
    double *user = malloc((h->dim + 1) * sizeof *user);
    if (!user)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a row of %zu columns", h->dim);
    for (size_t i = 0; i < h->dim; i++)
        h->usual[i] = column_spread_of(h->sides->own.x, h->sides->own.n, h->dim, i);
    while (h->out->n_regions < HUNT_REGIONS && h->out->n_regions < h->regions) {
        size_t k = heaviest(mass, h->regions);
        hunt_region *region = &h->out->regions[h->out->n_regions++];
        *region = (hunt_region){.mass = mass[k]};
        describe(h, region, k, user);
        mass[k].value = -1;
    }
    free(user);
    return 0;
}

/* ---- */

static int go_after(hunt *h, flow_err *err)
{
    student_estimate mass[HUNT_MOST] = {{0, 0}};
    int code = take(h, err);
    code = code ? code : find_regions(h, err);
    code = code ? code : weigh_masses(h, mass, err);
    if (!code && !h->out->weighed)
        count_masses(h, mass);
    code = code ? code : tell(h, mass, err);
    free(h->region);
    free(h->counts);
    free(h->x);
    free(h->usual);
    return code;
}

static int look(hunt *h, flow_err *err)
{
    const hunt_effort *e = &h->in->effort;
    int code = hunt_from_edge(&h->source[EDGE], h->sides, h->in->student, h->in->guide,
                              h->in->log_z + HUNT_NATS, e->edge_chains, err);
    code =
        code ? code : hunt_from_afar(&h->source[WIDE], h->sides, h->in->student, e->wide_rows, err);
    for (int k = 0; k < SOURCES && !code; k++) {
        h->n += count(h, &h->source[k]);
        h->out->evaluations += h->source[k].evaluations;
    }
    return code;
}

int student_hunt_run(student_hunt *out, const hunt_input *in, flow_err *err)
{
    hunt h = {.out = out,
              .in = in,
              .sides = in->sides,
              .source = {[CHAINS] = in->found},
              .dim = in->sides->dim};
    h.source[CHAINS].evaluations = 0;
    *out = (student_hunt)STUDENT_NO_HUNT;
    out->rows = in->found.n;
    out->missed = count(&h, &h.source[CHAINS]);
    out->mass = (student_estimate){0, 0};
    int code = look(&h, err);
    if (!code && h.n)
        code = go_after(&h, err);
    hunt_source_close(&h.source[EDGE]);
    hunt_source_close(&h.source[WIDE]);
    return code;
}

double student_hunt_least(const student_hunt *self)
{
    double least = self->mass.value - 3 * self->mass.se;
    return self->rows == 0 ? NAN : fmax(0, least);
}
