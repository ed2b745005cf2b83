#include "flow/backend.h"

#include <stdlib.h>
#include <string.h>

#define BACKENDS(isa)                                                                              \
    extern const flow_backend flow_backend_table_f32_##isa, flow_backend_table_f64_##isa;
BACKENDS(generic)
#if defined(__x86_64__)
BACKENDS(avx2)
BACKENDS(avx512)
#endif

/* Fastest first. */
static const flow_backend *const all[] = {
#if defined(__x86_64__)
    &flow_backend_table_f32_avx512,  &flow_backend_table_f64_avx512,
    &flow_backend_table_f32_avx2,    &flow_backend_table_f64_avx2,
#endif
    &flow_backend_table_f32_generic, &flow_backend_table_f64_generic,
};

const flow_backend *flow_backend_find(flow_precision precision, flow_err *err)
{
    const char *wanted = getenv("FLOW_ISA");
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *isa = strchr(all[i]->name, '/') + 1;
        if (all[i]->precision == precision && all[i]->supported() &&
            (!wanted || !*wanted || strcmp(wanted, isa) == 0))
            return all[i];
    }
    flow_fail(err, FLOW_EUSAGE, "FLOW_ISA=%s: not an instruction set of this processor",
              wanted ? wanted : "");
    return NULL;
}

const flow_backend *flow_backend_at(size_t index)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i]->supported() && index-- == 0)
            return all[i];
    return NULL;
}
