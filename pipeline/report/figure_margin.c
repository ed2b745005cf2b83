#include "pipeline/report/figure_margin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- sides */

static int add_side(figure_margin *self, const bank_side *of, size_t dim, size_t column,
                    flow_err *err)
{
    margin_side *s = &self->sides[self->n_sides++];
    const bank_rows *rows = of->rows;
    *s = (margin_side){.text = of->name,
                       .stroke = {of->ink, 1.4, of->dash, 1},
                       .x = rows->x,
                       .weight = rows->weight,
                       .n = rows->n,
                       .worth = rows->worth > 0 ? rows->worth : (double)rows->n};
    s->sorted = plot_column_sorted(&s->n_sorted, s->x, s->n, dim, column, err);
    return s->sorted ? FLOW_OK : FLOW_ENOMEM;
}

/* ---- axis and bins */

static void whole_range(const figure_margin *self, double *lo, double *hi)
{
    *lo = INFINITY;
    *hi = -INFINITY;
    for (size_t k = 0; k < self->n_sides; k++)
        if (self->sides[k].n_sorted > 0) {
            *lo = fmin(*lo, self->sides[k].sorted[0]);
            *hi = fmax(*hi, self->sides[k].sorted[self->sides[k].n_sorted - 1]);
        }
}

/* Bins of as many whole steps as there is room for, each with its grid values in its middle; of a few values far out more steps together. */
static void on_grid(figure_margin *self, double lo, double hi)
{
    const margin_side *first = &self->sides[0];
    double step = self->unit.step, steps = round((hi - lo) / step) + 1;
    double together = ceil(steps / TALLY_BINS), bins = ceil(steps / together);
    plot_axis bent = tally_axis(first->sorted, first->n_sorted, lo, hi, step);
    double from = lo - step / 2, to = from + bins * together * step;
    if (together > 1 && bent.bend > 0) {
        bent.lo = from, bent.hi = from + steps * step;
        self->axis = bent;
        self->bins = tally_whole(&bent, step);
        return;
    }
    self->axis = (plot_axis){.lo = from, .hi = to};
    self->bins = tally_even(&self->axis, (size_t)bins);
}

static void choose_axis(figure_margin *self)
{
    const margin_side *first = &self->sides[0];
    const flow_unit *u = &self->unit;
    double lo, hi;
    whole_range(self, &lo, &hi);
    if (u->step > 0 && !(u->period > 0) && lo <= hi) {
        on_grid(self, lo, hi);
        return;
    }
    self->axis = u->period > 0 ? (plot_axis){.lo = u->start, .hi = u->start + u->period}
                               : tally_axis(first->sorted, first->n_sorted, lo, hi, 0);
    self->bins = tally_even(&self->axis, TALLY_BINS);
}

static void count_side(margin_side *s, const figure_margin *self, size_t dim, size_t column)
{
    for (size_t r = 0; r < s->n; r++)
        tally_add(&s->rows, &self->bins, s->x[r * dim + column], s->weight ? s->weight[r] : 1);
}

/* ---- ranks */

/* Mass 1 over the part of 0 .. 1 between two shares. */
static void spread(double *share, double from, double to)
{
    double first = from * MARGIN_RANKS, last = to * MARGIN_RANKS;
    for (size_t k = (size_t)first; k < MARGIN_RANKS && (double)k < last; k++)
        share[k] += (fmin(last, (double)k + 1) - fmax(first, (double)k)) / (last - first);
}

/* A value that m of the others equal may be at any place among them. */
static void rank(margin_ranks *out, const margin_side *own, const margin_side *others)
{
    size_t below = 0, end = 0, m = others->n_sorted;
    for (size_t r = 0; r < own->n_sorted; r++) {
        while (below < m && others->sorted[below] < own->sorted[r])
            below++;
        end = end > below ? end : below;
        while (end < m && others->sorted[end] <= own->sorted[r])
            end++;
        spread(out->share, (double)below / ((double)m + 1), ((double)end + 1) / ((double)m + 1));
    }
    double n = (double)own->n_sorted;
    for (size_t k = 0; k < MARGIN_RANKS; k++)
        out->share[k] *= MARGIN_RANKS / n;
    out->band = 3 * sqrt((MARGIN_RANKS - 1) * (1 / own->worth + 1 / others->worth));
}

