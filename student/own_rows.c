#include "student/own_rows.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>

/* ---- memory */

int own_rows_open(own_rows *self, size_t n, const term_scene *scene, flow_err *err)
{
    size_t dim = scene->target->dim, c = scene->target->context;
    double *all = calloc(n, (dim + c + 4) * sizeof *all);
    if (!all)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of the student's own", n);
    *self = (own_rows){.n = n, .dim = dim, .context = c, .x = all};
    self->log_q = all + n * dim;
    self->log_p = self->log_q + n;
    self->weight = self->log_p + n;
    self->up_to = self->weight + n;
    self->contexts = c ? self->up_to + n : NULL;
    return 0;
}

void own_rows_close(own_rows *self)
{
    free(self->x);
}

void own_rows_pieces(own_rows *self, flow_pieces *pieces)
{
    size_t row = (self->dim + self->context + 4) * sizeof *self->x;
    flow_pieces_add(pieces, "rows of the student's own", self->x, self->n * row);
}

/* ---- drawing */

/* A row where the target broke has no density for us; at what is no point it was the student that did. */
static void settle(own_rows *self, const target_status *status, uint64_t first, term_sums *sums)
{
    size_t dim = self->dim;
    for (size_t r = 0; r < self->n; r++) {
        const double *x = self->x + r * dim;
        sums->asked++;
        sums->no_density += status[r] == TARGET_NO_DENSITY;
        if (status[r] == TARGET_BROKEN && broken_is_point(x, dim))
            broken_note(&sums->broken, first + r, self->log_p[r], x, dim);
        if (status[r] != TARGET_FINITE || !isfinite(self->log_q[r]))
            self->log_p[r] = -INFINITY;
        if (!isfinite(self->log_q[r]))
            self->log_q[r] = 0;
    }
}

static int ask(own_rows *self, const term_scene *scene, uint64_t first, term_sums *sums,
               flow_err *err)
{
    target_status *status = malloc(self->n * sizeof *status);
    if (!status)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", self->n);
    int code = target_log_density(scene->target, scene->pool, self->log_p, NULL, status, self->x,
                                  self->contexts, self->n, err);
    if (!code)
        settle(self, status, first, sums);
    free(status);
    return code;
}

static void draw_contexts(own_rows *self, const term_scene *scene, uint64_t first)
{
    const pcg_stream stream = {
        .seed = scene->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_CONTEXT};
    size_t c = self->context;
    for (size_t row = 0, n; c && row < self->n; row += n) {
        double u[FLOW_SHARD];
        n = self->n - row < FLOW_SHARD ? self->n - row : FLOW_SHARD;
        distill_contexts_of_rows(scene->contexts, self->contexts + row * c, u, first + row, n, c,
                                 stream);
    }
}

static int has_density(const own_rows *self)
{
    for (size_t r = 0; r < self->n; r++)
        if (self->log_p[r] > -INFINITY)
            return 1;
    return 0;
}

int own_rows_draw(own_rows *self, const term_scene *scene, uint64_t first, term_sums *sums,
                  flow_err *err)
{
    const pcg_stream noise = {.seed = scene->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_BASE};
    draw_contexts(self, scene, first);
    int code = flow_sample(scene->student, scene->pool, self->x, self->log_q, self->contexts, noise,
                           first, self->n, err);
    if (!code)
        code = ask(self, scene, first, sums, err);
    if (code || has_density(self))
        return code;
    return flow_fail(err, FLOW_EDIVERGED,
                     "the target '%s' has no density at any of %zu rows that the student drew",
                     scene->target->ops->name, self->n);
}

/* ---- weights */

void own_rows_weighed(own_rows *self)
{
    double sum = 0;
    for (size_t r = 0; r < self->n; r++)
        self->up_to[r] = sum += self->weight[r];
    for (size_t r = self->n; r-- > 0 && self->up_to[r] >= sum;)
        self->up_to[r] = 1; /* whatever rounding left */
}

size_t own_rows_pick(const own_rows *self, size_t row, size_t rows, double u)
{
    double at = ((double)row + u) / (double)rows;
    size_t low = 0, high = self->n - 1; /* the first whose sum is above `at` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->up_to[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void own_rows_figures(const own_rows *self, double *kl_reverse, double *kl_forward, double *ess)
{
    double top = -INFINITY, n = 0, sum = 0, squares = 0, forward = 0, reverse = 0;
    for (size_t r = 0; r < self->n; r++)
        if (self->log_p[r] > -INFINITY)
            top = fmax(top, self->log_p[r] - self->log_q[r]);
    for (size_t r = 0; r < self->n; r++) {
        if (self->log_p[r] == -INFINITY)
            continue;
        double log_w = self->log_p[r] - self->log_q[r], w = exp(log_w - top);
        n++;
        reverse -= log_w;
        sum += w;
        squares += w * w;
        forward += w * log_w;
    }
    *kl_reverse = reverse / n;
    *kl_forward = forward / sum - (top + log(sum / (double)self->n));
    *ess = sum * sum / squares / (double)self->n;
}
