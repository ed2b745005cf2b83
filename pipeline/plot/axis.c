#include "pipeline/plot/axis.h"

#include "flow/sort.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- range */

static const double CENTRAL = 0.995, MARGIN = 0.06;
/* Shorter than this next to its numbers, a range leaves no digits to label ticks with; much beyond
 * these sizes, densities, lengths and margins could overflow. */
static const double SHORTEST = 1e-9, SMALLEST = 1e-280, LARGEST = DBL_MAX / 16;

static double limited(double x)
{
    return fmin(LARGEST, fmax(-LARGEST, x));
}

static void widen(double *lo, double *hi)
{
    double shortest = fmax(SMALLEST, SHORTEST * fmax(fabs(*lo), fabs(*hi)));
    if (*hi - *lo >= shortest)
        return;
    double half = *lo == 0 ? 0.5 : fmax(shortest, fmin(0.5, fabs(*lo)));
    *lo -= half;
    *hi += half;
}

plot_axis plot_axis_of(double lo, double hi, double margin)
{
    if (isnan(lo) || isnan(hi) || lo > hi)
        lo = 0, hi = 1;
    lo = limited(lo);
    hi = limited(hi);
    widen(&lo, &hi);
    double more = margin * (hi - lo);
    return (plot_axis){.lo = lo - more, .hi = hi + more};
}

double *plot_column_sorted(size_t *kept, const double *x, size_t n, size_t dim, size_t column,
                           flow_err *err)
{
    double *sorted = n < SIZE_MAX / sizeof *sorted ? malloc((n + 1) * sizeof *sorted) : NULL;
    *kept = 0;
    if (!sorted) {
        flow_fail(err, FLOW_ENOMEM, "out of memory for a column of %zu rows", n);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i * dim + column]))
            sorted[(*kept)++] = x[i * dim + column];
    flow_sort_numbers(sorted, *kept);
    return sorted;
}

int plot_axis_central(plot_axis *self, const double *x, size_t n, size_t dim, size_t column,
                      flow_err *err)
{
    size_t kept;
    double *sorted = plot_column_sorted(&kept, x, n, dim, column, err);
    if (!sorted)
        return FLOW_ENOMEM;
    size_t cut = (size_t)((1 - CENTRAL) / 2 * (double)kept);
    *self = kept ? plot_axis_of(sorted[cut], sorted[kept - 1 - cut], MARGIN)
                 : plot_axis_of(0, 1, MARGIN);
    free(sorted);
    return 0;
}

/* What equal steps are of. */
static double even(const plot_axis *self, double x)
{
    if (self->log)
        return log(fmax(x, 0));
    return self->bend > 0 ? asinh((x - self->middle) / self->bend) : x;
}

double plot_axis_share(const plot_axis *self, double x)
{
    double lo = even(self, self->lo);
    return (even(self, x) - lo) / (even(self, self->hi) - lo);
}

double plot_axis_at(const plot_axis *self, double share)
{
    double at = (1 - share) * even(self, self->lo) + share * even(self, self->hi);
    if (self->log)
        return exp(at);
    return self->bend > 0 ? self->middle + self->bend * sinh(at) : at;
}

/* ---- ticks */

/* Of a digit of the face, and the least room for a tick, in its size. */
static const double WIDTH = 0.62, LEAST = 3.6;

/* Ticks of one step: multiples first .. last of digit * 10^power. */
typedef struct steps {
    int digit, power;
    double first, last;
} steps;

static double tick_value(const steps *s, double k)
{
    double value = k * s->digit * pow(10, s->power);
    return value == 0 ? 0 : value; /* never -0 */
}

static void strip_exponent(char *text)
{
    char *e = strchr(text, 'e');
    if (!e)
        return;
    char *digits = e + 1 + (e[1] == '+' || e[1] == '-'), *to = e + 1 + (e[1] == '-');
    digits += strspn(digits, "0");
    memmove(to, digits, strlen(digits) + 1);
}

/* Digits after the point in a number like 1.25e-7. */
static int mantissa_digits(const steps *s, double value)
{
    return value == 0 ? 0 : (int)fmax(0, floor(log10(fabs(value)) + 1e-9) - s->power);
}

/* The characters of all labels, written plainly or with exponents. */
static int length_of(const steps *s, bool plain)
{
    int sum = 0;
    for (double k = s->first; k <= s->last; k++) {
        double value = tick_value(s, k);
        sum += plain ? snprintf(NULL, 0, "%.*f", s->power < 0 ? -s->power : 0, value)
                     : snprintf(NULL, 0, "%.*e", mantissa_digits(s, value), value);
    }
    return sum;
}

/* As many digits as tell neighbouring ticks apart, no more. */
static void write_label(char *text, size_t size, const steps *s, double value, bool plain)
{
    if (value == 0)
        snprintf(text, size, "0");
    else if (plain)
        snprintf(text, size, "%.*f", s->power < 0 ? -s->power : 0, value);
    else {
        snprintf(text, size, "%.*e", mantissa_digits(s, value), value);
        strip_exponent(text);
    }
}

/* Writes the labels; returns the width of the widest. More ticks than there are places are not
 * written: infinitely wide. An exponent has to save something: 1e6, but 1000002. */
