/* pipeline/report/figure_weights.h -- log p - log q, less log Z, over samples of the student and of the teacher; and what share of
 * samples of each size are worth (ESS). */
#ifndef PIPELINE_REPORT_FIGURE_WEIGHTS_H
#define PIPELINE_REPORT_FIGURE_WEIGHTS_H

#include "pipeline/report/bank.h"
#include "pipeline/report/tally.h"

#include <jansson.h>

typedef struct figure_weights {
    plot_axis axis;
    tally own, theirs;
    double khat, khat_forward, threshold; /* NaN: not known */
} figure_weights;

/* verdict: validation.json. FLOW_ENOMEM. The drawing is of self. */
int figure_weights_count(figure_weights *self, const bank *rows, const json_t *verdict,
                         flow_err *err);
plot_drawing figure_weights_of(const figure_weights *self);
/* Whether the axis reaches what counts as missed, where it has a dashed line. */
bool figure_weights_reach(const figure_weights *self);

/* The ess_curve of both sides; self is filled. */
enum { FIGURE_ESS_MOST = 16 };
typedef struct figure_ess {
    double rows[2][FIGURE_ESS_MOST], ess[2][FIGURE_ESS_MOST];
    size_t n[2];
} figure_ess;
bool figure_ess_read(figure_ess *self, const json_t *verdict); /* false: there is none */
plot_drawing figure_ess_of(const figure_ess *self);

#endif
