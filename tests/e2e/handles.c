/* tests/e2e/handles.c -- handles MODEL: several threads in one handle of a model, in handles of their own, and in one that has
 * threads of its own, for the thread sanitizer. Prints a line per check; status 1 if one failed. */
#include "library/distill.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 3, CALLS = 200, ROWS = 300, MOST = 1 << 16 };

static double want[MOST];

typedef struct user {
    distill_model *model;
    int done, busy, wrong;
} user;

static void *use(void *arg)
{
    user *self = arg;
    size_t count = ROWS * distill_dim(self->model);
    double *x = malloc(count * sizeof *x);
    for (int i = 0; x && i < CALLS; i++) {
        int code = distill_sample(self->model, 1, 0, ROWS, x, NULL, NULL, NULL);
        self->done += code == DISTILL_OK;
        self->busy += code == DISTILL_EBUSY;
        self->wrong +=
            code == DISTILL_OK ? memcmp(x, want, count * sizeof *x) != 0 : code != DISTILL_EBUSY;
    }
    free(x);
    return NULL;
}

static void run(user *users)
{
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++)
        if (pthread_create(&threads[t], NULL, use, &users[t]))
            exit(70);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
}

static int check(const char *name, const user *users, int all)
{
    int good = 1;
    for (int t = 0; t < THREADS; t++)
        good = good && !users[t].wrong && users[t].done + users[t].busy == CALLS &&
               (!all || !users[t].busy);
    printf(good ? "ok %s\n" : "not ok %s: wrong rows or codes\n", name);
    return good;
}

static distill_model *load(const char *path, size_t threads)
{
    distill_error why;
    const distill_load_options options = {.size = sizeof options, .threads = threads};
    distill_model *model = distill_load(path, &options, &why);
    if (model && ROWS * distill_dim(model) <= MOST)
        return model;
    fprintf(stderr, "%s\n", model ? "too wide" : why.text);
    exit(66);
}

int main(int argc, char **argv)
{
    user one[THREADS] = {{0}}, own[THREADS] = {{0}};
    distill_model *model = load(argc > 1 ? argv[1] : "", 1), *wide = load(argv[1], 2);
    if (distill_sample(wide, 1, 0, ROWS, want, NULL, NULL, NULL))
        return 70;
    for (int t = 0; t < THREADS; t++)
        one[t].model = model;
    run(one);
    for (int t = 0; t < THREADS; t++)
        if (!(own[t].model = distill_share(t ? model : wide, NULL)))
            return 71;
    distill_free(model);
    distill_free(wide);
    run(own);
    int good = check("threads in one handle", one, 0) & check("handles of their own", own, 1);
    for (int t = 0; t < THREADS; t++)
        distill_free(own[t].model);
    return good ? 0 : 1;
}
