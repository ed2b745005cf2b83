/* teacher/umami.h -- a matrix element of particle physics (umami_abi.h) as a plug-in: its functions in the shape of
 * plugin/distill_target.h, so that all that holds for a plug-in holds for it.
 *
 * The library takes momenta; a row y in R^(3n - 4) is the point u = Phi(y) of the unit hypercube (hypercube.h), of which
 * phase_space.h makes those of the n outgoing particles, in the frame of the centre of mass, incoming ones along z.
 * Columns are called after what the number is of: mass2 .. mass(n-1), cos1, phi1 .. phi(n-1); samples are written as momenta. The density is
 *
 *     flux |M|^2 dPhi / du du / dy: Z is the cross section in pb, (hbar c)^2 / (4 p E) the flux (of one incoming particle:
 *                                   the width in GeV, 1 / (2 E)), p the momentum of either incoming particle.
 *
 * |M|^2 = 0, or a cut: no density there; below 0, infinite or not a number: broken.
 *
 * Threads: a handle of the library for each thread that is in it at once, made as they are needed, with no call under
 * way in any other. All are opened with the same card and get the same parameters. */
#ifndef TEACHER_UMAMI_H
#define TEACHER_UMAMI_H

#include "plugin/distill_quantities.h"

#include <stdbool.h>

/* Whether a library (of dlopen) has any function of UMAMI's. */
bool umami_is_one(void *library);

/* Its `open` is given the library in *handle, and returns a flow_code. Options: umami_options.h. A library that is of
 * another version, for a GPU, lacks a function, does not take an input that is given or wants another one, does not
 * keep a parameter, or does not answer at one point is refused. */
extern const distill_target umami_table;

/* Of the same handle: the momenta of the outgoing particles, e3, px3, py3, pz3, e4, ... (numbers as the library has them,
 * from 1), GeV, in the frame of the centre of mass. They stand in the place of the columns. */
extern const distill_derived umami_quantities;

#endif
