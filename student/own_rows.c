#include "student/own_rows.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory */

int own_rows_open(own_rows *self, size_t n, const term_scene *scene, flow_err *err)
{
    size_t dim = scene->target->dim, c = scene->target->context;
    double *all = calloc(n, (dim + c + 5) * sizeof *all);
    if (!all)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows of the student's own", n);
    *self = (own_rows){.n = n, .dim = dim, .context = c, .x = all};
    self->log_q = all + n * dim;
    self->log_p = self->log_q + n;
    self->log_r = self->log_p + n;
    self->weight = self->log_r + n;
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
    size_t row = (self->dim + self->context + 5) * sizeof *self->x;
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
        if (status[r] != TARGET_FINITE || !isfinite(self->log_q[r] + self->log_r[r]))
            self->log_p[r] = -INFINITY;
        if (!isfinite(self->log_q[r]) || !isfinite(self->log_r[r]))
            self->log_q[r] = self->log_r[r] = 0;
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

/* ---- some with their noise stretched: with m the middle of the base, z' = m + T (z - m), and
 *
 *   log q_T(x) = log q(x) - log base(z') + log base(m + (z' - m) / T) - D log T
 *
 * for q and q_T share the layers; D counts the columns that can be stretched. A row of any of them has
 * r = (1 - e) q + sum_k e_k q_T_k, T_k = by^k. */

static size_t levels_of(const own_rows_width *width)
{
    return width->levels ? width->levels : 1;
}

/* e_k, k = 1 .. levels */
static double share_of(const own_rows_width *width, size_t level)
{
    size_t halvings = level < levels_of(width) ? level : level - 1;
    return width->share * pow(0.5, (double)halvings);
}

int own_rows_is_wide(const own_rows_width *width, uint64_t row)
{
    const target_rows rows = {.widen = width->share, .widen_by = width->by};
    return target_is_wide(&rows, row);
}

/* 0: a row that is not wide. */
static size_t level_of(const own_rows_width *width, uint64_t row)
{
    own_rows_width further = {.share = width->share};
    size_t level = 0;
    while (level < levels_of(width) && own_rows_is_wide(&further, row)) {
        further.share /= 2;
        level++;
    }
    return level;
}

int own_rows_stretch(const flow *student, const own_rows_width *width, double *z, uint64_t first,
                     size_t n, flow_err *err)
{
    size_t dim = flow_dim(student);
    for (size_t r = 0; r < n; r++) {
        size_t level = level_of(width, first + r);
        if (level && flow_noise_temper(student, z + r * dim, pow(width->by, (double)level), 1, err))
            return FLOW_ECONFIG;
    }
    return 0;
}

static double stretched_columns(const flow *student)
{
    double n = 0;
    for (size_t i = 0; i < flow_dim(student); i++)
        n += !flow_noise_turns(student, i);
    return n;
}

/* Of up to FLOW_SHARD rows. z is brought back by one more `by` for each level; out sums e_k (q_T_k / q - 1). */
static int mix_shard(double *out, const flow *student, const own_rows_width *width, double *z,
                     double *work, size_t n, flow_err *err)
{
    double spread = stretched_columns(student) * log(width->by), at[FLOW_SHARD];
    int code = 0;
    flow_base_log_prob(student, NULL, at, z, n);
    for (size_t r = 0; r < n; r++)
        out[r] = 0;
    for (size_t k = 1; k <= levels_of(width) && !code; k++) {
        code = flow_noise_temper(student, z, 1 / width->by, n, err);
        flow_base_log_prob(student, NULL, work, z, n);
        for (size_t r = 0; r < n; r++)
            out[r] += share_of(width, k) * expm1(work[r] - at[r] - (double)k * spread);
    }
    for (size_t r = 0; r < n; r++)
        out[r] = log1p(out[r]);
    return code ? FLOW_ECONFIG : 0;
}

int own_rows_mix(double *out, const flow *student, const own_rows_width *width, double *z,
                 double *work, size_t n, flow_err *err)
{
    size_t dim = flow_dim(student);
    int code = 0;
    for (size_t row = 0, m; row < n && !code; row += m) {
        m = n - row < FLOW_SHARD ? n - row : FLOW_SHARD;
        code = mix_shard(out + row, student, width, z + row * dim, work + row, m, err);
    }
    return code;
}

static int draw_wide(own_rows *self, const term_scene *scene, const own_rows_width *width,
                     pcg_stream noise, uint64_t first, flow_err *err)
{
    size_t n = self->n, dim = self->dim;
    double *z = malloc(n * (dim + 1) * sizeof *z);
    if (!z)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", n);
    flow_noise(scene->student, NULL, z, noise, first, n);
    int code = own_rows_stretch(scene->student, width, z, first, n, err);
    if (!code)
        code = flow_transport(scene->student, scene->pool, self->x, self->log_q, z, self->contexts,
                              n, err);
    if (!code)
        code = own_rows_mix(self->log_r, scene->student, width, z, z + n * dim, n, err);
    for (size_t r = 0; r < n && !code; r++)
        self->log_r[r] += self->log_q[r];
    free(z);
    return code;
}

static int draw(own_rows *self, const term_scene *scene, const own_rows_width *width,
                uint64_t first, flow_err *err)
{
    const pcg_stream noise = {.seed = scene->seed, .stage = STREAM_OWN_ROWS, .purpose = PCG_BASE};
    if (width->share > 0)
        return draw_wide(self, scene, width, noise, first, err);
    int code = flow_sample(scene->student, scene->pool, self->x, self->log_q, self->contexts, noise,
                           first, self->n, err);
    memcpy(self->log_r, self->log_q, self->n * sizeof *self->log_r);
    return code;
}

int own_rows_check(const own_rows_width *width, const flow *student, flow_err *err)
{
    double none[1];
    if (!(width->share > 0) || flow_noise_temper(student, none, width->by, 0, NULL) == 0)
        return 0;
    return flow_fail(err, FLOW_ECONFIG,
                     "student.train.objective.widen: the student's base cannot be stretched; set "
                     "it to 0");
}

int own_rows_draw(own_rows *self, const term_scene *scene, const own_rows_width *width,
                  uint64_t first, term_sums *sums, flow_err *err)
{
    draw_contexts(self, scene, first);
    int code = draw(self, scene, width, first, err);
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

/* Sums of weights exp(log_w - top) and of what they weigh. */
typedef struct weighed_sum {
    double top, weights, squares, values;
} weighed_sum;

static weighed_sum sum_up(const own_rows *self, const double *over)
{
    weighed_sum out = {.top = -INFINITY};
    for (size_t r = 0; r < self->n; r++)
        if (self->log_p[r] > -INFINITY)
            out.top = fmax(out.top, over[r] - self->log_r[r]);
    for (size_t r = 0; r < self->n; r++) {
        if (self->log_p[r] == -INFINITY)
            continue;
        double w = exp(over[r] - self->log_r[r] - out.top);
        out.weights += w;
        out.squares += w * w;
        out.values += w * (self->log_p[r] - self->log_q[r]);
    }
    return out;
}

void own_rows_figures(const own_rows *self, double *kl_reverse, double *kl_forward, double *ess)
{
    weighed_sum q = sum_up(self, self->log_q), p = sum_up(self, self->log_p);
    *kl_reverse = -q.values / q.weights;
    *kl_forward = p.values / p.weights;
    *ess = p.weights * p.weights / p.squares / (double)self->n;
}
