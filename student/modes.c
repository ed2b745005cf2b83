#include "student/modes.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static void judge(student_mode *mode, size_t n)
{
    mode->share = n ? (double)mode->count / (double)n : NAN;
    mode->se = n ? sqrt(fmax(mode->weight * (1 - mode->weight), 0) / (double)n) : NAN;
    double difference = mode->share - mode->weight;
    mode->z = difference == 0 && mode->se == 0 ? 0 : difference / mode->se;
}

static void begin(student_mode *modes, const target_modes *known)
{
    for (size_t p = 0; p < known->partitions; p++)
        for (size_t k = 0; k < known->partition[p].n; k++) {
            assert(known->partition[p].weights[k] >= 0);
            *modes++ = (student_mode){
                .partition = p, .number = k, .weight = known->partition[p].weights[k]};
        }
}

/* Of one row; at (partitions): its modes. Returns in how many partitions it has none. */
static size_t count(student_mode *modes, const target_modes *known, const size_t *at)
{
    size_t first = 0, none = 0;
    for (size_t p = 0; p < known->partitions; first += known->partition[p++].n)
        if (at[p] < known->partition[p].n)
            modes[first + at[p]].count++;
        else
            none++;
    return none;
}

/* ---- by chance */

/* That a share is off by so much though its weight is true, summed over all; of two that add up to 1 one counts. */
static double chance_of(double deviation, const student_mode *modes, const target_modes *known)
{
    double sum = 0;
    for (size_t p = 0; p < known->partitions; modes += known->partition[p++].n)
        for (size_t k = known->partition[p].n == 2; k < known->partition[p].n; k++)
            sum +=
                deviation > 0 ? modes[k].se > 0 ? erfc(deviation / modes[k].se / sqrt(2)) : 0 : 1;
    return fmin(sum, 1);
}

/* The deviation that has STUDENT_MODES_CHANCE, by halving; 1 is beyond all. */
static double deviation_by_chance(const student_mode *modes, const target_modes *known)
{
    double low = 0, high = 1;
    for (int i = 0; i < 50; i++) {
        double middle = 0.5 * (low + high);
        bool is_rare = chance_of(middle, modes, known) < STUDENT_MODES_CHANCE;
        *(is_rare ? &high : &low) = middle;
    }
    return high;
}

/* ---- the whole */

/* Two shares that add up to 1 are off by the same, but for rounding: of those it is the first. */
static const double ROUNDING = 1e-12;

static void look(student_modes_summary *out, const student_mode *mode, size_t index)
{
    double deviation = fabs(mode->share - mode->weight);
    if (index == 0 || deviation > out->deviation + ROUNDING) {
        out->worst = index;
        out->deviation = deviation;
    }
    out->max_abs_z = fmax(out->max_abs_z, fabs(mode->z)); /* fmax drops the NaN */
    out->empty += mode->weight > 0 && mode->count == 0;
}

static void summarise(student_modes_summary *out, student_mode *modes, const target_modes *known,
                      size_t n)
{
    size_t all = target_modes_count(known);
    for (size_t k = 0; k < all; k++) {
        judge(&modes[k], n);
        if (n)
            look(out, &modes[k], k);
    }
    if (n == 0 || all == 0)
        return;
    out->p = chance_of(out->deviation, modes, known);
    out->chance = deviation_by_chance(modes, known);
}

int student_modes(student_mode *modes, student_modes_summary *summary, const target_modes *known,
                  const double *x, size_t n, size_t dim, flow_err *err)
{
    size_t *at = calloc(known->partitions + 1, sizeof *at);
    *summary = (student_modes_summary){.deviation = NAN, .p = NAN, .chance = NAN, .max_abs_z = NAN};
    if (!at)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu partitions", known->partitions);
    begin(modes, known);
    for (size_t i = 0; i < n; i++) {
        known->modes_of(known->arg, at, x + i * dim);
        summary->unassigned += count(modes, known, at);
    }
    summarise(summary, modes, known, n);
    free(at);
    return 0;
}
