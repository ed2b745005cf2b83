#include "pipeline/report/figure_ladder.h"

#include "pipeline/plot/panel.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 520, HEIGHT = 340, LEFT = 68, RIGHT = 18, TOP = 44, BOTTOM = 46 };

/* ---- spans */

static void widen(double span[2], double value)
{
    if (isfinite(value)) {
        span[0] = fmin(span[0], value);
        span[1] = fmax(span[1], value);
    }
}

static double shown(double kl)
{
    return isnan(kl) ? kl : fmax(kl, FIGURE_LADDER_LEAST);
}

static double kl_of(const student_rung *r, int forward)
{
    return shown((forward ? r->weights.kl_forward : r->weights.kl_reverse).value);
}

static void find_spans(figure_ladder *self)
{
    self->x[0] = self->y[0] = INFINITY;
    self->x[1] = self->y[1] = -INFINITY;
    widen(self->x, self->teacher);
    for (size_t k = 0; k < self->n; k++)
        if (!self->rungs[k].wild) {
            widen(self->x, self->rungs[k].rows_per_s);
            widen(self->y, kl_of(&self->rungs[k], 0));
            widen(self->y, kl_of(&self->rungs[k], 1));
        }
    if (self->x[0] > self->x[1])
        self->x[0] = self->x[1] = 1;
    if (self->y[0] > self->y[1])
        self->y[0] = self->y[1] = 1;
}

static plot_panel panel_of(const plot *p, const figure_ladder *self)
{
    plot_panel out = {.left = LEFT,
                      .top = TOP,
                      .width = p->width - LEFT - RIGHT,
                      .height = p->height - TOP - BOTTOM};
    double low = floor(log10(self->y[0])), high = fmax(low + 1, ceil(log10(self->y[1])));
    out.x = (plot_axis){.lo = self->x[0] / 1.35, .hi = self->x[1] * 1.35, .log = true};
    out.y = (plot_axis){.lo = pow(10, low), .hi = pow(10, high), .log = true};
    panel_ticks(&out);
    return out;
}

/* ---- drawing */

static const plot_stroke LINES[] = {{PLOT_STUDENT, 1.6, 0, 1}, {PLOT_TEACHER, 1.6, 4, 1}};

/* Untrained ones are dots on a line. */
static void curve(plot *p, const plot_panel *panel, const figure_ladder *self, int forward)
{
    double last[2] = {NAN, NAN};
    for (size_t k = 0; k < self->n; k++) {
        const student_rung *r = &self->rungs[k];
        if (r->wild || r->trained)
            continue;
        double x[] = {last[0], r->rows_per_s}, y[] = {last[1], kl_of(r, forward)};
        panel_line(p, panel, x, y, 2, LINES[forward]);
        panel_dots(p, panel, x + 1, y + 1, 1, 3.2, LINES[forward].ink, 1);
        last[0] = x[1];
        last[1] = y[1];
    }
}

/* Trained ones are rings. */
static void rings(plot *p, const plot_panel *panel, const figure_ladder *self, int forward)
{
    for (size_t k = 0; k < self->n; k++) {
        const student_rung *r = &self->rungs[k];
        double y = kl_of(r, forward);
        if (!r->wild && r->trained) {
            panel_dots(p, panel, &r->rows_per_s, &y, 1, 4.2, PLOT_PAPER, 1);
            panel_rings(p, panel, &r->rows_per_s, &y, 1, 4.2,
                        (plot_stroke){LINES[forward].ink, 1.8, 0, 1});
        }
    }
}

/* T, and the width if it is not the teacher's, beside the upper dot: to the left, for curves rise to the
 * right; of trained ones to the right. */
static void name(plot *p, const plot_panel *panel, const student_rung *r)
{
    char text[48];
    double y = panel_y(panel, fmax(kl_of(r, 0), kl_of(r, 1))) - 4, off = r->trained ? 7 : -6;
    int used = snprintf(text, sizeof text, "%zu", r->how.iterations);
    if (r->how.width < 1)
        snprintf(text + used, sizeof text - (size_t)used, " w %.3g", r->how.width);
    letters_write(p, text, panel_x(panel, r->rows_per_s) + off, y,
                  (letters){LETTERS_SMALL, PLOT_INK, r->trained ? LETTERS_START : LETTERS_END,
                            !r->trained, false});
}

static bool some_trained(const figure_ladder *self)
{
    for (size_t k = 0; k < self->n; k++)
        if (self->rungs[k].trained)
            return true;
    return false;
}

static void teacher_line(plot *p, const plot_panel *panel, double teacher)
{
    panel_upright(p, panel, teacher, (plot_stroke){PLOT_FAINT, 1.4, 2, 1});
    letters_write(p, "teacher itself", panel_x(panel, teacher) - 4, panel->top + panel->height - 6,
                  (letters){LETTERS_SMALL, PLOT_FAINT, LETTERS_START, false, true});
}

static void head(plot *p, const figure_ladder *self)
{
    const legend_entry entries[] = {{"KL reverse", LINES[0], false},
                                    {"KL forward", LINES[1], false}};
    panel_legend(p, entries, 2, LEFT, 13, 300);
    letters_write(p,
                  some_trained(self) ? "unrolled for so many steps: as it is, and (rings) trained"
                                     : "unrolled teacher, untrained, by its number of steps",
                  LEFT, 34, (letters){LETTERS_SMALL, PLOT_FAINT, LETTERS_START, false, false});
}

static void draw(plot *p, const void *of)
{
    const figure_ladder *self = of;
    plot_panel panel = panel_of(p, self);
    panel_grid(p, &panel);
    teacher_line(p, &panel, self->teacher);
    for (int forward = 0; forward < 2; forward++)
        curve(p, &panel, self, forward);
    for (int forward = 0; forward < 2; forward++)
        rings(p, &panel, self, forward);
    for (size_t k = 0; k < self->n; k++) /* layer by layer is beside the trained one of its size */
        if (!self->rungs[k].wild && !self->rungs[k].layerwise)
            name(p, &panel, &self->rungs[k]);
    panel_frame(p, &panel);
    panel_across(p, &panel, "rows a second");
    panel_up(p, &panel, "KL, nats");
    head(p, self);
}

plot_drawing figure_ladder_of(figure_ladder *self, const student_rung *rungs, size_t n,
                              double teacher)
{
    *self = (figure_ladder){.rungs = rungs, .n = n, .teacher = teacher};
    find_spans(self);
    return (plot_drawing){WIDTH, HEIGHT, draw, self};
}
