#include "teacher/umami_cuts.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

static double transverse(momentum p)
{
    return hypot(p.x, p.y);
}

/* +-infinity along the beam. */
static double pseudorapidity(momentum p)
{
    return asinh(p.z / transverse(p));
}

static double square_of_mass(momentum a, momentum b)
{
    double e = a.e + b.e, x = a.x + b.x, y = a.y + b.y, z = a.z + b.z;
    return e * e - x * x - y * y - z * z;
}

static double distance(momentum a, momentum b)
{
    double turn = fabs(atan2(a.y, a.x) - atan2(b.y, b.x));
    return hypot(pseudorapidity(a) - pseudorapidity(b), fmin(turn, 2 * PI - turn));
}

/* Nothing is below or above NAN. */
static bool one_passes(const umami_options *cuts, momentum p)
{
    return !(transverse(p) < cuts->pt_min) &&
           (isnan(cuts->eta_max) || !(fabs(pseudorapidity(p)) > cuts->eta_max));
}

static bool two_pass(const umami_options *cuts, momentum a, momentum b)
{
    return !(square_of_mass(a, b) < cuts->mass_min * cuts->mass_min) &&
           (isnan(cuts->dr_min) || !(distance(a, b) < cuts->dr_min));
}

bool umami_cuts_pass(const umami_options *cuts, const momentum *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!one_passes(cuts, p[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (!two_pass(cuts, p[i], p[j]))
                return false;
    }
    return true;
}
