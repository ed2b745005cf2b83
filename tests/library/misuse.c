/* Calls that make no sense, files that are none, several threads: codes and texts, never an end of the process. */
#include "tests/common/sanitized.h"
#include "tests/library/made.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 4 };

static double x[ROWS * MADE_DIM], q[ROWS], c[ROWS * MADE_CONTEXT];

Test(library_misuse, arguments_that_make_no_sense)
{
    made of = made_plain(MADE_CONTEXT);
    distill_model *m = made_load(&of, NULL, 1);
    cr_expect_str_eq(distill_why(m), "");
    cr_expect_eq(distill_sample(NULL, 0, 0, 1, x, q, c, NULL), DISTILL_EUSAGE);
    cr_expect_eq(distill_sample(m, 0, 0, ROWS, NULL, q, c, NULL), DISTILL_EUSAGE);
    cr_expect_str_eq(distill_why(m), "distill_sample: x is NULL");
    cr_expect_eq(distill_sample(m, 0, 0, ROWS, x, q, NULL, NULL), DISTILL_EUSAGE);
    cr_expect(strstr(distill_why(m), "context is NULL"));
    cr_expect_eq(distill_transport(m, NULL, ROWS, x, q, c, NULL), DISTILL_EUSAGE);
    cr_expect_eq(distill_event(m, x, ROWS, x, NULL, c, NULL), DISTILL_EUSAGE);
    cr_expect_str_eq(distill_why(m), "distill_event: weight is NULL");
    cr_expect_eq(distill_log_prob(m, NULL, ROWS, q, c, NULL), DISTILL_EUSAGE);
    cr_expect_eq(distill_log_prob(m, x, ROWS, NULL, c, NULL), DISTILL_EUSAGE);
    cr_expect_eq(distill_noise(m, 0, 0, ROWS, NULL, NULL), DISTILL_EUSAGE);
    cr_expect_eq(distill_sample(m, 0, UINT64_MAX, ROWS, x, q, c, NULL), DISTILL_EUSAGE);
    cr_expect_eq(distill_sample(m, 0, 0, SIZE_MAX, x, q, c, NULL), DISTILL_EUSAGE);
    cr_expect(strstr(distill_why(m), "beyond all memory"), "%s", distill_why(m));
    cr_expect_eq(distill_sample(m, 0, 0, ROWS, (double *)(void *)((char *)x + 1), q, c, NULL),
                 DISTILL_EUSAGE);
    distill_strides s = distill_dense(m);
    s.x.row = 0;
    cr_expect_eq(distill_sample(m, 0, 0, ROWS, x, q, c, &s), DISTILL_EUSAGE);
    cr_expect_eq(distill_sample(m, 0, 0, 1, x, q, c, &s), 0, "%s", distill_why(m));
    distill_free(m);
    made_close(&of);
    made plain = made_plain(0);
    m = made_load(&plain, NULL, 1);
    cr_expect_eq(distill_sample(m, 0, 0, ROWS, x, q, c, NULL), DISTILL_EUSAGE);
    cr_expect_str_eq(distill_why(m), "distill_sample: context of a model without any");
    distill_free(m);
    made_close(&plain);
}

Test(library_misuse, nothing_there)
{
    distill_error why;
    cr_expect_null(distill_load(NULL, NULL, &why));
    cr_expect_eq(why.code, DISTILL_EUSAGE);
    cr_expect_null(distill_load("/nowhere/model", NULL, &why));
    cr_expect_eq(why.code, DISTILL_ENOFILE);
    cr_expect(strstr(why.text, "/nowhere/model"), "%s", why.text);
    cr_expect_null(distill_load("/nowhere/model", NULL, NULL));
    cr_expect_null(distill_share(NULL, &why));
    cr_expect_eq(why.code, DISTILL_EUSAGE);
    distill_free(NULL);
    cr_expect(distill_dim(NULL) == 0 && distill_context_dim(NULL) == 0);
    cr_expect(!distill_name(NULL, 0) && !distill_context_name(NULL, 0) &&
              !distill_description(NULL));
    cr_expect_str_eq(distill_why(NULL), "no model");
    cr_expect_str_eq(distill_code_text(DISTILL_EBUSY), "another thread is in this handle");
    cr_expect_str_eq(distill_code_text(-1), distill_code_text(99));
}

