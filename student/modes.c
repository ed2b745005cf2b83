#include "student/modes.h"

#include <assert.h>
#include <math.h>

static void judge(student_mode *mode, size_t n)
{
    mode->share = n ? (double)mode->count / (double)n : NAN;
    mode->se = n ? sqrt(fmax(mode->weight * (1 - mode->weight), 0) / (double)n) : NAN;
    double difference = mode->share - mode->weight;
    mode->z = difference == 0 && mode->se == 0 ? 0 : difference / mode->se;
}

void student_modes(student_mode *modes, student_modes_summary *summary, const double *weights,
                   size_t n_modes, const double *x, size_t n, size_t dim, student_mode_of *mode_of,
                   void *arg)
{
    *summary = (student_modes_summary){.deviation = NAN, .max_abs_z = NAN};
    for (size_t k = 0; k < n_modes; k++) {
        assert(weights[k] >= 0);
        modes[k] = (student_mode){.weight = weights[k]};
    }
    for (size_t i = 0; i < n; i++) {
        size_t k = mode_of(arg, x + i * dim);
        if (k < n_modes)
            modes[k].count++;
        else
            summary->unassigned++;
    }
    for (size_t k = 0; k < n_modes; k++) {
        judge(&modes[k], n);
        double deviation = fabs(modes[k].share - modes[k].weight);
        if (deviation > summary->deviation || (k == 0 && n)) {
            summary->worst = k;
            summary->deviation = deviation;
        }
        summary->max_abs_z = fmax(summary->max_abs_z, fabs(modes[k].z)); /* fmax drops the NaN */
        summary->empty += n && modes[k].weight > 0 && modes[k].count == 0;
    }
}
