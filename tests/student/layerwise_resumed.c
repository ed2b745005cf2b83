/* Layers that are trained by themselves, kept at some step and taken up by another process: on to the same bits. */
#include "student/layerwise.h"
#include "tests/common/examples.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { D = 4, STEPS = 6, ALL = 2 * STEPS }; /* two layers are no inverses */

typedef struct memory {
    flow_keeper keeper;
    void *block; /* what was kept last */
    size_t size;
    int resumed; /* as the training was told last; -1: not yet */
} memory;

static int left; /* steps before a stop; 0: none */

static int stop(void)
{
    return left > 0 && --left == 0;
}

static int find(void *arg, void **block, size_t *size, flow_err *err)
{
    const memory *m = arg;
    (void)err;
    *block = NULL;
    *size = m->size;
    if (m->block) {
        *block = malloc(m->size);
        memcpy(*block, m->block, m->size);
    }
    return 0;
}

static int begin(void *arg, int resumed, flow_err *err)
{
    (void)err;
    ((memory *)arg)->resumed = resumed;
    return 0;
}

static int never(void *arg)
{
    (void)arg;
    return 0;
}

static int keep(void *arg, const void *block, size_t size, flow_err *err)
{
    memory *m = arg;
    (void)err;
    free(m->block);
    m->block = malloc(size);
    m->size = size;
    memcpy(m->block, block, size);
    return 0;
}

static void remember(memory *m)
{
    *m = (memory){.keeper = {find, begin, never, keep, m}, .resumed = -1};
}

static student_layers_options usual(void)
{
    return (student_layers_options){.batch = 40,
                                    .steps = STEPS,
                                    .rows = 150,
                                    .shard = 16,
                                    .lr = 2e-3,
                                    .warmup = 2,
                                    .average = 0.8,
                                    .clip = 1.2,
                                    .widen_by = 1.5,
                                    .seed = 5,
                                    .stop = stop};
}

/* How it went; *out: the student, the caller's. */
static int train(flow **out, student_layers_state *state, memory *m, student_layers_options *o,
                 size_t threads)
{
    static const flow_unrolling one_step = {.iterations = 1, .width = 1};
    flow_err err = FLOW_ERR_INIT;
    flow *teacher = random_teacher(D, 0, 1.6);
    flow_pool *pool = flow_pool_create(threads, NULL);
    *out = flow_unroll(teacher, &one_step, FLOW_F32, &err);
    cr_assert(*out, "%s", err.text);
    o->keeper = m ? &m->keeper : NULL;
    int code = student_distill_layers(*out, state, teacher, pool, NULL, o, NULL, NULL, &err);
    cr_assert(code == 0 || code == FLOW_ESTOPPED, "%s", err.text);
    flow_pool_free(pool);
    flow_free(teacher);
    return code;
}

static void check_same(const flow *a, const flow *b, size_t step)
{
    cr_assert(memcmp(flow_params_const(a), flow_params_const(b), flow_params_bytes(a)) == 0,
              "weights, kept at step %zu", step);
}

Test(layerwise_resumed, same_bits_from_every_step)
{
    flow *whole, *first, *second;
    student_layers_state want, state;
    student_layers_options o = usual();
    left = 0;
    cr_assert_eq(train(&whole, &want, NULL, &o, 1), 0);
    cr_assert_eq(want.trained, 2);
    for (size_t k = 1; k <= ALL; k++) {
        memory m;
        remember(&m);
        left = (int)k;
        cr_assert_eq(train(&first, &state, &m, &o, 2), FLOW_ESTOPPED, "step %zu", k);
        cr_assert(m.block && m.resumed == 0);
        cr_assert_eq(train(&second, &state, &m, &o, 1 + k % 3), 0);
        cr_assert_eq(m.resumed, 1);
        check_same(second, whole, k);
        cr_assert(memcmp(&state, &want, sizeof state) == 0, "state, kept at step %zu", k);
        free(m.block);
        flow_free(first);
        flow_free(second);
    }
    flow_free(whole);
}

/* A block that is of no use, wherever it is damaged or whatever it is of, leaves a student that was never touched. */
Test(layerwise_resumed, begins_anew)
{
    flow *whole, *first;
    student_layers_state want, state;
    student_layers_options o = usual();
    memory m;
    remember(&m);
    left = 0;
    cr_assert_eq(train(&whole, &want, NULL, &o, 1), 0);
    left = STEPS + 2; /* in the second layer */
    cr_assert_eq(train(&first, &state, &m, &o, 1), FLOW_ESTOPPED);
    flow_free(first);
    for (size_t at = 0; at < m.size; at += m.size / 23) {
        ((unsigned char *)m.block)[at] ^= 0x11;
        cr_assert_eq(train(&first, &state, &m, &o, 1), 0);
        cr_assert_eq(m.resumed, 0, "byte %zu", at);
        check_same(first, whole, at);
        ((unsigned char *)m.block)[at] ^= 0x11;
        flow_free(first);
    }
    size_t size = m.size;
    for (m.size = 0; m.size < size; m.size += size / 11) {
        cr_assert_eq(train(&first, &state, &m, &o, 1), 0);
        cr_assert_eq(m.resumed, 0, "%zu of %zu bytes", m.size, size);
        check_same(first, whole, m.size);
        flow_free(first);
    }
    m.size = size;
    o.seed++;
    cr_assert_eq(train(&first, &state, &m, &o, 1), 0);
    cr_assert_eq(m.resumed, 0);
    flow_free(first);
    flow_free(whole);
    free(m.block);
}
