#include "teacher/column_kind.h"

#include <math.h>
#include <stdio.h>

const data_kind data_kind_plain = {.lo = -(double)INFINITY, .hi = (double)INFINITY};

static const flow_word links[] = {
    {"auto", DATA_LINK_AUTO,
     "of a table, what its training rows speak for: under which of both a normal that has their "
     "median and width comes "
     "nearer to their tail; the logarithm where they are too few to tell, and of a density"},
    {"log", DATA_LINK_LOG, "x = LO + e^t: for heavy tails, as of energies"},
    {"softplus", DATA_LINK_SOFTPLUS,
     "x = LO + s log(1 + e^t), linear far from the end: for light tails, as of counts; s is the "
     "median distance from the "
     "end, of a density 1"},
    {.name = NULL}};

const flow_key data_kind_keys[] = {
    {.name = "support",
     .type = FLOW_KEY_OWN,
     .offset = offsetof(data_kind, lo),
     .def = "real",
     .wants = "positive, real or [LO, HI], where either may be inf",
     .doc =
         "Where the values can be; samples are nowhere else. Half lines are mapped "
         "as link says, intervals by a logit. positive is [0, inf]. A few values on an end count "
         "as a little inside; many are an error, but for a column with a step."},
    {FLOW_KEY(data_kind, step), .type = FLOW_KEY_REAL, .min = 0, .max = INFINITY, .def = "0",
     .unit = "units of the data",
     .doc =
         "Values are whole multiples of this, counted from the end of the support that there is, "
         "else from 0: 1 for counts. Uniform noise within the step is added for the fit, samples "
         "are rounded down to the grid, and logp gives the probability of a value. 0 is off."},
    {FLOW_KEY(data_kind, period), .type = FLOW_KEY_REAL, .min = 0, .max = INFINITY, .def = "0",
     .unit = "units of the data",
     .doc = "Values that differ by this are the same: 360 for degrees. The density is that of a "
            "circle, the same on both sides of the seam; samples are in [0, period), or in "
            "[-period/2, period/2) if the training rows are, or in [LO, HI) with a support of that "
            "length. 0 is off."},
    {FLOW_KEY(data_kind, alpha), .type = FLOW_KEY_REAL, .flags = FLOW_KEY_OPEN_MAX, .min = 0,
     .max = 0.5, .def = "0",
     .doc = "Room at the ends of a support [LO, HI]: the map is logit(alpha + (1 - 2 alpha) (x - "
            "LO) / "
            "(HI - LO)), so that values at the ends themselves can be modelled. 1e-6 is usual."},
    {FLOW_KEY(data_kind, link), .type = FLOW_KEY_WORD, .words = links, .def = "auto",
     .doc = "How a support with one end, LO or HI, is mapped to the line: it decides what samples "
            "beyond the data look "
            "like. The run says which it is."},
    {.name = NULL}};

/* Ends are none, or one turn apart, but for the digits that a period is written with. */
static bool is_turn(const data_kind *self)
{
    if (isinf(self->lo) && isinf(self->hi))
        return true;
    return fabs(self->hi - self->lo - self->period) <= 1e-6 * self->period;
}

bool data_kind_is_half_line(const data_kind *self)
{
    return !(self->period > 0) && isfinite(self->lo) != isfinite(self->hi);
}

bool data_kind_is_plain(const data_kind *self)
{
    return isinf(self->lo) && isinf(self->hi) && !(self->step > 0) && !(self->period > 0);
}

const char *data_kind_fault(char why[DATA_KIND_WHY], const data_kind *self)
{
    bool low = isfinite(self->lo), high = isfinite(self->hi);
    if (!(self->step >= 0 && isfinite(self->step)))
        snprintf(why, DATA_KIND_WHY, "step is %g; wanted >= 0", self->step);
    else if (!(self->period >= 0 && isfinite(self->period)))
        snprintf(why, DATA_KIND_WHY, "period is %g; wanted >= 0", self->period);
    else if (!(self->lo < self->hi) || (low && high && !isfinite(self->hi - self->lo)))
        snprintf(why, DATA_KIND_WHY, "lo %g is not below hi %g", self->lo, self->hi);
    else if (!(self->alpha >= 0 && self->alpha < 0.5))
        snprintf(why, DATA_KIND_WHY, "alpha %g is not in [0, 0.5)", self->alpha);
    else if (self->alpha > 0 && (!(low && high) || self->period > 0))
        snprintf(why, DATA_KIND_WHY, "alpha needs a support with two ends");
    else if (self->link != DATA_LINK_AUTO && !data_kind_is_half_line(self))
        snprintf(why, DATA_KIND_WHY,
                 "link needs a support with one end, like positive or [20, inf]");
    else if (self->period > 0 && !is_turn(self))
        snprintf(why, DATA_KIND_WHY,
                 "a column with a period has no support but one of that length");
    else if (self->step > 0 && self->period > 0 && !(self->step < self->period))
        snprintf(why, DATA_KIND_WHY, "step %g is not below the period %g", self->step,
                 self->period);
    else
        return NULL;
    return why;
}

/* Values lie on the grid between lo and hi: the end of the last cell. A hair more, for 0.1 steps. */
static double end_of_last_cell(double from, double hi, double step)
{
    return from + step * (floor((hi - from) / step + 1e-6) + 1);
}

flow_unit data_kind_unit(const data_kind *self)
{
    bool turns = self->period > 0, low = isfinite(self->lo) && !turns,
         high = isfinite(self->hi) && !turns;
    flow_unit out = {.support = low && high ? FLOW_BETWEEN
                                : low       ? FLOW_ABOVE
                                : high      ? FLOW_BELOW
                                            : FLOW_LINE,
                     .lo = low ? self->lo : 0,
                     .hi = high ? self->hi : 0,
                     .alpha = self->alpha,
                     .step = self->smear ? 0 : self->step,
                     .period = self->period,
                     .soft = self->link == DATA_LINK_SOFTPLUS ? 1 : 0,
                     .start = turns && isfinite(self->lo) ? self->lo : 0,
                     .scale = 1};
    if (high && out.step > 0)
        out.hi = end_of_last_cell(low ? self->lo : self->hi, self->hi, self->step);
    return out;
}
