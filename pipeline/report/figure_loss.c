#include "pipeline/report/figure_loss.h"

#include "flow/sort.h"
#include "pipeline/report/numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A KL below this is noise. */
#define LEAST 1e-6

/* ---- reading */

static int reserve(double **out, size_t n, flow_err *err)
{
    *out = malloc((n + 1) * sizeof **out);
    return *out ? FLOW_OK : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu losses", n);
}

void figure_loss_release(figure_loss *self)
{
    free(self->x);
    for (size_t k = 0; k < self->n_curves; k++)
        free(self->curves[k].y);
    *self = (figure_loss){.n = 0};
}

/* A curve of one key, if any row has a number there. */
static int add_curve(figure_loss *self, const json_t *metrics, const char *key, loss_curve like,
                     flow_err *err)
{
    size_t i, known = 0;
    const json_t *row;
    if (reserve(&like.y, self->n, err))
        return err->code;
    json_array_foreach(metrics, i, row)
    {
        like.y[i] = number_at(row, key);
        known += isfinite(like.y[i]) ? 1 : 0;
    }
    if (known)
        self->curves[self->n_curves++] = like;
    else
        free(like.y);
    return FLOW_OK;
}

static void add_event(figure_loss *self, double x, const char *text)
{
    if (self->n_events == LOSS_EVENTS)
        return;
    loss_event *e = &self->events[self->n_events++];
    e->x = x;
    snprintf(e->text, sizeof e->text, "%s", text);
}

static void best_epoch(figure_loss *self, const double *valid)
{
    size_t best = 0;
    char text[48];
    for (size_t i = 1; i < self->n; i++)
        if (valid[i] < valid[best] || isnan(valid[best]))
            best = i;
    snprintf(text, sizeof text, "best epoch %.0f", self->x[best]);
    add_event(self, self->x[best], text);
}

/* Bad values further from the median than this many times the distance from there to the best are left out. */
static const double FAR = 12, KEPT = 4;

static void set_span(figure_loss *self, const double *sorted, size_t n)
{
    double middle = sorted[n / 2], low = sorted[0], high = sorted[n - 1];
    self->low = low;
    self->high = high;
    if (self->log || n < 10)
        return;
    if (self->small_is_good && high - middle > FAR * (middle - low))
        self->high = middle + KEPT * (middle - low);
    if (!self->small_is_good && middle - low > FAR * (high - middle))
        self->low = middle - KEPT * (high - middle);
}

static int find_span(figure_loss *self, flow_err *err)
{
    double *all;
    size_t n = 0;
    self->low = self->high = NAN;
    if (reserve(&all, self->n * LOSS_CURVES, err))
        return err->code;
    for (size_t k = 0; k < self->n_curves; k++)
        for (size_t i = 0; i < self->n; i++)
            if (isfinite(self->curves[k].y[i]))
                all[n++] = self->curves[k].y[i];
    flow_sort_numbers(all, n);
    if (n > 0)
        set_span(self, all, n);
    free(all);
    return FLOW_OK;
}

int figure_loss_of_teacher(figure_loss *self, const json_t *metrics, flow_err *err)
{
    *self = (figure_loss){.n = json_array_size(metrics),
                          .across = "epoch",
                          .small_is_good = true,
                          .up = "\xe2\x88\x92log p, nats a row"};
    if (reserve(&self->x, self->n, err))
        return err->code;
    for (size_t i = 0; i < self->n; i++)
        self->x[i] = number_at(json_array_get(metrics, i), "epoch");
    int code = add_curve(self, metrics, "train_loss",
                         (loss_curve){"training", {PLOT_STUDENT, 1.6, 0, 1}, NULL}, err);
    size_t trained = self->n_curves;
    if (!code)
        code = add_curve(self, metrics, "valid_loss",
                         (loss_curve){"validation", {PLOT_TEACHER, 1.6, 3.5, 1}, NULL}, err);
    if (!code && self->n_curves > trained)
        best_epoch(self, self->curves[trained].y);
    return code ? code : find_span(self, err);
}

/* ---- of a student */

/* Steps of this training, and of all before it. */
static void count_steps(figure_loss *self, const json_t *metrics)
{
    double before = 0, last = 0;
    for (size_t i = 0; i < self->n; i++) {
        double step = number_at(json_array_get(metrics, i), "step");
        if (step <= last)
            before += last;
        last = step;
        self->x[i] = before + step;
    }
}

static bool starts_anew(const json_t *metrics, size_t i)
{
    return i == 0 || number_at(json_array_get(metrics, i), "step") <=
                         number_at(json_array_get(metrics, i - 1), "step");
}

/* T, and the width, of a size that is trained. */
static void size_event(figure_loss *self, const json_t *row, double x)
{
    char text[48];
    double width = number_at(row, "width");
    if (isnan(number_at(row, "iterations")))
        return;
    snprintf(text, sizeof text, width < 1 ? "T = %.0f, width %.3g" : "T = %.0f",
             number_at(row, "iterations"), width);
    add_event(self, x, text);
}

/* The last rise of beta to 1: it may fall again on the way. Of the training that ends before row `end`. */
static void tempering_event(figure_loss *self, const json_t *metrics, size_t end)
{
    for (size_t i = end; i-- > 1 && !starts_anew(metrics, i);)
        if (number_at(json_array_get(metrics, i - 1), "beta") < 1) {
            if (number_at(json_array_get(metrics, i), "beta") >= 1)
                add_event(self, self->x[i], "tempering ends");
            return;
        }
}

enum { GRADIENTS = 4 }; /* changes that are told, at most */