Test(library_misuse, options)
{
    made of = made_plain(0);
    distill_error why;
    const distill_load_options small = {.size = 1}, large = {.size = sizeof large + 8};
    const distill_load_options word = {.size = sizeof word, .network = "int7"};
    const distill_load_options many = {.size = sizeof many, .threads = 100000};
    const distill_load_options *const wrong[] = {&small, &large, &word, &many};
    for (int i = 0; i < 4; i++) {
        cr_expect_null(distill_load(of.path, wrong[i], &why));
        cr_expect_eq(why.code, DISTILL_EUSAGE, "%d: %s", i, why.text);
    }
    made_close(&of);
}

/* A file that ends early, anywhere, or has other bytes, is a bad one; and what can be loaded can be called. */
Test(library_misuse, broken_files)
{
    made of = made_plain(0);
    static char bytes[1 << 20];
    FILE *file = fopen(of.path, "rb");
    size_t length = fread(bytes, 1, sizeof bytes, file), step = SANITIZED ? 997 : 101;
    fclose(file);
    distill_error why;
    for (size_t n = 0; n < length; n += n < 64 ? 1 : step) {
        cr_assert_null(distill_load_memory(bytes, n, NULL, &why), "%zu bytes", n);
        cr_assert_eq(why.code, DISTILL_EFILE, "%zu bytes: %s", n, why.text);
    }
    for (size_t n = 0; n < length; n += step) {
        bytes[n] = (char)(bytes[n] ^ 0x55);
        distill_model *m = distill_load_memory(bytes, length, NULL, &why);
        cr_assert(m ? distill_dim(m) > 0 : why.code == DISTILL_EFILE || why.code == DISTILL_ECANNOT,
                  "%zu: %d %s", n, why.code, why.text);
        if (m && distill_dim(m) == MADE_DIM)
            distill_sample(m, 0, 0, ROWS, x, q, NULL, NULL);
        distill_free(m);
        bytes[n] = (char)(bytes[n] ^ 0x55);
    }
    made_close(&of);
}

/* ---- threads */

typedef struct user {
    distill_model *model;
    int wrong, done, busy;
} user;

static double want[ROWS * MADE_DIM];

static void *use(void *arg)
{
    user *self = arg;
    double own[ROWS * MADE_DIM];
    for (int i = 0; i < 2000; i++) {
        int code = distill_sample(self->model, 3, 0, ROWS, own, NULL, NULL, NULL);
        self->busy += code == DISTILL_EBUSY;
        self->done += code == DISTILL_OK;
        self->wrong += code && code != DISTILL_EBUSY;
        self->wrong += !code && memcmp(own, want, sizeof own) != 0;
    }
    return NULL;
}

static void share_out(user users[3])
{
    pthread_t threads[3];
    for (int t = 0; t < 3; t++)
        cr_assert_eq(pthread_create(&threads[t], NULL, use, &users[t]), 0);
    for (int t = 0; t < 3; t++)
        pthread_join(threads[t], NULL);
}

Test(library_misuse, threads_on_one_handle_and_on_their_own)
{
    made of = made_plain(0);
    distill_model *m = made_load(&of, NULL, 1);
    cr_assert_eq(distill_sample(m, 3, 0, ROWS, want, NULL, NULL, NULL), 0);
    user one[3] = {{m, 0, 0, 0}, {m, 0, 0, 0}, {m, 0, 0, 0}}, own[3] = {{0}};
    share_out(one);
    for (int t = 0; t < 3; t++) {
        cr_expect(one[t].wrong == 0 && one[t].done + one[t].busy == 2000);
        own[t].model = distill_share(m, NULL);
    }
    share_out(own);
    for (int t = 0; t < 3; t++) {
        cr_expect(own[t].wrong == 0 && own[t].done == 2000, "%d: %d", t, own[t].done);
        distill_free(own[t].model);
    }
    distill_free(m);
    made_close(&of);
}

static int threads_of_process(void)
{
    int n = 0;
    char line[256];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "Threads: %d", &n);
    if (f)
        fclose(f);
    return n;
}

Test(library_misuse, no_thread_that_was_not_asked_for)
{
    made of = made_plain(0);
    int before = threads_of_process();
    distill_model *one = made_load(&of, NULL, 1);
    distill_sample(one, 0, 0, ROWS, x, q, NULL, NULL);
    cr_expect_eq(threads_of_process(), before);
    distill_model *three = made_load(&of, NULL, 3);
    cr_expect_eq(threads_of_process(), before ? before + 2 : 0);
    distill_free(three);
    distill_free(one);
    made_close(&of);
}