static void rank_pair(figure_margin *self, const margin_side *own, const margin_side *others)
{
    margin_ranks *out = &self->ranks[self->n_ranks++];
    out->of = own;
    snprintf(out->text, sizeof out->text, "%s among %s", own->text, others->text);
    rank(out, own, others);
}

/* Each side among the next: those that are weighed have no ranks. */
static void rank_sides(figure_margin *self)
{
    const margin_side *own = NULL;
    for (size_t k = 0; k < self->n_sides; k++) {
        const margin_side *others = &self->sides[k];
        if (others->weight || !others->n_sorted)
            continue;
        if (own && self->n_ranks < MARGIN_PAIRS)
            rank_pair(self, own, others);
        own = others;
    }
}

static int take_sides(figure_margin *self, const bank *rows, size_t column, flow_err *err)
{
    bank_side sides[BANK_SIDES];
    size_t n = bank_sides(sides, rows);
    int code = 0;
    for (size_t k = 0; k < n && !code; k++)
        code = add_side(self, &sides[k], rows->dim, column, err);
    return code;
}

static void release_sorted(figure_margin *self)
{
    for (size_t k = 0; k < self->n_sides; k++) {
        free(self->sides[k].sorted);
        self->sides[k].sorted = NULL;
    }
}

int figure_margin_count(figure_margin *self, const bank *rows, size_t column, flow_err *err)
{
    *self = (figure_margin){.name = rows->names[column], .unit = rows->units->column[column]};
    int code = take_sides(self, rows, column, err);
    if (!code) {
        choose_axis(self);
        for (size_t k = 0; k < self->n_sides; k++)
            count_side(&self->sides[k], self, rows->dim, column);
        rank_sides(self);
    }
    release_sorted(self);
    return code;
}

static double bins_apart(const figure_margin *self)
{
    const tally *first = &self->sides[0].rows;
    double most = 0;
    for (size_t k = 1; k < self->n_sides; k++)
        for (size_t i = 0; i < self->bins.n; i++)
            most = fmax(most, fabs(self->sides[k].rows.count[i] / self->sides[k].rows.total -
                                   first->count[i] / first->total));
    return most;
}

double figure_margin_apart(const figure_margin *self)
{
    double most = self->n_ranks ? 0 : bins_apart(self);
    for (size_t k = 0; k < self->n_ranks; k++)
        for (size_t i = 0; i < MARGIN_RANKS; i++)
            most = fmax(most, fabs(self->ranks[k].share[i] - 1) / self->ranks[k].band);
    return most;
}

/* ---- drawing */

enum {
    WIDTH = 340,
    LEFT = 54,
    RIGHT = 10,
    TOP = 46,
    TALL = 100,
    LOW = 66,
    GAP = 9,
    NUMBERS = 44,
    HEIGHT = TOP + 2 * TALL + LOW + 2 * GAP + NUMBERS,
    RANKS = 78 /* what is below, with its numbers */
};

static plot_bins bins_of(const figure_margin *self)
{
    return (plot_bins){self->axis.lo, self->axis.hi, self->bins.n, self->bins.edge};
}

static plot_panel panel_at(const figure_margin *self, double top, double height)
{
    return (plot_panel){LEFT, top, WIDTH - LEFT - RIGHT, height, self->axis, {.hi = 1}};
}

/* Densities of all sides; *lo and *hi: the least above 0 and the largest. */
static void densities(double out[BANK_SIDES][TALLY_BINS], double *lo, double *hi,
                      const figure_margin *self, bool log)
{
    *lo = INFINITY;
    *hi = 0;
    for (size_t k = 0; k < self->n_sides; k++) {
        tally_density(out[k], &self->sides[k].rows, &self->bins, log);
        for (size_t i = 0; i < self->bins.n; i++) {
            *hi = fmax(*hi, out[k][i]);
            *lo = out[k][i] > 0 ? fmin(*lo, out[k][i]) : *lo;
        }
    }
}

