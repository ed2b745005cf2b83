#include "pipeline/report/figure_weights.h"

#include "flow/json.h"
#include "flow/sort.h"
#include "pipeline/report/numbers.h"
#include "student/diagnostics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 440, HEIGHT = 300, LEFT = 60, RIGHT = 14, TOP = 46, BOTTOM = 46 };

static const plot_stroke OWN = {PLOT_STUDENT, 1.5, 0, 1}, THEIRS = {PLOT_TEACHER, 1.5, 3.5, 1};

/* ---- counting */

static size_t finite(double *out, const bank_excess *from)
{
    size_t n = 0;
    for (size_t r = 0; r < from->n; r++)
        if (isfinite(from->at[r]))
            out[n++] = from->at[r];
    return n;
}

static void add(tally *to, const tally_bins *bins, const bank_excess *from)
{
    for (size_t r = 0; r < from->n; r++)
        tally_add(to, bins, from->at[r], 1);
}

int figure_weights_count(figure_weights *self, const bank *rows, const json_t *verdict,
                         flow_err *err)
{
    *self = (figure_weights){.khat = number_at(verdict, "khat.value"),
                             .khat_forward = number_at(verdict, "khat_forward.value"),
                             .threshold = number_at(verdict, "khat.threshold")};
    double *all = malloc((rows->own.n + rows->theirs.n + 1) * sizeof *all);
    if (!all)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the weights of a report");
    size_t n = finite(all, &rows->own);
    n += finite(all + n, &rows->theirs);
    flow_sort_numbers(all, n);
    self->axis = n ? tally_axis(all, n, all[0], all[n - 1], 0) : plot_axis_of(-1, 1, 0);
    free(all);
    const tally_bins bins = tally_even(&self->axis, TALLY_BINS);
    add(&self->own, &bins, &rows->own);
    add(&self->theirs, &bins, &rows->theirs);
    return FLOW_OK;
}

bool figure_weights_reach(const figure_weights *self)
{
    return student_uncovered_nats[0] < self->axis.hi;
}

/* ---- drawing */

static void shares(double *out, double *least, double *most, const tally *t)
{
    for (size_t i = 0; i < TALLY_BINS; i++) {
        out[i] = t->count[i] > 0 ? t->count[i] / t->total : NAN;
        *least = fmin(*least, out[i]);
        *most = fmax(*most, out[i]);
    }
}

static void khat_text(char *out, size_t size, const figure_weights *self)
{
    int used = snprintf(out, size, "k-hat ");
    if (isnan(self->khat))
        snprintf(out + used, size - (size_t)used, "not known");
    else
        used += snprintf(out + used, size - (size_t)used, "%.2f (good below %.2f)", self->khat,
                         self->threshold);
    if (!isnan(self->khat_forward))
        snprintf(out + used, size - (size_t)used, "; at samples of the teacher %.2f",
                 self->khat_forward);
}

static void weights_head(plot *p, const figure_weights *self)
{
    char text[120];
    const legend_entry entries[] = {{"at samples of the student", OWN, false},
                                    {"at samples of the teacher", THEIRS, false}};
    panel_legend(p, entries, self->theirs.total > 0 ? 2 : 1, LEFT, 13, WIDTH - LEFT);
    khat_text(text, sizeof text, self);
    letters_write(p, text, LEFT, 36,
                  (letters){LETTERS_SMALL, PLOT_FAINT, LETTERS_START, false, false});
}

static plot_panel weights_panel(const figure_weights *self, double least, double most)
{
    plot_panel out = {.left = LEFT,
                      .top = TOP,
                      .width = WIDTH - LEFT - RIGHT,
                      .height = HEIGHT - TOP - BOTTOM,
                      .x = self->axis};
    out.y = most > 0 ? (plot_axis){.lo = least / 2, .hi = 2 * most, .log = true}
                     : (plot_axis){.lo = 0.1, .hi = 1, .log = true};
    panel_ticks(&out);
    return out;
}

