#include "flow/backend.h"

#include <stdlib.h>
#include <string.h>

#define BACKENDS(isa)                                                                              \
    extern const flow_backend flow_backend_table_f32_##isa, flow_backend_table_f64_##isa,          \
        flow_backend_table_r32_##isa;
BACKENDS(generic)
#if defined(__x86_64__)
BACKENDS(avx2)
BACKENDS(avx512)
#endif

/* Fastest first. */
static const flow_backend *const all[] = {
#if defined(__x86_64__)
    &flow_backend_table_f32_avx512,  &flow_backend_table_f64_avx512,
    &flow_backend_table_r32_avx512,  &flow_backend_table_f32_avx2,
    &flow_backend_table_f64_avx2,    &flow_backend_table_r32_avx2,
#endif
    &flow_backend_table_f32_generic, &flow_backend_table_f64_generic,
    &flow_backend_table_r32_generic,
};

/* What FLOW_ISA says; "": nothing. */
static const char *wanted_isa(void)
{
    const char *wanted = getenv("FLOW_ISA");
    return wanted ? wanted : "";
}

int flow_isa_wanted(const char *isa)
{
    return !*wanted_isa() || strcmp(wanted_isa(), isa) == 0;
}

/* FLOW_ISA is this one, or this one and more for bytes. */
static int wanted(const flow_backend *backend)
{
    static const char *const more[] = {"avx2_vnni", "avx512_vnni"};
    const char *isa = strchr(backend->name, '/') + 1, *word = wanted_isa();
    size_t length = strlen(isa);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++)
        if (strcmp(word, more[i]) == 0 && strncmp(word, isa, length) == 0 && word[length] == '_')
            return 1;
    return flow_isa_wanted(isa);
}

static const flow_backend *find(flow_precision precision, int rounds, flow_err *err)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i]->precision == precision && all[i]->rounds == rounds && all[i]->supported() &&
            wanted(all[i]))
            return all[i];
    flow_fail(err, FLOW_EUSAGE, "FLOW_ISA=%s: not an instruction set of this processor",
              wanted_isa());
    return NULL;
}

const flow_backend *flow_backend_find(flow_precision precision, flow_err *err)
{
    return find(precision, 0, err);
}

const flow_backend *flow_backend_find_rounding(flow_err *err)
{
    return find(FLOW_F32, 1, err);
}

const flow_backend *flow_backend_at(size_t index)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (!all[i]->rounds && all[i]->supported() && index-- == 0)
            return all[i];
    return NULL;
}
