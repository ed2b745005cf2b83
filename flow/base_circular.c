/* flow/base_circular.c -- uniform on a circle in some columns (flow/circle.h), and another base in the others.
 *
 * Its parameters are those of the other base, which is asked row by row: a row's columns that are on lines are
 * gathered for it. */
#include "flow/base.h"
#include "flow/circle.h"
#include "flow/circles.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 4096 }; /* a row of them is on the stack */

typedef struct circular {
    flow_base base;
    const json_t *circles; /* while it is made */
    const json_t *others;  /* owned, once it is made */
    flow_base *lines;      /* NULL: there is none left */
    size_t n_circles;
} circular;

typedef double line_row[MOST_LINES];

static const circular *of(const flow_base *self)
{
    return (const circular *)self;
}

/* ---- making one */

static int mark_circles(circular *self, flow_err *err)
{
    size_t dim = self->base.dim, n = json_array_size(self->circles);
    self->base.on_circle = calloc(dim, 1);
    if (!self->base.on_circle)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu circles", n);
    for (size_t k = 0; k < n; k++) {
        size_t i = (size_t)json_integer_value(json_array_get(self->circles, k));
        if (i >= dim || self->base.on_circle[i])
            return flow_fail(err, FLOW_ECONFIG,
                             "circular: circles wants numbers below %zu, each once", dim);
        self->base.on_circle[i] = 1;
    }
    self->n_circles = n;
    return 0;
}

/* What the others are, this one is. */
static void take_over(flow_base *self, const flow_base *lines)
{
    self->n_params = lines->n_params;
    self->n_tensors = lines->n_tensors;
    memcpy(self->tensors, lines->tensors, sizeof self->tensors);
    self->pathless = lines->pathless;
    self->instead = lines->instead;
    self->edge = lines->edge;
    self->tempered = lines->tempered;
}

static int begin_lines(circular *self, flow_err *err)
{
    size_t n = self->base.dim - self->n_circles;
    self->base.tempered = 0;
    if (n > MOST_LINES)
        return flow_fail(err, FLOW_ECONFIG, "circular: %zu columns beside the circles, %d can be",
                         n, MOST_LINES);
    self->lines = n ? flow_base_create(self->others, n, err) : NULL;
    if (self->lines && self->lines->on_circle)
        return flow_fail(err, FLOW_ECONFIG, "circular: others must be on lines");
    if (self->lines)
        take_over(&self->base, self->lines);
    return n && !self->lines ? flow_fail_prefix(err, "circular") : 0;
}

static int circular_begin(flow_base *base, flow_err *err)
{
    circular *self = (circular *)base;
    self->others = flow_circles_copy(self->others);
    if (!self->others)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a base");
    int code = mark_circles(self, err);
    self->circles = NULL;
    return code ? code : begin_lines(self, err);
}

static void circular_release(flow_base *base)
{
    json_decref((json_t *)(uintptr_t)of(base)->others);
    flow_base_free(of(base)->lines);
}

static int circular_describe(const flow_base *self, json_t *description)
{
    json_t *list = flow_circles_list(self->on_circle, self->dim, 1);
    return json_object_set_new(description, "circles", list) ||
           json_object_set(description, "others", (json_t *)(uintptr_t)of(self)->others);
}

/* ---- rows */

/* The lines of a row, and back. */
static void gather(double *lines, const flow_base *self, const double *row)
{
    for (size_t i = 0; i < self->dim; i++)
        if (!self->on_circle[i])
            *lines++ = row[i];
}

static void scatter(double *row, const flow_base *self, const double *lines)
{
    for (size_t i = 0; i < self->dim; i++)
        if (!self->on_circle[i])
            row[i] = *lines++;
}

static void sample_lines(const flow_base *self, double *z, base_view theta, pcg_stream stream,
                         uint64_t first, size_t n)
{
    const flow_base *lines = of(self)->lines;
    line_row row;
    for (size_t r = 0; lines && r < n; r++) {
        lines->ops->sample(lines, row, theta, stream, first + r, 1);
        scatter(z + r * self->dim, self, row);
    }
}

/* Circles have numbers of their own. */
static void circular_sample(const flow_base *self, double *z, base_view theta, pcg_stream stream,
                            uint64_t first, size_t n)
{
    sample_lines(self, z, theta, stream, first, n);
    stream.purpose = PCG_CIRCLE;
    pcg rng = pcg_at(stream, first, 2 * of(self)->n_circles); /* a whole number of pairs */
    for (size_t i = 0; i < n * self->dim; i++)
        if (self->on_circle[i % self->dim]) {
            z[i] = flow_circle_point(FLOW_PI * (2 * pcg_uniform(&rng) - 1));
            pcg_uniform(&rng);
        }
}