static double write_ticks(plot_axis *self, const steps *s, double size)
{
    double widest = 0;
    self->n = 0;
    if (s->last - s->first >= PLOT_TICKS)
        return INFINITY;
    bool plain = length_of(s, true) <= length_of(s, false) + 1;
    for (double k = s->first; k <= s->last; k++) {
        char *label = self->label[self->n];
        self->at[self->n] = tick_value(s, k);
        write_label(label, sizeof self->label[0], s, self->at[self->n], plain);
        widest = fmax(widest, WIDTH * size * (double)strlen(label));
        self->n++;
    }
    return widest;
}

static void linear_ticks(plot_axis *self, double points, double size)
{
    static const int digits[] = {1, 2, 5};
    double length = self->hi - self->lo, room, wanted;
    assert(length > 0 && points > 0);
    int tries = 0, power = (int)floor(log10(length)) - 1;
    do {
        steps s = {.digit = digits[tries % 3], .power = power + tries / 3};
        double step = tick_value(&s, 1);
        s.first = ceil(self->lo / step);
        s.last = floor(self->hi / step);
        room = step / length * points;
        wanted = fmax(LEAST * size, 1.5 * write_ticks(self, &s, size) + size);
        tries++;
    } while (room < wanted && room < points);
}

/* ---- of a logarithmic axis */

static const char *const SUPERSCRIPT[] = {
    "\xe2\x81\xb0", "\xc2\xb9",     "\xc2\xb2",     "\xc2\xb3",     "\xe2\x81\xb4",
    "\xe2\x81\xb5", "\xe2\x81\xb6", "\xe2\x81\xb7", "\xe2\x81\xb8", "\xe2\x81\xb9"};
static const char SUPERSCRIPT_MINUS[] = "\xe2\x81\xbb";

/* 0.01 to 1000 plainly; 10 to the power of -3, or 2 times that. */
static void write_power(char *text, size_t size, int digit, int power)
{
    char digits[16];
    size_t used;
    if (power >= -2 && power <= 3) {
        snprintf(text, size, "%.*f", power < 0 ? -power : 0, digit * pow(10, power));
        return;
    }
    snprintf(text, size, "%s10%s",
             digit == 1   ? ""
             : digit == 2 ? "2\xc2\xb7"
                          : "5\xc2\xb7",
             power < 0 ? SUPERSCRIPT_MINUS : "");
    snprintf(digits, sizeof digits, "%d", abs(power));
    used = strlen(text);
    for (const char *c = digits; *c; c++)
        used += (size_t)snprintf(text + used, size - used, "%s", SUPERSCRIPT[*c - '0']);
}

static void add_power(plot_axis *self, int digit, int power)
{
    double value = digit * pow(10, power);
    if (self->n == PLOT_TICKS || value < self->lo * (1 - 1e-9) || value > self->hi * (1 + 1e-9))
        return;
    write_power(self->label[self->n], sizeof self->label[0], digit, power);
    self->at[self->n++] = value;
}

static void log_ticks(plot_axis *self, double points, double size)
{
    double decades = log10(self->hi) - log10(self->lo), room = points / fmax(decades, 1e-3);
    int first = (int)floor(log10(self->lo)), last = (int)ceil(log10(self->hi));
    int every = (int)ceil(fmax(4 * size / room, decades / (PLOT_TICKS - 1)));
    self->n = 0;
    for (int k = first; k <= last; k++) {
        if (k % every)
            continue;
        add_power(self, 1, k);
        if (decades < 2.1 && room > 10 * size) {
            add_power(self, 2, k);
            add_power(self, 5, k);
        }
    }
}

/* ---- of one that is bent */

/* As many digits as tell it from its neighbours, which are `apart` away. */
static void add_round(plot_axis *self, double value, double apart)
{
    double unit = pow(10, floor(log10(apart))), kept = round(value / unit) * unit;
    int digits = kept == 0 ? 1 : (int)fmax(1, floor(log10(fabs(kept)) + 1e-9) - log10(unit) + 1.5);
    if (kept < self->lo || kept > self->hi || (self->n > 0 && kept <= self->at[self->n - 1]))
        return;
    char *label = self->label[self->n];
    if (unit >= 1 && fabs(kept) < 1e5)
        snprintf(label, sizeof self->label[0], "%.0f", kept == 0 ? 0 : kept);
    else
        snprintf(label, sizeof self->label[0], "%.*g", digits, kept == 0 ? 0 : kept);
    strip_exponent(label);
    self->at[self->n++] = kept;
}

static void bent_ticks(plot_axis *self, double points, double size)
{
    int places = (int)fmin(PLOT_TICKS - 1, fmax(2, points / (6 * size)));
    self->n = 0;
    for (int k = 0; k <= places; k++) {
        double at = plot_axis_at(self, (double)k / places), step = 0.5 / places;
        double above = plot_axis_at(self, (double)k / places + step) - at,
               below = at - plot_axis_at(self, (double)k / places - step);
        add_round(self, at, fmin(above, below));
    }
}

void plot_axis_ticks(plot_axis *self, double length, double size)
{
    if (self->log)
        log_ticks(self, length, size);
    else if (self->bend > 0)
        bent_ticks(self, length, size);
    else
        linear_ticks(self, length, size);
}
