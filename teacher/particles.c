#include "teacher/particles.h"

#include <math.h>

void particles_positions(const particles_kind *kind, double *x, const double *z, size_t n)
{
    double turns = (double)(kind->turns ? kind->turns : n);
    double angle = acos(-1) * erfc(-z[PARTICLES_TURN] * sqrt(0.5)) / turns;
    double c = cos(angle), s = sin(angle);
    kind->at_rest(x, z, n);
    for (size_t k = 0; k < n; k++) {
        double b[2] = {x[2 * k], x[2 * k + 1]};
        x[2 * k] = z[0] + c * b[0] - s * b[1];
        x[2 * k + 1] = z[1] + s * b[0] + c * b[1];
    }
}
