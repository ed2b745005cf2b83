/* tests/common/target_of.h -- a target from the JSON text of its description. */
#ifndef TESTS_COMMON_TARGET_OF_H
#define TESTS_COMMON_TARGET_OF_H

#include "teacher/target.h"

/* It must be one. The caller's to free. */
target *target_of(const char *text);

#endif
