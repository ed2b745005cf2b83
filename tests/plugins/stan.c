/* tests/plugins/stan.c -- what BridgeStan makes of this model, without Stan:
 *
 *     data { real mu; real<lower=0> sd; }
 *     parameters { real<lower=0> tau; vector[2] theta; }
 *     transformed parameters { real gap = (theta[2] - theta[1]) / tau; }
 *     model { tau ~ lognormal(0, 1); theta ~ normal(mu, sd); }
 *     generated quantities { real guess = uniform_rng(theta[1], theta[1] + tau); }
 *
 * Its data are JSON, looked through for these words alone. "does": "WORD" is what it does wrong while it is made, or
 * where theta[1] is above "edge" (default 2). It ends the process if it is called as BridgeStan must not be: from two
 * threads at once, with an err that is not NULL, or without random numbers where some are needed. Other stan_*.c are this
 * one with a symbol more or less; in stan_simplex.c theta is a simplex[3] p, which has 2 unconstrained numbers. */
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef STAN_INFO
#define STAN_INFO "Stan version: 2.36.0\nSTAN_THREADS=false\nSTAN_OPENCL=false\n"
#define STAN_ONE_AT_A_TIME 1
#endif
#ifndef STAN_MAJOR
#define STAN_MAJOR 2
#endif

#ifdef STAN_SIMPLEX
#define STAN_UNCONSTRAINED "p.1,p.2"
#define STAN_CONSTRAINED "p.1,p.2,p.3"
enum { CONSTRAINED = 4 };
#else
#define STAN_UNCONSTRAINED "theta.1,theta.2"
#define STAN_CONSTRAINED STAN_UNCONSTRAINED
enum { CONSTRAINED = 3 };
#endif

typedef struct bs_model {
    double mu, sd, edge;
    char does[16];
} bs_model;

int stan_messages, stan_models, stan_rngs; /* that are not freed; for the tests */

#if STAN_MAJOR
const int bs_major_version = STAN_MAJOR, bs_minor_version = 7, bs_patch_version = 0;
#endif

/* ---- messages */

static void check_err(char **err)
{
    if (err && *err)
        abort();
}

static void tell(char **err, const char *text)
{
    size_t size = strlen(text) + 1;
    if (err && (*err = malloc(size))) {
        memcpy(*err, text, size);
        __atomic_add_fetch(&stan_messages, 1, __ATOMIC_RELAXED);
    }
}

void bs_free_error_msg(char *err)
{
    __atomic_sub_fetch(&stan_messages, 1, __ATOMIC_RELAXED);
    free(err);
}

/* ---- making a model */

static bool is(const bs_model *model, const char *word)
{
    return strcmp(model->does, word) == 0;
}

static bool find(double *to, const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at && sscanf(at + strlen(name), " : %lf", to) == 1;
}

static void read_file(char *text, size_t size, const char *path)
{
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, size - 1, file) : 0;
    text[n] = '\0';
    if (file)
        fclose(file);
}

static bool is_path(const char *data)
{
    size_t n = strlen(data);
    return n > 5 && strcmp(data + n - 5, ".json") == 0;
}

static bool read_data(bs_model *model, const char *data)
{
    char text[1024] = "";
    const char *word;
    if (data && is_path(data))
        read_file(text, sizeof text, data);
    else if (data)
        snprintf(text, sizeof text, "%s", data);
    if ((word = strstr(text, "\"does\"")))
        sscanf(word + 6, " : \"%15[a-z]", model->does);
    find(&model->edge, text, "\"edge\"");
    return find(&model->mu, text, "\"mu\"") && find(&model->sd, text, "\"sd\"");
}

static const char *complaint(const bs_model *model, bool read)
{
    if (!read)
        return "variable does not exist;\nprocessing stage=data initialization";
    if (is(model, "refuse"))
        return "it does not feel like it";
    return model->sd > 0 ? NULL : "sd is not positive";
}

bs_model *bs_model_construct(const char *data, unsigned seed, char **err)
{
    bs_model *model = malloc(sizeof *model);
    (void)seed;
    check_err(err);
    if (!model)
        return NULL;
    *model = (bs_model){.edge = 2};
    const char *why = complaint(model, read_data(model, data));
    if (why)
        tell(err, why);
    if (why || is(model, "mute")) {
        free(model);
        return NULL;
    }
    __atomic_add_fetch(&stan_models, 1, __ATOMIC_RELAXED);
    return model;
}

void bs_model_destruct(bs_model *model)
{
    __atomic_sub_fetch(&stan_models, 1, __ATOMIC_RELAXED);
    free(model);
}

/* ---- what it says of itself */

const char *bs_model_info(const bs_model *model)
{
    (void)model;
    return STAN_INFO;
}

const char *bs_param_unc_names(const bs_model *model)
{
    return is(model, "names")      ? "tau,theta.1"
           : is(model, "nameless") ? NULL
                                   : "tau," STAN_UNCONSTRAINED;
}

int bs_param_unc_num(const bs_model *model)
{
    return is(model, "none") ? 0 : 3;
}

/* ---- its density */

