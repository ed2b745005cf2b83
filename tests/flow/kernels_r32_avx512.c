#if defined(__x86_64__)
#define FLOW_BITS 32
#define FLOW_ROUNDS 1
#define FLOW_ISA avx512
#include "tests/flow/kernel_tests.h"

#include "tests/flow/int8_tests.h"

#include "tests/flow/low_tests.h"
#else
typedef int nothing_here;
#endif
