#define FLOW_BITS 32
#define FLOW_ISA generic
#include "tests/flow/kernel_tests.h"

#include "tests/flow/vmath_tests.h"
