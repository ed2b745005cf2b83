#define FLOW_BITS 32
#define FLOW_ROUNDS 1
#define FLOW_ISA generic
#include "tests/flow/kernel_tests.h"

#include "tests/flow/int8_tests.h"

#include "tests/flow/low_tests.h"
