#include "pipeline/report/picture_axis.h"

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

static void set_range(picture_axis *self, const double *sorted, size_t n)
{
    size_t cut = (size_t)((1 - CENTRAL) / 2 * (double)n);
    double lo = n ? limited(sorted[cut]) : 0, hi = n ? limited(sorted[n - 1 - cut]) : 1;
    double shortest = fmax(SMALLEST, SHORTEST * fmax(fabs(lo), fabs(hi)));
    if (hi - lo < shortest) {
        double half = lo == 0 ? 0.5 : fmax(shortest, fmin(0.5, fabs(lo)));
        lo -= half;
        hi += half;
    }
    double margin = MARGIN * (hi - lo);
    self->lo = lo - margin;
    self->hi = hi + margin;
}

int picture_axis_range(picture_axis *self, const double *x, size_t n, size_t dim, size_t column,
                       flow_err *err)
{
    size_t kept = 0;
    double *sorted = n < SIZE_MAX / sizeof *sorted ? malloc((n + 1) * sizeof *sorted) : NULL;
    if (!sorted)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a column of %zu rows", n);
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i * dim + column]))
            sorted[kept++] = x[i * dim + column];
    flow_sort_numbers(sorted, kept);
    set_range(self, sorted, kept);
    free(sorted);
    return 0;
}

double picture_axis_share(const picture_axis *self, double x)
{
    return (x - self->lo) / (self->hi - self->lo);
}

/* ---- ticks */

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
static double write_ticks(picture_axis *self, const steps *s, picture_pen pen)
{
    double widest = 0;
    self->n = 0;
    if (s->last - s->first >= PICTURE_TICKS)
        return INFINITY;
    bool plain = length_of(s, true) <= length_of(s, false) + 1;
    for (double k = s->first; k <= s->last; k++) {
        char *label = self->label[self->n];
        self->at[self->n] = tick_value(s, k);
        write_label(label, sizeof self->label[0], s, self->at[self->n], plain);
        widest = fmax(widest, picture_text_width(label, pen));
        self->n++;
    }
    return widest;
}

void picture_axis_ticks(picture_axis *self, double pixels, picture_pen pen)
{
    static const int digits[] = {1, 2, 5};
    double length = self->hi - self->lo, room, wanted;
    assert(length > 0 && pixels > 0);
    int tries = 0, power = (int)floor(log10(length)) - 1;
    do {
        steps s = {.digit = digits[tries % 3], .power = power + tries / 3};
        double step = tick_value(&s, 1);
        s.first = ceil(self->lo / step);
        s.last = floor(self->hi / step);
        room = step / length * pixels;
        wanted = fmax(48, 1.5 * write_ticks(self, &s, pen) + pen.size);
        tries++;
    } while (room < wanted && room < pixels);
}
