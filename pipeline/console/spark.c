#include "pipeline/console/spark.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 8 };
static const char *const blocks[LEVELS] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                           "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const letters[LEVELS] = {"_", ".", "-", "~", "=", "+", "*", "#"};

/* The program never calls setlocale: what the user set is in the environment. */
static bool is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "utf-8");
    }
    return false;
}

/* Means of neighbours; NaN where none is finite. */
static size_t gather(double bars[SPARK_BARS], const double *values, size_t n)
{
    size_t n_bars = n < SPARK_BARS ? n : SPARK_BARS;
    for (size_t b = 0; b < n_bars; b++) {
        double sum = 0, count = 0;
        for (size_t i = b * n / n_bars; i < (b + 1) * n / n_bars; i++)
            if (isfinite(values[i])) {
                sum += values[i];
                count++;
            }
        bars[b] = count > 0 ? sum / count : (double)NAN;
    }
    return n_bars;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The least, and the largest but for one in twenty; false: there is none. */
static bool range(double *lo, double *hi, const double *bars, size_t n)
{
    double sorted[SPARK_BARS];
    size_t m = 0;
    for (size_t i = 0; i < n; i++)
        if (isfinite(bars[i]))
            sorted[m++] = bars[i];
    if (!m)
        return false;
    qsort(sorted, m, sizeof *sorted, by_value);
    *lo = sorted[0];
    *hi = sorted[m - 1 - m / 20];
    return true;
}

static int level(double value, double lo, double hi)
{
    double share = hi > lo ? (value - lo) / (hi - lo) : 0;
    return share >= 1 ? LEVELS - 1 : (int)(share * LEVELS);
}

const char *spark_draw(char out[SPARK_BYTES], const double *values, size_t n)
{
    double bars[SPARK_BARS], lo, hi;
    const char *const *marks = is_utf8() ? blocks : letters;
    size_t n_bars = gather(bars, values, n);
    *out = '\0';
    if (!range(&lo, &hi, bars, n_bars))
        return out;
    for (size_t i = 0; i < n_bars; i++)
        strcat(out, isfinite(bars[i]) ? marks[level(bars[i], lo, hi)] : " ");
    return out;
}