static plot_axis upwards(double lo, double hi, bool log)
{
    if (!(hi > 0))
        return (plot_axis){.lo = log ? 0.1 : 0, .hi = 1, .log = log};
    if (!log)
        return (plot_axis){.lo = 0, .hi = 1.08 * hi};
    return (plot_axis){.lo = lo / 1.8, .hi = 2.2 * hi, .log = true};
}

/* Where nothing can be: beyond the ends of a column that has some. */
static void draw_ends(plot *p, const plot_panel *panel, const flow_unit *u)
{
    const plot_stroke s = {PLOT_FAINT, 1, 2, 1};
    if (u->support == FLOW_ABOVE || u->support == FLOW_BETWEEN)
        panel_upright(p, panel, u->lo, s);
    if (u->support == FLOW_BELOW || u->support == FLOW_BETWEEN)
        panel_upright(p, panel, u->hi, s);
}

static void draw_densities(plot *p, const figure_margin *self, double top, bool log)
{
    double y[BANK_SIDES][TALLY_BINS], lo, hi;
    plot_panel panel = panel_at(self, top, TALL);
    densities(y, &lo, &hi, self, log);
    panel.y = upwards(lo, hi, log);
    panel_ticks(&panel);
    panel_grid(p, &panel);
    panel_cut(p, &panel);
    panel_bars(p, &panel, bins_of(self), y[0], PLOT_PALE, 0.55);
    draw_ends(p, &panel, &self->unit);
    for (size_t k = 0; k < self->n_sides; k++)
        panel_steps(p, &panel, bins_of(self), y[k], self->sides[k].stroke);
    panel_uncut(p);
    panel_frame(p, &panel);
    panel_up(p, &panel, log ? "density (log)" : "density");
}

/* A side's share of a bin over that of the first, and one standard deviation of it. */
static void ratio(double *mid, double *low, double *high, const figure_margin *self, size_t k)
{
    const tally *own = &self->sides[k].rows, *first = &self->sides[0].rows;
    for (size_t i = 0; i < self->bins.n; i++) {
        double c = own->count[i], d = first->count[i];
        mid[i] = low[i] = high[i] = NAN;
        if (!(d > 0))
            continue;
        double r = c / own->total / (d / first->total);
        double thin = (double)self->sides[k].n / self->sides[k].worth;
        double noise = k && c > 0 ? sqrt(thin * own->square[i]) / c : 0;
        double base = k ? 0 : sqrt(thin * first->square[i]) / d;
        mid[i] = r;
        low[i] = r * (1 - noise) - base;
        high[i] = r * (1 + noise) + base;
    }
}

/* 0 to 2, or closer where all that is more than noise allows it. */
static plot_axis ratio_axis(const figure_margin *self)
{
    double mid[TALLY_BINS], low[TALLY_BINS], high[TALLY_BINS], far = 0;
    for (size_t k = 1; k < self->n_sides; k++) {
        ratio(mid, low, high, self, k);
        for (size_t i = 0; i < self->bins.n; i++)
            if (self->sides[0].rows.count[i] > 100)
                far = fmax(far, fabs(mid[i] - 1));
    }
    return far < 0.2 ? (plot_axis){.lo = 0.75, .hi = 1.25} : (plot_axis){.lo = 0, .hi = 2};
}

