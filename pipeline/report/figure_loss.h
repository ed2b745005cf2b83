/* pipeline/report/figure_loss.h -- the course of a training: its losses over its epochs or steps, and what happened on the way. */
#ifndef PIPELINE_REPORT_FIGURE_LOSS_H
#define PIPELINE_REPORT_FIGURE_LOSS_H

#include "flow/err.h"
#include "pipeline/plot/panel.h"

#include <jansson.h>

enum { LOSS_CURVES = 3, LOSS_EVENTS = 12 };

typedef struct loss_curve {
    const char *text;
    plot_stroke stroke;
    double *y; /* (n); NaN: not known */
} loss_curve;

typedef struct loss_event {
    double x;
    char text[48];
} loss_event;

typedef struct figure_loss {
    double *x; /* (n) epochs or steps, rising: those of several trainings one behind the other */
    size_t n;
    loss_curve curves[LOSS_CURVES];
    size_t n_curves;
    loss_event events[LOSS_EVENTS];
    size_t n_events;
    const char *across, *up;
    bool log; /* upwards */
    bool small_is_good;
    double low,
        high; /* of what is shown upwards: what is far off at first is not, where it would hide the rest */
} figure_loss;

/* metrics: what metrics.jsonl has, a row each. Of a teacher losses and the best epoch; of a student KL, where log Z is known, or
 * ELBO, with the end of tempering, changes of the gradient, and each size that was trained. Without rows n is 0, and there is nothing
 * to draw. FLOW_ENOMEM; to be released also after an error. The drawing is of self. */
int figure_loss_of_teacher(figure_loss *self, const json_t *metrics, flow_err *err);
int figure_loss_of_student(figure_loss *self, const json_t *metrics, flow_err *err);
void figure_loss_release(figure_loss *self);
plot_drawing figure_loss_drawing(const figure_loss *self);

#endif
