#include "student/normal_look.h"

#include "flow/circle.h"
#include "student/covariance.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* A look in progress: what is on lines apart from what is on circles. */
typedef struct looking {
    const double *u, *log_p;
    const unsigned char *circles;
    size_t n, dim, lines;
    double *x;                    /* (n, lines) */
    double *mean, *factor, *work; /* (lines), (lines, lines), (lines) */
    double *direction,
        *around; /* (D): of a circle, and how concentrated it is there; 0 of a line */
} looking;

static bool turns(const looking *l, size_t i)
{
    return l->circles && l->circles[i];
}

/* ---- columns */

static void measure_columns(normal_look *out, const looking *l)
{
    for (size_t i = 0; i < l->lines; i++) {
        double fourth = 0;
        for (size_t r = 0; r < l->n; r++) {
            double u = l->x[r * l->lines + i];
            out->farthest = fmax(out->farthest, fabs(u));
            fourth += u * u * u * u / (double)l->n;
        }
        out->flattest = i ? fmin(out->flattest, fourth) : fourth;
    }
}

double normal_look_concentration(double r)
{
    if (r < 0.53)
        return 2 * r + r * r * r + 5 * r * r * r * r * r / 6;
    if (r < 0.85)
        return -0.4 + 1.39 * r + 0.43 / (1 - r);
    return 1 / (r * (r * (r - 4) + 3));
}

static void measure_circles(looking *l)
{
    const double most = 1 - 1e-12;
    for (size_t i = 0; i < l->dim; i++) {
        double r;
        if (!turns(l, i))
            continue;
        l->direction[i] = flow_circle_mean(&r, l->u + i, l->n, l->dim, 1);
        l->around[i] = normal_look_concentration(fmin(r, most));
    }
}

/* ---- the distance */

/* - log of the normal and the von Mises laws at row r, up to a constant. */
static double reference(const looking *l, size_t r)
{
    double sum = 0;
    if (l->lines)
        sum = 0.5 * covariance_square(l->factor, l->mean, l->x + r * l->lines, l->lines, l->work);
    for (size_t i = 0; l->lines < l->dim && i < l->dim; i++)
        sum -= l->around[i] * cos(l->u[r * l->dim + i] - l->direction[i]);
    return sum;
}

/* Half the variance of log p~ + reference over the rows, less what so few rows make of a normal, D (D + 3) / 4 n, and 1 / n
 * of each circle. */
static double distance_of(const looking *l)
{
    double sum = 0, squares = 0, d = (double)l->lines, n = (double)l->n;
    for (size_t r = 0; r < l->n; r++) {
        double ratio = l->log_p[r] + reference(l, r);
        sum += ratio;
        squares += ratio * ratio;
    }
    double variance = (squares - sum * sum / n) / (n - 1);
    return fmax(0, 0.5 * variance - d * (d + 3) / (4 * n) - (double)(l->dim - l->lines) / n);
}

static int factorise(looking *l)
{
    if (!l->lines)
        return 0;
    covariance_mean(l->mean, l->x, l->n, l->lines);
    covariance_of(l->factor, l->mean, l->x, l->n, l->lines, l->n > 2 * l->lines ? 1 : 0.5);
    return covariance_factor(l->factor, l->lines);
}

/* ---- the whole */

static int take(looking *l, flow_err *err)
{
    for (size_t i = 0; i < l->dim; i++)
        l->lines += !turns(l, i);
    double *all = calloc((l->n + l->lines + 2) * l->lines + 2 * l->dim, sizeof *all);
    if (!all)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a recipe");
    l->x = all;
    l->mean = all + l->n * l->lines;
    l->factor = l->mean + l->lines;
    l->work = l->factor + l->lines * l->lines;
    l->direction = l->work + l->lines;
    l->around = l->direction + l->dim;
    for (size_t i = 0, to = 0; i < l->n * l->dim; i++)
        if (!turns(l, i % l->dim))
            l->x[to++] = l->u[i];
    return 0;
}

int normal_look_at(normal_look *out, const double *u, const double *log_p, size_t n, size_t dim,
                   const unsigned char *circles, flow_err *err)
{
    looking l = {.u = u, .log_p = log_p, .circles = circles, .n = n, .dim = dim};
    *out = (normal_look){.flattest = 3};
    if (take(&l, err))
        return err->code;
    measure_columns(out, &l);
    measure_circles(&l);
    out->distance = factorise(&l) == 0 ? distance_of(&l) : INFINITY;
    free(l.x);
    return 0;
}
