#include "student/hunt_rounds.h"

#include "student/means.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const double MOST_NUMBERS = 4e6, /* of all covariances */
    GROUP_ROWS = 32,                    /* of a Student's t, at least on average */
    APART = 1e3;                        /* of regions, in widths of their rows */

/* Rows that proposals are put on: the missed ones first, then those drawn in the last round. */
typedef struct rounds {
    const student_sides *sides;
    const flow *student;
    const hunt_seeds *seeds;
    double limit;
    size_t proposals;
    double *x, *z; /* (room, D); z: in widths of their region */
    size_t n;
    means groups;
} rounds;

static int take(rounds *s, flow_err *err)
{
    size_t n = s->seeds->n, dim = s->seeds->dim, room = (n + HUNT_NEXT) * dim;
    s->x = malloc(2 * room * sizeof *s->x);
    if (!s->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of a hunt", n);
    s->z = s->x + room;
    memcpy(s->x, s->seeds->x, n * dim * sizeof *s->x);
    s->n = n;
    return 0;
}

static size_t class_of(const rounds *s, size_t row)
{
    size_t region = row < s->seeds->n ? s->seeds->region[row] : SIZE_MAX;
    return region < HUNT_MOST ? region : HUNT_MOST;
}

/* z of column i, of the rows of a class, in their widths. */
static void take_class(rounds *s, size_t i, size_t class)
{
    size_t dim = s->seeds->dim, n = 0;
    double mean = 0, square = 0;
    for (size_t r = 0; r < s->n; r++) { /* Welford 1962 */
        double x = s->x[r * dim + i], off = x - mean;
        if (class_of(s, r) != class)
            continue;
        mean += off / (double)++n;
        square += off * (x - mean);
    }
    double width = n && square > 0 ? sqrt(square / (double)n) : INFINITY;
    for (size_t r = 0; r < s->n; r++)
        if (class_of(s, r) == class)
            s->z[r * dim + i] = (s->x[r * dim + i] - mean) / width;
}

/* Regions may be of very different widths: each has its own, and they lie far apart. Rows that are in none are one more. */
static void take_widths(rounds *s)
{
    size_t dim = s->seeds->dim;
    for (size_t class = 0; class <= HUNT_MOST; class ++)
        for (size_t i = 0; i < dim; i++)
            take_class(s, i, class);
    for (size_t r = 0; r < s->n; r++)
        s->z[r * dim] += APART * (double)class_of(s, r);
}

static size_t groups_of(size_t n, size_t dim)
{
    double most = fmin(HUNT_MOST, MOST_NUMBERS / ((double)dim * (double)dim));
    double out = fmin(most, (double)n / GROUP_ROWS);
    return out < 1 ? 1 : (size_t)out;
}

size_t hunt_largest_of(const size_t *count, size_t n)
{
    size_t out = 0;
    for (size_t k = 1; k < n; k++)
        if (count[k] > count[out])
            out = k;
    return out;
}

/* The region in which most missed rows of each group are. */
static void label(const rounds *s, size_t regions, size_t *region)
{
    for (size_t g = 0; g < s->groups.k; g++) {
        size_t count[HUNT_MOST] = {0};
        for (size_t r = 0; r < s->seeds->n; r++)
            if (s->groups.of[r] == g && s->seeds->region[r] != SIZE_MAX)
                count[s->seeds->region[r]]++;
        region[g] = hunt_largest_of(count, regions);
    }
}

/* Proposals on the rows, and what their weights say. */
static int propose(rounds *s, hunt_mass *m, flow_err *err)
{
    const pcg_stream stream = {.seed = s->sides->seed, .stage = STREAM_HUNT, .purpose = PCG_INIT};
    proposal g = {.n = 0};
    size_t region[HUNT_MOST], dim = s->seeds->dim;
    take_widths(s);
    int code = means_open(&s->groups, s->z, s->n, dim, groups_of(s->n, dim), err);
    if (!code) {
        means_find(&s->groups, stream);
        label(s, m->regions, region);
        m->region = region;
        code = proposal_make(&g, s->x, s->groups.of, s->n, dim, s->groups.k, err);
    }
    code = code ? code : hunt_mass_weigh(m, s->sides, s->student, &g, s->limit, s->proposals, err);
    m->region = NULL;
    proposal_close(&g);
    means_close(&s->groups);
    return code;
}

/* What the best round so far has said. */
typedef struct best {
    hunt_mass mass;
    student_estimate of[HUNT_MOST];
} best;

static void keep(best *b, const hunt_mass *m)
{
    if (!(m->ess > b->mass.ess))
        return;
    b->mass = *m;
    memcpy(b->of, m->of, m->regions * sizeof *m->of);
}

static void give_back(hunt_mass *out, const best *b)
{
    size_t evaluations = out->evaluations;
    student_estimate *of = out->of;
    if (!(b->mass.ess > 0))
        return;
    *out = b->mass;
    out->of = of;
    out->evaluations = evaluations;
    memcpy(of, b->of, out->regions * sizeof *of);
}

int hunt_rounds_go(hunt_mass *out, const student_sides *sides, const flow *student,
                   const hunt_seeds *seeds, double limit, size_t n, flow_err *err)
{
    rounds s = {.sides = sides, .student = student, .seeds = seeds, .limit = limit, .proposals = n};
    best b = {.mass = {.ess = 0}};
    int code = take(&s, err);
    out->next = code ? NULL : s.x + seeds->n * seeds->dim;
    for (int round = 0; round < HUNT_ROUNDS && !code; round++) {
        code = propose(&s, out, err);
        if (!code)
            keep(&b, out);
        if (!code && hunt_mass_is_good(out, n))
            break;
        s.n = seeds->n + out->n_next;
    }
    give_back(out, &b);
    out->next = NULL;
    free(s.x);
    return code;
}
