/* teacher/target_line.h -- a density e^f on the line, known by its log: its integral, and draws from it. For targets
 * whose other unknowns can be integrated by hand. */
#ifndef TEACHER_TARGET_LINE_H
#define TEACHER_TARGET_LINE_H

#include "flow/err.h"
#include "flow/pcg.h"

/* f with one top, and smooth on the scale of `step`. */
typedef struct target_line {
    double (*f)(const void *arg, double s);
    const void *arg;
    double from, step, top;
    size_t n;              /* points from + i step, as far as they count */
    double *log_f, *share; /* (n): f - top; (n): of what lies before point i, of sum 1 */
    double log_total;      /* log of the integral */
} target_line;

/* Room that a line wants: its points are where f is above its top less 45, at most so many / 2. */
enum { TARGET_LINE_ROOM = 1 << 14 };

/* Points `step` apart, some near `start`. room is borrowed. FLOW_EDATA if they are too many, or f is not finite. */
int target_line_init(target_line *self, double *room, double (*f)(const void *arg, double s),
                     const void *arg, double start, double step, flow_err *err);

/* By rejection from what is linear in f between the points. */
double target_line_draw(const target_line *self, pcg *rng);

#endif
