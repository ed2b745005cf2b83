/* teacher/look_period.h -- columns whose end meets their beginning: angles, hours, months. */
#ifndef TEACHER_LOOK_PERIOD_H
#define TEACHER_LOOK_PERIOD_H

#include "teacher/look.h"

/* The period that the range says (a full turn from 0 or about 0), or name and range together; 0: none. */
double look_period(const look_column *of, const char *name);

/* Whether the range alone says so: a full turn in radians or in degrees. */
bool look_period_by_range(const look_column *of);

#endif
