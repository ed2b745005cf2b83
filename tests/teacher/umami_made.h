/* tests/teacher/umami_made.h -- targets of matrix elements, whose libraries are tests/plugins/umami*.c. */
#ifndef TESTS_TEACHER_UMAMI_MADE_H
#define TESTS_TEACHER_UMAMI_MADE_H

#include "teacher/target.h"

#define UMAMI_MUONS "tests/plugins/umami.so"

/* more: keys of the target behind its path. NULL: *err says why. */
target *umami_make(const char *file, const char *more, flow_err *err);

/* "options": an object of these words, in which ' stands for "; keys: of the target. Returns more. */
const char *umami_with(char *more, const char *words, const char *keys);

/* One that must be made. The caller's to free. */
target *umami_of(const char *file, const char *words, const char *keys);

/* A count that the library of UMAMI_MUONS itself keeps; it is loaded. */
int umami_count(const char *symbol);

#endif
