/* teacher/umami_cuts.h -- which outgoing particles a detector, or a matrix element that grows without bound, can do with. */
#ifndef TEACHER_UMAMI_CUTS_H
#define TEACHER_UMAMI_CUTS_H

#include "teacher/phase_space.h"
#include "teacher/umami_options.h"

/* Whether p (n) pass: each particle, and each two of them. NAN in the options: there is no such cut. */
bool umami_cuts_pass(const umami_options *cuts, const momentum *p, size_t n);

#endif