static void draw_ratios(plot *p, const figure_margin *self, double top)
{
    double mid[TALLY_BINS], low[TALLY_BINS], high[TALLY_BINS];
    char name[64];
    plot_panel panel = panel_at(self, top, LOW);
    panel.y = ratio_axis(self);
    panel_ticks(&panel);
    panel_grid(p, &panel);
    panel_cut(p, &panel);
    ratio(mid, low, high, self, 0);
    panel_band(p, &panel, bins_of(self), low, high, PLOT_PALE, 0.75);
    panel_level(p, &panel, 1, (plot_stroke){PLOT_INK, 0.8, 0, 1});
    for (size_t k = 1; k < self->n_sides; k++) {
        ratio(mid, low, high, self, k);
        panel_band(p, &panel, bins_of(self), low, high, self->sides[k].stroke.ink, 0.22);
        panel_steps(p, &panel, bins_of(self), mid, self->sides[k].stroke);
    }
    panel_uncut(p);
    panel_frame(p, &panel);
    snprintf(name, sizeof name, "over %s", self->sides[0].weight ? "weighed" : self->sides[0].text);
    panel_up(p, &panel, name);
    panel_across(p, &panel, self->name);
}

static double rank_reach(const figure_margin *self)
{
    double far = 0.05;
    for (size_t k = 0; k < self->n_ranks; k++) {
        far = fmax(far, self->ranks[k].band);
        for (size_t i = 0; i < MARGIN_RANKS; i++)
            far = fmax(far, fabs(self->ranks[k].share[i] - 1));
    }
    return fmin(3, 1.15 * far);
}

static void draw_ranks(plot *p, const figure_margin *self, double top)
{
    double low[MARGIN_RANKS], high[MARGIN_RANKS], far = rank_reach(self);
    plot_bins bins = {0, 1, MARGIN_RANKS, NULL};
    plot_panel panel = {.left = LEFT,
                        .top = top,
                        .width = WIDTH - LEFT - RIGHT,
                        .height = RANKS - 36,
                        .x = {.hi = 1}};
    panel.y = (plot_axis){.lo = fmax(0, 1 - far), .hi = 1 + far};
    panel_ticks(&panel);
    for (size_t i = 0; i < MARGIN_RANKS; i++) {
        low[i] = 1 - self->ranks[0].band;
        high[i] = 1 + self->ranks[0].band;
    }
    panel_cut(p, &panel);
    panel_band(p, &panel, bins, low, high, PLOT_PALE, 0.6);
    panel_level(p, &panel, 1, (plot_stroke){PLOT_INK, 0.8, 0, 1});
    for (size_t k = 0; k < self->n_ranks; k++)
        panel_steps(p, &panel, bins, self->ranks[k].share, self->ranks[k].of->stroke);
    panel_uncut(p);
    panel_frame(p, &panel);
    panel_up(p, &panel, "ranks");
    panel_across(p, &panel, NULL);
}

static void rank_legend(plot *p, const figure_margin *self, double y)
{
    legend_entry entries[MARGIN_PAIRS];
    for (size_t k = 0; k < self->n_ranks; k++)
        entries[k] = (legend_entry){self->ranks[k].text, self->ranks[k].of->stroke, false};
    panel_legend(p, entries, self->n_ranks, LEFT, y, WIDTH - LEFT);
}

static void draw_head(plot *p, const figure_margin *self)
{
    legend_entry entries[BANK_SIDES];
    letters title = {LETTERS_TITLE, PLOT_INK, LETTERS_START, true, false};
    letters_within(p, self->name, WIDTH - LEFT - RIGHT, LEFT, 15, title);
    for (size_t k = 0; k < self->n_sides; k++)
        entries[k] = (legend_entry){self->sides[k].text, self->sides[k].stroke, false};
    panel_legend(p, entries, self->n_sides, LEFT, 32, WIDTH - LEFT);
}

static void draw(plot *p, const void *of)
{
    const figure_margin *self = of;
    draw_head(p, self);
    draw_densities(p, self, TOP, false);
    draw_densities(p, self, TOP + TALL + GAP, true);
    draw_ratios(p, self, TOP + 2 * (TALL + GAP));
    if (self->n_ranks == 0)
        return;
    rank_legend(p, self, HEIGHT + 2);
    draw_ranks(p, self, HEIGHT + 14);
}

plot_drawing figure_margin_of(const figure_margin *self)
{
    return (plot_drawing){WIDTH, HEIGHT + (self->n_ranks ? RANKS : 0), draw, self};
}