/* NaN if a column on a circle is no number. */
static double log_prob_of_circles(const flow_base *self, const double *row)
{
    double sum = -(double)of(self)->n_circles * FLOW_LOG_2PI;
    for (size_t i = 0; i < self->dim; i++)
        if (self->on_circle[i] && !isfinite(row[i]))
            sum = NAN;
    return sum;
}

static void circular_log_prob(const flow_base *self, double *logp, base_view theta, const double *z,
                              size_t n)
{
    const flow_base *lines = of(self)->lines;
    line_row row;
    for (size_t r = 0; r < n; r++) {
        logp[r] = 0;
        gather(row, self, z + r * self->dim);
        if (lines)
            lines->ops->log_prob(lines, logp + r, theta, row, 1);
        logp[r] += log_prob_of_circles(self, z + r * self->dim);
    }
}

static void circular_score(const flow_base *self, double *score, base_view theta, const double *z,
                           size_t n)
{
    const flow_base *lines = of(self)->lines;
    line_row row, out;
    for (size_t i = 0; i < n * self->dim; i++)
        if (self->on_circle[i % self->dim])
            score[i] = isnan(z[i]) ? z[i] : 0;
    for (size_t r = 0; lines && r < n; r++) {
        gather(row, self, z + r * self->dim);
        lines->ops->score(lines, out, theta, row, 1);
        scatter(score + r * self->dim, self, out);
    }
}

static void circular_backward(const flow_base *self, base_block dtheta, base_view theta,
                              const double *dlogp, const double *z, size_t n)
{
    const flow_base *lines = of(self)->lines;
    line_row row;
    for (size_t r = 0; lines && lines->ops->backward && r < n; r++) {
        gather(row, self, z + r * self->dim);
        lines->ops->backward(lines, dtheta, theta, dlogp + r, row, 1);
    }
}

static void circular_pull(const flow_base *self, base_block dtheta, base_view theta,
                          const double *dz, const double *z, size_t n)
{
    const flow_base *lines = of(self)->lines;
    line_row row, from;
    for (size_t r = 0; lines && lines->ops->pull && r < n; r++) {
        gather(row, self, z + r * self->dim);
        gather(from, self, dz + r * self->dim);
        lines->ops->pull(lines, dtheta, theta, from, row, 1);
    }
}

static void circular_at(const flow_base *self, double *z, base_view theta, const double *u,
                        size_t n)
{
    const flow_base *lines = of(self)->lines;
    line_row row;
    for (size_t r = 0; r < n; r++) {
        double *at = z + r * self->dim;
        const double *from = u + r * self->dim;
        gather(row, self, from);
        if (lines)
            lines->ops->at(lines, row, theta, row, 1);
        for (size_t i = 0; i < self->dim; i++)
            at[i] = self->on_circle[i] ? flow_circle_point(FLOW_PI * (2 * from[i] - 1)) : 0;
        scatter(at, self, row);
    }
}

/* A circle is full at any temperature. */
static void circular_temper(const flow_base *self, double *z, base_view theta, double temperature,
                            size_t n)
{
    const flow_base *lines = of(self)->lines;
    line_row row;
    for (size_t r = 0; r < n; r++) {
        gather(row, self, z + r * self->dim);
        lines->ops->temper(lines, row, theta, temperature, 1);
        scatter(z + r * self->dim, self, row);
    }
}

static const flow_key circular_keys[] = {
    {FLOW_KEY(circular, circles), .type = FLOW_KEY_ORDER, .flags = FLOW_KEY_REQUIRED, .min = 0,
     .max = FLOW_MAX_DIM - 1, .n_min = 1, .n_max = FLOW_MAX_DIM,
     .doc = "Columns on a circle, in radians, counted from 0. Presets know which have a period."},
    {FLOW_KEY(circular, others), .type = FLOW_KEY_KIND, .kinds = &flow_bases, .def = "normal",
     .doc = "The density of the other columns."},
    {.name = NULL}};

const flow_base_ops base_circular = {
    .kind = {.name = "circular",
             .doc = "uniform on circles in some columns, another base in the others",
             .keys = circular_keys,
             .size = sizeof(circular)},
    .begin = circular_begin,
    .release = circular_release,
    .describe = circular_describe,
    .sample = circular_sample,
    .log_prob = circular_log_prob,
    .score = circular_score,
    .backward = circular_backward,
    .pull = circular_pull,
    .at = circular_at,
    .temper = circular_temper,
};
