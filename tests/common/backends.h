/* tests/common/backends.h -- the backends of this machine as parameters of a test. */
#ifndef TESTS_COMMON_BACKENDS_H
#define TESTS_COMMON_BACKENDS_H

#include "flow/backend.h"

#include <criterion/criterion.h> /* before the next one, or Test is not a macro */

#include <criterion/parameterized.h>

/* Parameters size_t: the numbers of all of them, for flow_backend_at. */
struct criterion_test_params every_backend(void);

/* The first in double precision: what the others are compared with. */
const flow_backend *first_f64_backend(void);

#endif