static int misbehave(const bs_model *model, double *lp, double *grad, char **err)
{
    if (is(model, "throw"))
        tell(err, "normal_lpdf: Scale parameter is 0, but must be positive!");
    if (is(model, "crash"))
        raise(SIGSEGV);
    if (is(model, "slow"))
        sleep(600);
    if (is(model, "minus") || is(model, "nan"))
        *lp = is(model, "nan") ? (double)NAN : (double)-INFINITY;
    for (int i = 0; grad && i < 3 && is(model, "minus"); i++)
        grad[i] = NAN;
    return is(model, "throw") || is(model, "silent") ? -1 : is(model, "code") ? 7 : 0;
}

static double normal(double *slope, double x, double mu, double sd, bool propto)
{
    double z = (x - mu) / sd;
    *slope = -z / sd;
    return -0.5 * z * z - (propto ? 0 : log(sd) + 0.91893853320467274178);
}

static void evaluate(const bs_model *model, bool propto, bool jacobian, const double *u, double *lp,
                     double *grad)
{
    *lp = normal(&grad[0], u[0], 0, 1, propto) - (jacobian ? 0 : u[0]);
    grad[0] -= jacobian ? 0 : 1;
    for (int i = 1; i < 3; i++)
        *lp += normal(&grad[i], u[i], model->mu, model->sd, propto);
}

static void enter(void)
{
#ifdef STAN_ONE_AT_A_TIME
    static int inside;
    if (__atomic_exchange_n(&inside, 1, __ATOMIC_ACQ_REL))
        abort();
    for (volatile int i = 0; i < 3000; i++)
        continue;
    __atomic_store_n(&inside, 0, __ATOMIC_RELEASE);
#endif
}

int bs_log_density(const bs_model *model, bool propto, bool jacobian, const double *u, double *lp,
                   char **err)
{
    double grad[3];
    enter();
    check_err(err);
    evaluate(model, propto, jacobian, u, lp, grad);
    return u[1] > model->edge ? misbehave(model, lp, NULL, err) : 0;
}

#ifndef STAN_NO_GRADIENT
int bs_log_density_gradient(const bs_model *model, bool propto, bool jacobian, const double *u,
                            double *lp, double *grad, char **err)
{
    enter();
    check_err(err);
    evaluate(model, propto, jacobian, u, lp, grad);
    return u[1] > model->edge ? misbehave(model, lp, grad, err) : 0;
}
#endif

/* ---- its parameters */

typedef struct bs_rng {
    unsigned long long state;
} bs_rng;

bs_rng *bs_rng_construct(unsigned seed, char **err)
{
    bs_rng *rng = malloc(sizeof *rng);
    check_err(err);
    if (rng)
        rng->state = seed;
    __atomic_add_fetch(&stan_rngs, rng != NULL, __ATOMIC_RELAXED);
    return rng;
}

void bs_rng_destruct(bs_rng *rng)
{
    __atomic_sub_fetch(&stan_rngs, 1, __ATOMIC_RELAXED);
    free(rng);
}

/* Of a generator that is as good as its seeds: splitmix64. */
static double uniform(bs_rng *rng)
{
    unsigned long long z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

int bs_param_num(const bs_model *model, bool tp, bool gq)
{
    return is(model, "minusone") ? -1 : CONSTRAINED + tp + gq;
}

const char *bs_param_names(const bs_model *model, bool tp, bool gq)
{
    static const char *const names[2][2] = {
        {"tau," STAN_CONSTRAINED, "tau," STAN_CONSTRAINED ",guess"},
        {"tau," STAN_CONSTRAINED ",gap", "tau," STAN_CONSTRAINED ",gap,guess"}};
    return is(model, "derived") ? "tau" : names[tp][gq];
}

/* Stan's simplex: a share p_k of what is left, logit(share) - log(1 / (K - k)). */
static void constrain(double *to, const double *u)
{
    to[0] = exp(u[0]);
#ifdef STAN_SIMPLEX
    double left = 1;
    for (int k = 0; k < 2; k++) {
        double share = 1 / (1 + exp(-(u[1 + k] - log(2 - k))));
        to[1 + k] = left * share;
        left -= to[1 + k];
    }
    to[3] = left;
#else
    to[1] = u[1];
    to[2] = u[2];
#endif
}

static int spoil(const bs_model *model, double *to, bool tp, char **err)
{
    if (is(model, "limit") && tp)
        tell(err, "validate transformed params: gap is 7, but must be less than or equal to 5\n");
    if (is(model, "constrain"))
        raise(SIGSEGV);
    if (is(model, "infinite"))
        to[0] = (double)INFINITY;
    return is(model, "limit") && tp ? -1 : is(model, "odd") ? 3 : 0;
}

int bs_param_constrain(const bs_model *model, bool tp, bool gq, const double *u, double *theta,
                       bs_rng *rng, char **err)
{
    enter();
    check_err(err);
    constrain(theta, u);
    if (tp)
        theta[CONSTRAINED] = (theta[2] - theta[1]) / theta[0];
    if (gq && !rng)
        abort();
    if (gq)
        theta[CONSTRAINED + tp] = theta[1] + theta[0] * uniform(rng);
    return u[1] > model->edge ? spoil(model, theta, tp, err) : 0;
}
