/* flow/layer/mlp_narrow.c -- a masked network of the hidden units of a wider one that matter most.
 *
 * What a unit matters is the norm of all that it reads, its biases too, times the norm of all that reads it.
 * Buffers between which there is an activation or the skip of a block hold the same units, which are
 * chosen once. Each degree keeps as many as the narrow network has room for, so the stairs fit as they are.
 *
 * Where there is room for more of a degree than there were, a unit is idle: nothing reads it, and it
 * is f(1) whatever comes in. At f(0) = 0 neither it nor what reads it would ever have a gradient. */
#include "flow/layer/mlp.h"
#include "flow/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t NONE = SIZE_MAX; /* an idle unit; in a step: no buffer is added */

typedef struct narrowing {
    const mlp *to, *from;
    const real *theta;               /* of `from` */
    size_t owner[MLP_MAX_STEPS + 1]; /* of a buffer: the first one with the same units */
    /* Of owners, by a buffer's offset: */
    double *reads, *read; /* sums of squares, for each unit of `from` */
    size_t *units;        /* for each unit of `to`: which one of `from` it is */
    double *sorted;       /* scratch */
} narrowing;

static void find_owners(narrowing *n)
{
    for (size_t b = 0; b < n->to->n_buffers; b++)
        n->owner[b] = b;
    for (const mlp_step *s = n->to->steps; s < n->to->steps + n->to->n_steps; s++) {
        size_t same = s->map < 0 ? s->src : s->add;
        if (same != NONE)
            n->owner[s->dst] = n->owner[same];
    }
}

/* ---- what a unit matters */

static void weigh_map(narrowing *n, const mlp_step *step)
{
    const stair *map = &n->from->maps[step->map];
    const real *theta = n->theta + step->offset;
    double *reads = n->reads + n->from->buffers[n->owner[step->dst]].offset;
    double *read = n->read + n->from->buffers[n->owner[step->src]].offset;
    for (size_t m = 0; m < map->rows; m++) {
        const real *w = theta + stair_row(map, m);
        double bias = (double)theta[map->bias + m];
        reads[m] += bias * bias;
        for (size_t k = 0; k < map->limit[m]; k++) {
            double square = (double)w[k * FLOW_PAD] * (double)w[k * FLOW_PAD];
            reads[m] += square;
            read[k] += square;
        }
    }
}

/* The n-th largest of x (count), 0 < n < count; how many of the n largest are no larger. sorted: scratch. */
static double nth_largest(size_t *ties, double *sorted, const double *x, size_t count, size_t n)
{
    memcpy(sorted, x, count * sizeof *sorted);
    flow_sort_numbers(sorted, count);
    const double *top = sorted + count - n;
    for (*ties = 1; *ties < n && top[*ties] == *top;)
        ++*ties;
    return *top;
}

/* units (n) = the n of first .. end - 1 that matter most, of equal ones the first, in their order; where
 * there are not so many, idle ones follow. */
static void choose(size_t *units, size_t n, const double *matters, size_t first, size_t end,
                   double *sorted)
{
    size_t count = end - first, kept = 0, ties = 0;
    double least = -1;
    if (count > n && n > 0)
        least = nth_largest(&ties, sorted, matters + first, count, n);
    for (size_t u = first; u < end && kept < n; u++)
        if (matters[u] > least || (matters[u] == least && ties > 0)) {
            ties -= matters[u] == least;
            units[kept++] = u;
        }
    while (kept < n)
        units[kept++] = NONE;
}

/* Inputs and outputs, of which both networks have as many, are all chosen. */
static void choose_units(narrowing *n, size_t buffer)
{
    const mlp_buffer *to = &n->to->buffers[buffer], *from = &n->from->buffers[buffer];
    double *matters = n->reads + from->offset;
    for (size_t u = 0; u < from->rows; u++)
        matters[u] = fmax(0, sqrt(matters[u]) * sqrt(n->read[from->offset + u])); /* NaN: 0 */
    for (size_t d = 0; d <= n->to->base.shape.groups; d++)
        choose(n->units + to->offset + to->begin[d], to->begin[d + 1] - to->begin[d], matters,
               from->begin[d], from->begin[d + 1], n->sorted);
}

/* ---- the weights between those that are kept */

static const size_t *units_of(const narrowing *n, size_t buffer)
{
    return n->units + n->to->buffers[n->owner[buffer]].offset;
}

static void copy_map(const narrowing *n, real *theta, const mlp_step *to, const mlp_step *from)
{
    const stair *map = &n->to->maps[to->map], *whole = &n->from->maps[from->map];
    const size_t *rows = units_of(n, to->dst), *cols = units_of(n, to->src);
    const real *source = n->theta + from->offset;
    theta += to->offset;
    for (size_t m = 0; m < map->rows; m++) {
        if (rows[m] == NONE) {
            theta[map->bias + m] = to->add == NONE;
            continue;
        }
        real *w = theta + stair_row(map, m);
        const real *v = source + stair_row(whole, rows[m]);
        theta[map->bias + m] = source[whole->bias + rows[m]];
        for (size_t k = 0; k < map->limit[m]; k++)
            w[k * FLOW_PAD] = cols[k] == NONE ? 0 : v[cols[k] * FLOW_PAD];
    }
}

static void narrow(narrowing *n, real *theta)
{
    find_owners(n);
    for (size_t s = 0; s < n->from->n_steps; s++)
        if (n->from->steps[s].map >= 0)
            weigh_map(n, &n->from->steps[s]);
    for (size_t b = 0; b < n->to->n_buffers; b++)
        if (n->owner[b] == b)
            choose_units(n, b);
    for (size_t s = 0; s < n->to->n_steps; s++)
        if (n->to->steps[s].map >= 0)
            copy_map(n, theta, &n->to->steps[s], &n->from->steps[s]);
}

/* ---- ops of a conditioner */

void mlp_narrow(void *options, double width)
{
    flow_wholes *hidden = &((mlp_options *)options)->hidden;
    for (size_t i = 0; i < hidden->n; i++)
        hidden->at[i] = (uint64_t)fmax(1, round(width * (double)hidden->at[i]));
}

int mlp_narrow_params(const conditioner *base, real *theta, const conditioner *from,
                      const real *from_theta, flow_err *err)
{
    narrowing n = {.to = (const mlp *)base, .from = (const mlp *)from, .theta = from_theta};
    size_t rows = from->value_rows;
    n.reads = calloc(3 * rows, sizeof *n.reads);
    n.units = malloc(base->value_rows * sizeof *n.units);
    int code = 0;
    if (n.reads && n.units) {
        n.read = n.reads + rows;
        n.sorted = n.reads + 2 * rows;
        narrow(&n, theta);
    } else {
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for a narrower network");
    }
    free(n.reads);
    free(n.units);
    return code;
}