static void draw_weights(plot *p, const void *of)
{
    const figure_weights *self = of;
    double own[TALLY_BINS], theirs[TALLY_BINS], least = INFINITY, most = 0;
    plot_bins bins = {self->axis.lo, self->axis.hi, TALLY_BINS, NULL};
    shares(own, &least, &most, &self->own);
    shares(theirs, &least, &most, &self->theirs);
    plot_panel panel = weights_panel(self, least, most);
    panel_grid(p, &panel);
    panel_cut(p, &panel);
    panel_upright(p, &panel, 0, (plot_stroke){PLOT_INK, 0.8, 0, 1});
    if (figure_weights_reach(self))
        panel_upright(p, &panel, student_uncovered_nats[0], (plot_stroke){PLOT_ALARM, 1.2, 3, 1});
    panel_bars(p, &panel, bins, own, PLOT_STUDENT, 0.14);
    panel_steps(p, &panel, bins, own, OWN);
    panel_steps(p, &panel, bins, theirs, THEIRS);
    panel_uncut(p);
    panel_frame(p, &panel);
    panel_across(p, &panel, "log p \xe2\x88\x92 log q, nats");
    panel_up(p, &panel, "share of the samples");
    weights_head(p, self);
}

plot_drawing figure_weights_of(const figure_weights *self)
{
    return (plot_drawing){WIDTH, HEIGHT, draw_weights, self};
}

/* ---- ESS */

static size_t read_curve(double *rows, double *ess, const json_t *curve)
{
    size_t n = 0, i;
    const json_t *point;
    json_array_foreach(curve, i, point)
    {
        if (n < FIGURE_ESS_MOST && json_is_number(json_array_get(point, 1))) {
            rows[n] = json_number_value(json_array_get(point, 0));
            ess[n++] = json_number_value(json_array_get(point, 1));
        }
    }
    return n;
}

bool figure_ess_read(figure_ess *self, const json_t *verdict)
{
    static const char *const side[] = {"ess_reverse.ess_curve", "ess_forward.ess_curve"};
    for (int k = 0; k < 2; k++)
        self->n[k] = read_curve(self->rows[k], self->ess[k], flow_json_below(verdict, side[k]));
    return self->n[0] + self->n[1] > 0;
}

static plot_panel ess_panel(const figure_ess *self)
{
    double lo = INFINITY, hi = 1, least = 1;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < self->n[k]; i++) {
            lo = fmin(lo, self->rows[k][i]);
            hi = fmax(hi, self->rows[k][i]);
            least = fmin(least, self->ess[k][i]);
        }
    plot_panel out = {.left = LEFT,
                      .top = TOP,
                      .width = WIDTH - LEFT - RIGHT,
                      .height = HEIGHT - TOP - BOTTOM,
                      .x = {.lo = lo / 1.3, .hi = hi * 1.3, .log = true}};
    out.y = least > 0.9 ? (plot_axis){.lo = 0.9, .hi = 1.005} : (plot_axis){.lo = 0, .hi = 1.05};
    panel_ticks(&out);
    return out;
}

static void draw_ess(plot *p, const void *of)
{
    const figure_ess *self = of;
    const plot_stroke strokes[] = {OWN, THEIRS};
    const legend_entry entries[] = {{"of samples of the student", OWN, false},
                                    {"seen from the teacher", THEIRS, false}};
    plot_panel panel = ess_panel(self);
    panel_grid(p, &panel);
    for (int k = 0; k < 2; k++) {
        panel_line(p, &panel, self->rows[k], self->ess[k], self->n[k], strokes[k]);
        panel_dots(p, &panel, self->rows[k], self->ess[k], self->n[k], 3, strokes[k].ink, 1);
    }
    panel_frame(p, &panel);
    panel_across(p, &panel, "samples N");
    panel_up(p, &panel, "ESS, share of N");
    panel_legend(p, entries, self->n[1] ? 2 : 1, LEFT, 13, WIDTH - LEFT);
    letters_write(p, "one that still falls as N grows has not converged", LEFT, 36,
                  (letters){LETTERS_SMALL, PLOT_FAINT, LETTERS_START, false, false});
}

plot_drawing figure_ess_of(const figure_ess *self)
{
    return (plot_drawing){WIDTH, HEIGHT, draw_ess, self};
}
