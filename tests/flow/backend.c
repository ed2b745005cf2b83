/* The backends of this machine and how one is chosen. */
#include "flow/backend.h"
#include "flow/blas.h"
#include "tests/common/examples.h"

#include <cblas.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(backend, list)
{
    size_t count[2] = {0, 0};
    for (size_t b = 0; flow_backend_at(b); b++) {
        const flow_backend *backend = flow_backend_at(b);
        int is64 = backend->precision == FLOW_F64;
        char head[8];
        snprintf(head, sizeof head, "f%d/", (int)backend->precision);
        cr_assert(strncmp(backend->name, head, 4) == 0, "%s has %d bits", backend->name,
                  (int)backend->precision);
        cr_assert_eq(backend->real_size, is64 ? sizeof(double) : sizeof(float));
        cr_assert(backend->supported());
        for (size_t other = 0; other < b; other++)
            cr_assert_str_neq(flow_backend_at(other)->name, backend->name);
        count[is64]++;
    }
    cr_assert(count[0] > 0 && count[0] == count[1], "%zu f32 and %zu f64", count[0], count[1]);
}

static void check_sort(const flow_backend *backend, flow_sort sort)
{
    for (size_t k = 0;; k++) {
        const flow_kind *first = flow_backend_at(0)->kind(sort, k), *kind = backend->kind(sort, k);
        cr_assert_eq(!first, !kind);
        if (!first)
            return;
        cr_assert_str_eq(first->name, kind->name);
        cr_assert_eq(first->size, kind->size);
    }
}

/* The same kinds in the same order everywhere. */
Test(backend, kinds)
{
    for (size_t b = 1; flow_backend_at(b); b++)
        for (flow_sort sort = FLOW_LAYER_KIND; sort <= FLOW_ACTIVATION_KIND; sort++)
            check_sort(flow_backend_at(b), sort);
}

static const flow_backend *find(const char *isa, flow_precision precision, flow_err *err)
{
    if (isa)
        setenv("FLOW_ISA", isa, 1);
    else
        unsetenv("FLOW_ISA");
    return flow_backend_find(precision, err);
}

Test(backend, chosen_by_the_environment)
{
    flow_err err = FLOW_ERR_INIT;
    const flow_precision both[] = {FLOW_F32, FLOW_F64};
    for (size_t p = 0; p < 2; p++) {
        const flow_backend *fastest = find(NULL, both[p], &err);
        cr_assert(fastest && fastest->precision == both[p]);
        cr_assert_eq(find("", both[p], &err), fastest);
        const flow_backend *generic = find("generic", both[p], &err);
        cr_assert(generic && generic->precision == both[p]);
        cr_assert_str_eq(strchr(generic->name, '/'), "/generic");
        cr_assert_null(find("sse9", both[p], &err));
        cr_assert_eq(err.code, FLOW_EUSAGE);
        cr_assert(strstr(err.text, "sse9"), "%s", err.text);
        cr_assert_null(find("avx", both[p], NULL)); /* a whole name, not the start of one */
    }
    for (size_t b = 0; flow_backend_at(b); b++) {
        const flow_backend *wanted = flow_backend_at(b);
        cr_assert_eq(find(strchr(wanted->name, '/') + 1, wanted->precision, &err), wanted);
    }
}

static const flow_backend *find_rounding(const char *isa, flow_err *err)
{
    setenv("FLOW_ISA", isa, 1);
    return flow_backend_find_rounding(err);
}

/* An instruction set for products of bytes is one more word for the backend that has it, of each sort. */
Test(backend, words_for_bytes)
{
    static const char *const plain[] = {"avx2", "avx512"}, *const more[] = {"avx2_vnni",
                                                                            "avx512_vnni"};
    flow_err err = FLOW_ERR_INIT;
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(find(more[i], FLOW_F32, NULL), find(plain[i], FLOW_F32, NULL));
        cr_assert_eq(find(more[i], FLOW_F64, NULL), find(plain[i], FLOW_F64, NULL));
        cr_assert_eq(find_rounding(more[i], NULL), find_rounding(plain[i], NULL));
        setenv("FLOW_ISA", more[i], 1);
        cr_assert(flow_isa_wanted(more[i]) && !flow_isa_wanted(plain[i]));
    }
    static const char *const none[] = {"generic_vnni", "avx2_", "avx2_vnn",
                                       "avx2_vnni2",   "_vnni", "vnni"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        err = (flow_err)FLOW_ERR_INIT;
        cr_assert_null(find(none[i], FLOW_F32, &err), "%s", none[i]);
        cr_assert_eq(err.code, FLOW_EUSAGE);
        cr_assert(strstr(err.text, none[i]) && strstr(err.text, "not an instruction set"), "%s",
                  err.text);
        cr_assert_null(find_rounding(none[i], &err));
        cr_assert_eq(err.code, FLOW_EUSAGE);
    }
}

/* For flows in low precision there is one for each in single precision, and no test takes it for another. */
Test(backend, rounding)
{
    flow_err err = FLOW_ERR_INIT;
    for (size_t b = 0; flow_backend_at(b); b++) {
        const flow_backend *plain = flow_backend_at(b);
        const char *isa = strchr(plain->name, '/');
        const flow_backend *rounding = find_rounding(isa + 1, &err);
        cr_assert(rounding, "%s", err.text);
        cr_assert(rounding->rounds && !plain->rounds);
        cr_assert_eq(rounding->precision, FLOW_F32);
        cr_assert(strncmp(rounding->name, "r32", 3) == 0 && strcmp(rounding->name + 3, isa) == 0,
                  "%s", rounding->name);
    }
}

/* flow_create takes the one that is asked for, and says which it is. */
Test(backend, of_a_flow)
{
    flow_err err = FLOW_ERR_INIT;
    json_t *d = describe_one(3, 0, "data_to_noise", json_pack("{s:s}", "kind", "actnorm"));
    for (size_t b = 0; flow_backend_at(b); b++) {
        const flow_backend *wanted = flow_backend_at(b);
        cr_assert_eq(find(strchr(wanted->name, '/') + 1, wanted->precision, &err), wanted);
        flow *f = flow_create(d, wanted->precision, &err);
        cr_assert(f, "%s", err.text);
        cr_assert_str_eq(flow_backend_name(f), wanted->name);
        cr_assert_eq(flow_get_precision(f), wanted->precision);
        cr_assert_eq(flow_params_bytes(f), flow_n_params(f) * wanted->real_size);
        cr_assert_eq((uintptr_t)flow_params(f) % 64, 0);
        flow_free(f);
    }
    setenv("FLOW_ISA", "sse9", 1);
    cr_assert_null(flow_create(d, FLOW_F32, &err));
    cr_assert_eq(err.code, FLOW_EUSAGE);
    json_decref(d);
}

/* A second thread inside BLAS would make results move with the machine: who has not seen to it is told, and
 * the setting stays his. */
Test(backend, threads_of_blas_are_refused_and_left_alone)
{
    flow_err err = FLOW_ERR_INIT;
    openblas_set_num_threads(2);
    cr_assert_eq(openblas_get_num_threads(), 2);
    cr_expect_null(flow_pool_create(1, &err));
    cr_expect_eq(err.code, FLOW_EUSAGE);
    cr_expect(strstr(err.text, "flow_blas_one_thread()"), "%s", err.text);
    cr_expect_eq(openblas_get_num_threads(), 2);
    flow_blas_one_thread();
    flow_pool *pool = flow_pool_create(1, &err);
    cr_expect_not_null(pool);
    flow_pool_free(pool);
}
