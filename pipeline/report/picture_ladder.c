#include "pipeline/report/picture_ladder.h"

#include "pipeline/report/picture_text.h"

#include <math.h>
#include <stdio.h>

enum { WIDTH = 720, HEIGHT = 480, LEFT = 84, RIGHT = 24, TOP = 56, BOTTOM = 64 };

static const picture_rgb GREY = {110, 110, 110}, PALE = {224, 224, 224}, BLUE = {31, 86, 160},
                         RED = {190, 60, 30}, BLACK = {30, 30, 30}, WHITE = {255, 255, 255};
static const picture_pen SMALL = {.size = 9, .weight = 1.2, .ink = {60, 60, 60}},
                         LARGE = {.size = 11, .weight = 1.5, .ink = {30, 30, 30}};

/* Logarithms to base 10. */
typedef struct span {
    double lo, hi;
} span;

typedef struct plot {
    picture_canvas canvas;
    span x, y; /* log10 rows/s, log10 KL */
} plot;

/* ---- where things are */

static void widen(span *s, double value)
{
    if (isfinite(value)) {
        s->lo = fmin(s->lo, value);
        s->hi = fmax(s->hi, value);
    }
}

static double log_kl(double kl)
{
    return log10(fmax(kl, PICTURE_LADDER_LEAST));
}

static double across(const plot *p, double log_x)
{
    return LEFT + (log_x - p->x.lo) / (p->x.hi - p->x.lo) * (WIDTH - LEFT - RIGHT);
}

static double down(const plot *p, double log_y)
{
    return TOP + (p->y.hi - log_y) / (p->y.hi - p->y.lo) * (HEIGHT - TOP - BOTTOM);
}

static void find_spans(plot *p, const student_rung *rungs, size_t n, double teacher)
{
    p->x = p->y = (span){INFINITY, -INFINITY};
    widen(&p->x, log10(teacher));
    for (size_t k = 0; k < n; k++)
        if (!rungs[k].wild) {
            widen(&p->x, log10(rungs[k].rows_per_s));
            widen(&p->y, log_kl(rungs[k].weights.kl_reverse.value));
            widen(&p->y, log_kl(rungs[k].weights.kl_forward.value));
        }
    if (p->y.lo > p->y.hi)
        p->y = (span){log_kl(0), 0};
    p->x = (span){p->x.lo - 0.12, p->x.hi + 0.12};
    p->y = (span){floor(p->y.lo), fmax(floor(p->y.lo) + 1, ceil(p->y.hi))};
}

/* ---- drawing */

static double x_of(const plot *p, const student_rung *r)
{
    return across(p, log10(r->rows_per_s));
}

static double y_of(const plot *p, const student_rung *r, int forward)
{
    return down(p, log_kl((forward ? r->weights.kl_forward : r->weights.kl_reverse).value));
}

/* Untrained ones are dots on a line. */
static void curve(plot *p, const student_rung *rungs, size_t n, int forward, picture_rgb ink)
{
    double x0 = NAN, y0 = NAN;
    for (size_t k = 0; k < n; k++) {
        if (rungs[k].wild || rungs[k].trained)
            continue;
        double x = x_of(p, rungs + k), y = y_of(p, rungs + k, forward);
        if (!isnan(x0))
            picture_canvas_stroke(&p->canvas, x0, y0, x, y, 1.6, ink);
        picture_canvas_stroke(&p->canvas, x, y, x, y, 7, ink);
        x0 = x;
        y0 = y;
    }
}

/* Trained ones are rings. */
static void rings(plot *p, const student_rung *rungs, size_t n, int forward, picture_rgb ink)
{
    for (size_t k = 0; k < n; k++) {
        if (rungs[k].wild || !rungs[k].trained)
            continue;
        double x = x_of(p, rungs + k), y = y_of(p, rungs + k, forward);
        picture_canvas_stroke(&p->canvas, x, y, x, y, 11, ink);
        picture_canvas_stroke(&p->canvas, x, y, x, y, 6, WHITE);
    }
}

/* T, and the width if it is not the teacher's, beside the upper dot: to the left, for curves rise to the
 * right; of trained ones to the right. */
