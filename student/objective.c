#include "student/objective.h"

#include <math.h>
#include <string.h>

#define ENTRY(NAME) &objective_##NAME,
const objective_ops *const objective_kinds[] = {OBJECTIVES(ENTRY) NULL};

_Static_assert(sizeof objective_kinds / sizeof *objective_kinds <= OBJECTIVE_MOST + 1,
               "more kinds than there is room for");

double objective_line(double first, double last, double share)
{
    return first + (last - first) * share;
}

static void drop(objective_shard *s, size_t r)
{
    size_t dim = s->target->dim;
    memset(s->grad + r * dim, 0, dim * sizeof *s->grad);
    memset(s->score + r * dim, 0, dim * sizeof *s->score);
    s->dlogq[r] = 0;
}

int objective_keeps(objective_shard *s, size_t r)
{
    size_t dim = s->target->dim;
    const double *x = s->x + r * dim;
    if (s->status[r] == TARGET_FINITE)
        return 1;
    if (s->status[r] == TARGET_BROKEN && !broken_is_point(x, dim)) {
        s->dlogq[r] = NAN;
        return 1;
    }
    if (s->status[r] == TARGET_NO_DENSITY)
        s->sums->no_density++;
    else
        broken_note(&s->sums->broken, s->first + r, s->logp[r], x, dim);
    drop(s, r);
    return 0;
}
