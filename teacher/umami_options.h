/* teacher/umami_options.h -- what a matrix element does not say itself: at which energy it is wanted, of which particles,
 * with which parameters, and what is cut. */
#ifndef TEACHER_UMAMI_OPTIONS_H
#define TEACHER_UMAMI_OPTIONS_H

#include "flow/kind.h"

typedef struct umami_options {
    double energy;
    uint64_t incoming; /* 1 or 2 */
    const char *card;
    const json_t *masses; /* NULL: what the library says */
    bool threads;
    double alpha_s; /* the inputs of a row; umami_options_has says whether one is given */
    uint64_t flavor, helicity, diagram, channel;
    double pt_min, eta_max, dr_min, mass_min; /* NAN: no cut */
} umami_options;

typedef struct umami_given {
    umami_options *o;
    json_t *object; /* that they are of, which they point into */
    char *card;     /* its absolute path, or "": none */
} umami_given;

/* From JSON, or the path of a file .json of it; then `card` is relative to the file. FLOW_ECONFIG names the key,
 * FLOW_ENOINPUT: no such file, or card. Released in any case. "parameters", if they were given, are an object of numbers
 * and pairs of numbers. */
int umami_options_read(umami_given *out, const char *data, flow_err *err);
void umami_options_release(umami_given *self);

/* Whether that key was given. */
bool umami_options_has(const umami_given *self, const char *key);

#endif
