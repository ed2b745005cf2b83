/* flow/circle.h -- columns on circles, inside flows: in radians, once round is 2 pi.
 *
 * A point of the circle is any of the numbers that are whole turns apart; a density there is one of the
 * circle, the same for all of them, and is 1 / (2 pi) where nothing is known. Layers give back numbers that
 * depend on x continuously, however often they go round (layer/circular_spline.c); what leaves a flow, samples
 * and noise, is in [-pi, pi). */
#ifndef FLOW_CIRCLE_H
#define FLOW_CIRCLE_H

#include <math.h>
#include <stddef.h>

#define FLOW_PI 3.14159265358979323846
#define FLOW_LOG_2PI 1.83787706640934548356

/* The point of [-pi, pi) that x is; an x that is there already stays to the last bit. */
static inline double flow_circle_point(double x)
{
    if (x >= -FLOW_PI && x < FLOW_PI)
        return x;
    double turned = x - 2 * FLOW_PI * floor((x + FLOW_PI) / (2 * FLOW_PI));
    return turned >= -FLOW_PI && turned < FLOW_PI ? turned : isfinite(x) ? -FLOW_PI : x;
}

/* The mean direction of x[i stride], i < n, n > 0, each turned by `turn` radians a unit; *resultant, unless NULL: the
 * length of the mean of these points of the circle, 1 if they are all the same. In radians. */
static inline double flow_circle_mean(double *resultant, const double *x, size_t n, size_t stride,
                                      double turn)
{
    double c = 0, s = 0;
    for (size_t i = 0; i < n; i++) {
        c += cos(turn * x[i * stride]);
        s += sin(turn * x[i * stride]);
    }
    if (resultant)
        *resultant = fmin(1, sqrt(c * c + s * s) / (double)n);
    return atan2(s, c);
}

#endif
