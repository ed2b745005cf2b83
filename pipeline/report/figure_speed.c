#include "pipeline/report/figure_speed.h"

#include "pipeline/plot/panel.h"
#include "pipeline/report/numbers.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 520, ROW = 32, LEFT = 190, RIGHT = 70, TOP = 8, BOTTOM = 46 };

bool figure_speed_read(figure_speed *self, const json_t *verdict)
{
    static const struct {
        const char *path, *text;
        plot_ink ink;
    } all[FIGURE_SPEEDS] = {
        {"speed.student_rows_per_s", "student: samples", PLOT_STUDENT},
        {"speed.student_as_trained_rows_per_s", "student, not rounded: samples", PLOT_FAINT},
        {"speed.teacher_incremental_rows_per_s", "teacher: by its own inverse", PLOT_TEACHER},
        {"speed.teacher_naive_rows_per_s", "teacher: a pass for each column", PLOT_TEACHER},
        {"speed.teacher_density_rows_per_s", "teacher: densities", PLOT_FAINT}};
    self->n = 0;
    for (int k = 0; k < FIGURE_SPEEDS; k++) {
        double rate = number_at(verdict, all[k].path);
        if (!(rate > 0))
            continue;
        self->text[self->n] = all[k].text;
        self->ink[self->n] = all[k].ink;
        self->rate[self->n++] = rate;
    }
    return self->n > 0;
}

static void draw_bar(plot *p, const plot_panel *panel, const figure_speed *self, size_t k)
{
    char text[NUMBER_TEXT + 8];
    double top = panel->top + ROW * (double)k + 6, end = panel_x(panel, self->rate[k]);
    plot_fill(p, panel->left, top, end - panel->left, ROW - 12, self->ink[k], 0.85);
    letters_write(p, self->text[k], panel->left - 8, top + 14,
                  (letters){LETTERS_TEXT, PLOT_INK, LETTERS_END, false, false});
    snprintf(text, sizeof text, "%.2g", self->rate[k]);
    letters_write(p, text, end + 6, top + 14,
                  (letters){LETTERS_SMALL, PLOT_INK, LETTERS_START, false, false});
}

static void draw(plot *p, const void *of)
{
    const figure_speed *self = of;
    double lo = INFINITY, hi = 0;
    for (size_t k = 0; k < self->n; k++) {
        lo = fmin(lo, self->rate[k]);
        hi = fmax(hi, self->rate[k]);
    }
    plot_panel panel = {.left = LEFT,
                        .top = TOP,
                        .width = WIDTH - LEFT - RIGHT,
                        .height = ROW * (double)self->n,
                        .y = {.hi = 1}};
    panel.x = (plot_axis){.lo = pow(10, floor(log10(lo) - 0.3)), .log = true};
    panel.x.hi = hi * pow(hi / panel.x.lo, 0.25); /* room for the number behind the longest bar */
    plot_axis_ticks(&panel.x, panel.width, LETTERS_SMALL);
    panel_grid(p, &panel);
    for (size_t k = 0; k < self->n; k++)
        draw_bar(p, &panel, self, k);
    panel_frame(p, &panel);
    panel_across(p, &panel, "rows a second");
}

plot_drawing figure_speed_of(const figure_speed *self)
{
    return (plot_drawing){WIDTH, TOP + ROW * (double)self->n + BOTTOM, draw, self};
}