static void gradient_event(figure_loss *self, const json_t *metrics, size_t i, int *told)
{
    char text[48];
    const char *name = text_at(json_array_get(metrics, i), "gradient");
    if (strcmp(text_at(json_array_get(metrics, i - 1), "gradient"), name) == 0 ||
        (*told)++ >= GRADIENTS)
        return;
    snprintf(text, sizeof text, "gradient: %s", name);
    add_event(self, self->x[i], text);
}

static void student_events(figure_loss *self, const json_t *metrics)
{
    int told = 0;
    for (size_t i = 0; i < self->n; i++) {
        if (starts_anew(metrics, i))
            size_event(self, json_array_get(metrics, i), i ? self->x[i - 1] : 0);
        else
            gradient_event(self, metrics, i, &told);
        if (i + 1 == self->n || starts_anew(metrics, i + 1))
            tempering_event(self, metrics, i + 1);
    }
}

static bool has_curve(const figure_loss *self)
{
    return self->n_curves > 0;
}

/* A KL that is noise or below is the least that is drawn. */
static void lift(figure_loss *self)
{
    for (size_t k = 0; k < self->n_curves; k++)
        for (size_t i = 0; i < self->n; i++)
            if (self->curves[k].y[i] < LEAST)
                self->curves[k].y[i] = LEAST;
}

static int kl_curves(figure_loss *self, const json_t *metrics, flow_err *err)
{
    int code = add_curve(self, metrics, "kl_reverse",
                         (loss_curve){"KL reverse", {PLOT_STUDENT, 1.6, 0, 1}, NULL}, err);
    if (!code)
        code = add_curve(self, metrics, "kl_forward",
                         (loss_curve){"KL forward", {PLOT_TEACHER, 1.6, 3.5, 1}, NULL}, err);
    self->log = has_curve(self);
    self->up = "KL, nats";
    lift(self);
    return code;
}

int figure_loss_of_student(figure_loss *self, const json_t *metrics, flow_err *err)
{
    *self = (figure_loss){.n = json_array_size(metrics), .across = "step"};
    if (reserve(&self->x, self->n, err))
        return err->code;
    count_steps(self, metrics);
    int code = kl_curves(self, metrics, err);
    if (!code && !has_curve(self)) {
        self->up = "ELBO, nats";
        code = add_curve(self, metrics, "elbo",
                         (loss_curve){"ELBO", {PLOT_STUDENT, 1.6, 0, 1}, NULL}, err);
    }
    student_events(self, metrics);
    return code ? code : find_span(self, err);
}

/* ---- drawing */

enum { WIDTH = 440, HEIGHT = 290, LEFT = 64, RIGHT = 14, TOP = 30, BOTTOM = 46 };

static plot_axis upwards(const figure_loss *self)
{
    double least = floor(log10(self->low));
    if (self->log && self->low <= self->high)
        return (plot_axis){.lo = pow(10, least),
                           .hi = pow(10, fmax(least + 1, ceil(log10(self->high)))),
                           .log = true};
    return plot_axis_of(self->low, self->high, 0.06);
}

static void draw_event(plot *p, const plot_panel *panel, const loss_event *e, size_t which)
{
    double x = panel_x(panel, e->x);
    bool right = x < panel->left + 0.6 * panel->width;
    panel_upright(p, panel, e->x, (plot_stroke){PLOT_FAINT, 1, 2, 1});
    letters_write(
        p, e->text, right ? x + 4 : x - 4, panel->top + 13 + 12 * (double)(which % 4),
        (letters){LETTERS_SMALL, PLOT_FAINT, right ? LETTERS_START : LETTERS_END, false, false});
}

static plot_panel panel_of(const figure_loss *self)
{
    plot_panel out = {.left = LEFT,
                      .top = TOP,
                      .width = WIDTH - LEFT - RIGHT,
                      .height = HEIGHT - TOP - BOTTOM,
                      .y = upwards(self)};
    out.x = plot_axis_of(0, self->n ? self->x[self->n - 1] : 1, 0);
    panel_ticks(&out);
    return out;
}

static void draw_curve(plot *p, const plot_panel *panel, const figure_loss *self, size_t k)
{
    const loss_curve *c = &self->curves[k];
    for (size_t from = 0, to; from < self->n; from = to) { /* trainings are not joined */
        for (to = from + 1; to < self->n && !(self->x[to] - self->x[to - 1] <= 0); to++)
            ;
        panel_line(p, panel, self->x + from, c->y + from, to - from, c->stroke);
    }
    if (self->n <= 60)
        panel_dots(p, panel, self->x, c->y, self->n, 2, c->stroke.ink, 1);
}

static void draw(plot *p, const void *of)
{
    const figure_loss *self = of;
    legend_entry entries[LOSS_CURVES];
    plot_panel panel = panel_of(self);
    panel_grid(p, &panel);
    panel_cut(p, &panel);
    for (size_t k = 0; k < self->n_curves; k++)
        draw_curve(p, &panel, self, k);
    for (size_t i = 0; i < self->n_events; i++)
        draw_event(p, &panel, &self->events[i], i);
    panel_uncut(p);
    panel_frame(p, &panel);
    panel_across(p, &panel, self->across);
    panel_up(p, &panel, self->up);
    for (size_t k = 0; k < self->n_curves; k++)
        entries[k] = (legend_entry){self->curves[k].text, self->curves[k].stroke, false};
    panel_legend(p, entries, self->n_curves, LEFT, 14, WIDTH - LEFT);
}

plot_drawing figure_loss_drawing(const figure_loss *self)
{
    return (plot_drawing){WIDTH, HEIGHT, draw, self};
}
