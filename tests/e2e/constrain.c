/* tests/e2e/constrain.c -- parameters as a Stan model has them, by its library itself: what others are held to.
 *
 *   constrain LIBRARY DATA FILE     their names on the first line, transformed parameters behind; then one row of FILE, whose
 *                                   first D columns are unconstrained, a line. Each is taken back, too: the line ends in
 *                                   the farthest that a number came out from where it was */
#include "files/read.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct functions {
    void *(*construct)(const char *data, unsigned seed, char **why);
    void (*destruct)(void *model);
    const char *(*names)(const void *model, bool transformed, bool generated);
    int (*count)(const void *model, bool transformed, bool generated);
    int (*dim)(const void *model);
    int (*constrain)(const void *model, bool transformed, bool generated, const double *u,
                     double *theta, void *rng, char **why);
    int (*unconstrain)(const void *model, const double *theta, double *u, char **why);
} functions;

static const char *const symbols[] = {
    "bs_model_construct", "bs_model_destruct",  "bs_param_names",      "bs_param_num",
    "bs_param_unc_num",   "bs_param_constrain", "bs_param_unconstrain"};

static int fail(const char *what)
{
    fprintf(stderr, "constrain: %s\n", what);
    return 1;
}

/* A pointer to a function has the bits of dlsym's (POSIX). */
static const char *find(functions *call, const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return dlerror();
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(library, symbols[i]);
        if (!symbol)
            return symbols[i];
        memcpy((char *)call + i * sizeof symbol, &symbol, sizeof symbol);
    }
    return NULL;
}

static double apart(const double *a, const double *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i] - b[i]));
    return most;
}

static int print_row(const functions *call, const void *model, const double *u)
{
    char *why = NULL;
    size_t n = (size_t)call->count(model, true, false), dim = (size_t)call->dim(model);
    double *theta = calloc(n + dim, sizeof *theta), *back = theta + n;
    int code = !theta || call->constrain(model, true, false, u, theta, NULL, &why) ||
               call->unconstrain(model, theta, back, &why);
    for (size_t i = 0; !code && i < n; i++)
        printf("%.17g,", theta[i]);
    if (!code)
        printf("%.3g\n", apart(u, back, dim));
    free(theta);
    return code ? fail(why ? why : "no reason") : 0;
}

static int print_rows(const functions *call, const void *model, const file_table *table)
{
    int status = table->cols < (size_t)call->dim(model) ? fail("too few columns") : 0;
    printf("%s,back\n", call->names(model, true, false));
    for (size_t r = 0; !status && r < table->rows; r++)
        status = print_row(call, model, table->values + r * table->cols);
    return status;
}

int main(int argc, char **argv)
{
    functions call;
    flow_err err = FLOW_ERR_INIT;
    char *why = NULL;
    const char *bad = argc == 4 ? find(&call, argv[1]) : "wanted LIBRARY DATA FILE";
    void *model = bad ? NULL : call.construct(argv[2], 1, &why);
    if (!model)
        return fail(bad ? bad : why);
    file_table *table = file_read(argv[3], FILE_HEADER_AUTO, &err);
    int status = table ? print_rows(&call, model, table) : fail(err.text);
    file_table_free(table);
    call.destruct(model);
    return status;
}
