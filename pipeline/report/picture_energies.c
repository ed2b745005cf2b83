#include "pipeline/report/picture_energies.h"

#include "pipeline/report/picture_axis.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 720, HEIGHT = 440, LEFT = 32, RIGHT = 24, TOP = 72, BOTTOM = 60 };

static const picture_rgb PALE = {205, 213, 225}, BLUE = {31, 86, 160}, RED = {190, 60, 30},
                         BLACK = {30, 30, 30};
static const picture_pen SMALL = {.size = 9, .weight = 1.2, .ink = {60, 60, 60}},
                         LARGE = {.size = 11, .weight = 1.5, .ink = {30, 30, 30}};

typedef struct plot {
    picture_canvas canvas;
    const student_against_chain *of;
    double top; /* the largest share of a bin */
} plot;

static double across(double bin)
{
    return LEFT + bin / ENERGY_BINS * (WIDTH - LEFT - RIGHT);
}

static double down(const plot *p, double share)
{
    return HEIGHT - BOTTOM - share / p->top * (HEIGHT - TOP - BOTTOM) * 0.96;
}

static void find_top(plot *p)
{
    p->top = 0;
    for (int k = 0; k < STUDENT_ENERGY_COUNT; k++)
        for (size_t i = 0; i < ENERGY_BINS; i++)
            p->top = fmax(p->top, p->of->bins[k][i]);
    p->top = p->top > 0 ? p->top : 1;
}

static void bars(plot *p, const double *share, picture_rgb ink)
{
    for (size_t i = 0; i < ENERGY_BINS; i++) {
        long left = lround(across((double)i)), right = lround(across((double)i + 1));
        long top = lround(down(p, share[i]));
        picture_canvas_fill(&p->canvas, left, top, right - left, HEIGHT - BOTTOM - top, ink);
    }
}

static void outline(plot *p, const double *share, picture_rgb ink)
{
    double before = down(p, 0);
    for (size_t i = 0; i < ENERGY_BINS; i++) {
        double x = across((double)i), y = down(p, share[i]);
        picture_canvas_stroke(&p->canvas, x, before, x, y, 1.8, ink);
        picture_canvas_stroke(&p->canvas, x, y, across((double)i + 1), y, 1.8, ink);
        before = y;
    }
}

static void ticks(plot *p)
{
    picture_axis axis = {.lo = p->of->lo, .hi = p->of->hi};
    picture_axis_ticks(&axis, WIDTH - LEFT - RIGHT, SMALL);
    for (size_t i = 0; i < axis.n; i++) {
        double x = across(ENERGY_BINS * picture_axis_share(&axis, axis.at[i]));
        picture_canvas_stroke(&p->canvas, x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 5, 1.2, BLACK);
        picture_text(&p->canvas, axis.label[i], x, HEIGHT - BOTTOM + 20, SMALL, PICTURE_MIDDLE,
                     PICTURE_ACROSS);
    }
    picture_text(&p->canvas, "log p~, nats", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 14, LARGE,
                 PICTURE_MIDDLE, PICTURE_ACROSS);
}

static void legend(plot *p)
{
    const student_against_chain *c = p->of;
    char text[120];
    const struct {
        const char *name;
        picture_rgb ink;
    } of[] = {{"chains", {120, 138, 165}}, {"student", BLUE}, {"student, weighed", RED}};
    double x = LEFT;
    for (size_t i = 0; i < 3; i++) {
        picture_pen pen = LARGE;
        pen.ink = of[i].ink;
        picture_text(&p->canvas, of[i].name, x, TOP - 40, pen, PICTURE_START, PICTURE_ACROSS);
        x += picture_text_width(of[i].name, pen) + 28;
    }
    snprintf(text, sizeof text, "%.3f apart, weighed %.3f, chance %.3f%s", c->apart,
             c->weighed_apart, c->chance,
             c->rhat <= STUDENT_CHAIN_AGREES ? "" : "; the chains do not agree");
    picture_text(&p->canvas, text, LEFT, TOP - 16, SMALL, PICTURE_START, PICTURE_ACROSS);
}

int picture_energies(const char *path, const student_against_chain *chain, flow_err *err)
{
    plot p = {.of = chain};
    int code = picture_canvas_init(&p.canvas, WIDTH, HEIGHT, err);
    if (code)
        return code;
    find_top(&p);
    bars(&p, chain->bins[STUDENT_ENERGY_CHAIN], PALE);
    outline(&p, chain->bins[STUDENT_ENERGY_OWN], BLUE);
    outline(&p, chain->bins[STUDENT_ENERGY_WEIGHED], RED);
    picture_canvas_frame(&p.canvas, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM, BLACK);
    ticks(&p);
    legend(&p);
    code = picture_canvas_write(&p.canvas, path, err);
    picture_canvas_release(&p.canvas);
    return code;
}
