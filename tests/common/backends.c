#include "tests/common/backends.h"

#include <criterion/criterion.h>

struct criterion_test_params every_backend(void)
{
    enum { MAX = 32 };
    static size_t number[MAX];
    size_t count = 0;
    for (; flow_backend_at(count) && count < MAX; count++)
        number[count] = count;
    return cr_make_param_array(size_t, number, count);
}

const flow_backend *first_f64_backend(void)
{
    size_t b = 0;
    while (flow_backend_at(b)->precision != FLOW_F64)
        b++;
    return flow_backend_at(b);
}