static void name(plot *p, const student_rung *r)
{
    char text[48];
    double y = fmin(y_of(p, r, 0), y_of(p, r, 1)) - 4, off = r->trained ? 9 : -8;
    int used = snprintf(text, sizeof text, "%zu", r->how.iterations);
    if (r->how.width < 1)
        snprintf(text + used, sizeof text - (size_t)used, " w %.3g", r->how.width);
    picture_text(&p->canvas, text, x_of(p, r) + off, y, r->trained ? SMALL : LARGE,
                 r->trained ? PICTURE_START : PICTURE_END, PICTURE_ACROSS);
}

static void names(plot *p, const student_rung *rungs, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (!rungs[k].wild && !rungs[k].layerwise) /* which is beside the trained one of its size */
            name(p, rungs + k);
}

static bool some_trained(const student_rung *rungs, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (rungs[k].trained)
            return true;
    return false;
}

static void y_ticks(plot *p)
{
    for (double y = p->y.lo; y <= p->y.hi; y++) {
        char text[16];
        snprintf(text, sizeof text, "%s1e%.0f", y <= log_kl(0) ? "<" : "", y);
        picture_canvas_stroke(&p->canvas, LEFT, down(p, y), WIDTH - RIGHT, down(p, y), 1, PALE);
        picture_text(&p->canvas, text, LEFT - 8, down(p, y) + SMALL.size / 2, SMALL, PICTURE_END,
                     PICTURE_ACROSS);
    }
}

static void x_ticks(plot *p)
{
    static const int digits[] = {1, 2, 5};
    for (int k = 3 * (int)floor(p->x.lo); k <= 3 * (int)ceil(p->x.hi); k++) {
        int power = (int)floor(k / 3.0), digit = digits[k - 3 * power];
        double x = power + log10(digit);
        char text[24];
        if (x < p->x.lo || x > p->x.hi)
            continue;
        snprintf(text, sizeof text, "%de%d", digit, power);
        picture_canvas_stroke(&p->canvas, across(p, x), TOP, across(p, x), HEIGHT - BOTTOM, 1,
                              PALE);
        picture_text(&p->canvas, text, across(p, x), HEIGHT - BOTTOM + 18, SMALL, PICTURE_MIDDLE,
                     PICTURE_ACROSS);
    }
}

static void teacher_line(plot *p, double teacher)
{
    double x = across(p, log10(teacher));
    picture_pen pen = SMALL;
    pen.ink = GREY;
    picture_canvas_stroke(&p->canvas, x, TOP, x, HEIGHT - BOTTOM, 1.6, GREY);
    picture_text(&p->canvas, "teacher itself", x - 5, HEIGHT - BOTTOM - 8, pen, PICTURE_START,
                 PICTURE_UPWARDS);
}

static void legend(plot *p, bool trained)
{
    picture_pen reverse = LARGE, forward = LARGE;
    reverse.ink = BLUE;
    forward.ink = RED;
    picture_text(&p->canvas, "KL reverse", LEFT, TOP - 16, reverse, PICTURE_START, PICTURE_ACROSS);
    picture_text(&p->canvas, "KL forward", LEFT + 110, TOP - 16, forward, PICTURE_START,
                 PICTURE_ACROSS);
    picture_text(&p->canvas,
                 trained ? "unrolled for so many steps: as it is, and (rings) trained"
                         : "unrolled teacher, untrained, by its number of steps",
                 WIDTH - RIGHT, TOP - 16, SMALL, PICTURE_END, PICTURE_ACROSS);
    picture_text(&p->canvas, "rows a second", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 16, LARGE,
                 PICTURE_MIDDLE, PICTURE_ACROSS);
    picture_text(&p->canvas, "nats", 20, (TOP + HEIGHT - BOTTOM) / 2.0, LARGE, PICTURE_MIDDLE,
                 PICTURE_UPWARDS);
}

int picture_ladder(const char *path, const student_rung *rungs, size_t n, double teacher,
                   flow_err *err)
{
    plot p;
    int code = picture_canvas_init(&p.canvas, WIDTH, HEIGHT, err);
    if (code)
        return code;
    find_spans(&p, rungs, n, teacher);
    y_ticks(&p);
    x_ticks(&p);
    picture_canvas_frame(&p.canvas, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM, BLACK);
    teacher_line(&p, teacher);
    curve(&p, rungs, n, 0, BLUE);
    curve(&p, rungs, n, 1, RED);
    rings(&p, rungs, n, 0, BLUE);
    rings(&p, rungs, n, 1, RED);
    names(&p, rungs, n);
    legend(&p, some_trained(rungs, n));
    code = picture_canvas_write(&p.canvas, path, err);
    picture_canvas_release(&p.canvas);
    return code;
}
