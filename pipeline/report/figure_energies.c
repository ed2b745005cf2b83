#include "pipeline/report/figure_energies.h"

#include "pipeline/plot/panel.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 520, HEIGHT = 330, LEFT = 62, RIGHT = 18, TOP = 46, BOTTOM = 46 };

static double highest(const student_against_chain *c)
{
    double top = 0;
    for (int k = 0; k < STUDENT_ENERGY_COUNT; k++)
        for (size_t i = 0; i < ENERGY_BINS; i++)
            top = fmax(top, c->bins[k][i]);
    return top > 0 ? 1.06 * top : 1;
}

static void head(plot *p, const student_against_chain *c, const legend_entry *entries)
{
    char text[120];
    panel_legend(p, entries, 3, LEFT, 13, p->width - LEFT - RIGHT);
    snprintf(text, sizeof text, "%.3f apart, weighed %.3f, chance %.3f%s", c->apart,
             c->weighed_apart, c->chance,
             c->rhat <= STUDENT_CHAIN_AGREES ? "" : "; the chains do not agree");
    letters_write(p, text, LEFT, 35,
                  (letters){LETTERS_SMALL, PLOT_FAINT, LETTERS_START, false, false});
}

static void draw(plot *p, const void *of)
{
    static const legend_entry entries[] = {{"chains", {PLOT_PALE, 1, 0, 1}, true},
                                           {"student", {PLOT_STUDENT, 1.5, 0, 1}, false},
                                           {"student, weighed", {PLOT_THIRD, 1.5, 4, 1}, false}};
    const student_against_chain *c = of;
    plot_panel panel = {.left = LEFT,
                        .top = TOP,
                        .width = p->width - LEFT - RIGHT,
                        .height = p->height - TOP - BOTTOM};
    plot_bins bins = {c->lo, c->hi, ENERGY_BINS, NULL};
    panel.x = plot_axis_of(c->lo, c->hi, 0);
    panel.y = (plot_axis){.lo = 0, .hi = highest(c)};
    panel_ticks(&panel);
    panel_grid(p, &panel);
    panel_bars(p, &panel, bins, c->bins[STUDENT_ENERGY_CHAIN], PLOT_PALE, 1);
    panel_steps(p, &panel, bins, c->bins[STUDENT_ENERGY_OWN], entries[1].stroke);
    panel_steps(p, &panel, bins, c->bins[STUDENT_ENERGY_WEIGHED], entries[2].stroke);
    panel_frame(p, &panel);
    panel_across(p, &panel, "log p~, nats");
    panel_up(p, &panel, "share of a bin");
    head(p, c, entries);
}

plot_drawing figure_energies_of(const student_against_chain *chain)
{
    return (plot_drawing){WIDTH, HEIGHT, draw, chain};
}
