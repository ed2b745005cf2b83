#include "tests/common/check.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 256 };

#define READ_TEXT(to, format)                                                                      \
    do {                                                                                           \
        va_list args_;                                                                             \
        va_start(args_, format);                                                                   \
        vsnprintf(to, TEXT, format, args_);                                                        \
        va_end(args_);                                                                             \
    } while (0)

void check_close(const double *got, const double *want, size_t count, double rtol, double atol,
                 const char *text, ...)
{
    for (size_t i = 0; i < count; i++) {
        double error = fabs(got[i] - want[i]), bound = atol + rtol * fabs(want[i]);
        if (error <= bound || (isinf(want[i]) && got[i] == want[i]))
            continue;
        char place[TEXT];
        READ_TEXT(place, text);
        cr_assert_fail("%s: number %zu of %zu is %.17g, want %.17g: off by %.3g, allowed %.3g",
                       place, i, count, got[i], want[i], error, bound);
    }
}

void check_same(const double *got, const double *want, size_t count, const char *text, ...)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&got[i], &want[i], sizeof *got) == 0)
            continue;
        char place[TEXT];
        READ_TEXT(place, text);
        cr_assert_fail("%s: number %zu of %zu is %a, want the bits of %a", place, i, count, got[i],
                       want[i]);
    }
}

double largest_of(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

static void move(const moved *m, const double *from, double step)
{
    for (size_t k = 0; k < m->n_at; k++)
        m->at[k * m->stride] = from[k] + step;
}

void central_difference(double *out, const moved *m, size_t count, double step)
{
    double *from = malloc((m->n_at + count) * sizeof *from), *down = from + m->n_at;
    for (size_t k = 0; k < m->n_at; k++)
        from[k] = m->at[k * m->stride];
    move(m, from, -step);
    m->values(m->arg, down);
    move(m, from, step);
    m->values(m->arg, out);
    move(m, from, 0);
    for (size_t i = 0; i < count; i++)
        out[i] = (out[i] - down[i]) / (2 * step);
    free(from);
}

/* Marks what agrees at this step; returns how many functions have not agreed at any. */
static size_t still_wrong(char *agreed, double *numeric, const double *got, const moved *m,
                          size_t count, double tolerance, double step)
{
    size_t wrong = 0;
    central_difference(numeric, m, count, step);
    for (size_t i = 0; i < count; i++) {
        agreed[i] |= fabs(got[i] - numeric[i]) <= tolerance * (1 + fabs(numeric[i]));
        wrong += !agreed[i];
    }
    return wrong;
}

void check_derivative(const double *got, const moved *m, size_t count, double tolerance,
                      const char *text, ...)
{
    const double steps[] = {1.03e-6, 2.3e-7, 1.1e-5};
    double *numeric = malloc(count * sizeof *numeric);
    char *agreed = calloc(count, 1), place[TEXT];
    size_t wrong = 1;
    for (size_t s = 0; s < 3 && wrong; s++)
        wrong = still_wrong(agreed, numeric, got, m, count, tolerance, steps[s]);
    for (size_t i = 0; i < count && wrong; i++) {
        if (agreed[i])
            continue;
        READ_TEXT(place, text);
        cr_assert_fail("%s: derivative %zu of %zu is %.12g, central differences give %.12g", place,
                       i, count, got[i], numeric[i]);
    }
    free(numeric);
    free(agreed);
}
