#include "pipeline/command/exact.h"

#include "pipeline/command/weighing.h"
#include "pipeline/console/notice.h"
#include "student/exact.h"
#include "student/unweighting.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PER_SAMPLE = 10, LEAST_PROPOSALS = 10000, MOST_PER_SAMPLE = 1000 };

static const char *const names[] = {
    [EXACT_SIR] = "sir", [EXACT_IMH] = "imh", [EXACT_REJECTION] = "rejection"};

int exact_method_of(exact_method *out, const char *name, flow_err *err)
{
    for (int k = EXACT_SIR; k <= EXACT_REJECTION; k++)
        if (strcmp(names[k], name) == 0) {
            *out = (exact_method)k;
            return 0;
        }
    return flow_fail(err, FLOW_EUSAGE, "--exact wants sir, imh or rejection, got '%.60s'", name);
}

bool exact_is_wanted(const exact_options *options)
{
    return options->method != EXACT_NONE || options->weights;
}

int exact_check(const exact_options *o, flow_err *err)
{
    if (o->proposals && o->method == EXACT_NONE)
        return flow_fail(err, FLOW_EUSAGE, "--proposals has no effect without --exact");
    if (!isnan(o->bound) && o->method != EXACT_REJECTION)
        return flow_fail(err, FLOW_EUSAGE, "--bound has no effect without --exact rejection");
    return 0;
}

/* ---- weights */

typedef struct choosing {
    output_request *q;
    const exact_options *options;
    weighing weighing;
    exact_choice *out;
    size_t n; /* proposals */
} choosing;

/* As many proposals as `to`. */
static int weigh_up_to(choosing *w, size_t to, flow_err *err)
{
    double *log_w =
        to < SIZE_MAX / sizeof *log_w ? realloc(w->out->log_w, to * sizeof *log_w) : NULL;
    if (!log_w)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the weights of %zu proposals", to);
    size_t from = w->n;
    w->out->log_w = log_w;
    w->n = to;
    return weighing_rows(&w->weighing, log_w + from, NULL, w->q->stream, w->q->first + from,
                         to - from, err);
}

/* As many as were asked for, or else `usual`. */
static size_t proposals(const choosing *w, size_t usual)
{
    return w->options->proposals ? (size_t)w->options->proposals : usual;
}

static int make_rows(choosing *w, size_t n, flow_err *err)
{
    size_t *rows = realloc(w->out->rows, n * sizeof *rows);
    w->out->rows = rows ? rows : w->out->rows;
    return rows ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory to choose from %zu rows", n);
}

static int tell(const choosing *w, const char *of, flow_err *err)
{
    return weighing_tell(NULL, w->out->log_w, w->n, of, err);
}

/* ---- the three methods */

static pcg_stream choices(const choosing *w)
{
    pcg_stream out = w->q->stream;
    out.purpose = PCG_SHUFFLE;
    return out;
}

static int resample(choosing *w, flow_err *err)
{
    size_t n = w->q->n, usual = n * PER_SAMPLE > LEAST_PROPOSALS ? n * PER_SAMPLE : LEAST_PROPOSALS;
    double distinct;
    int code = weigh_up_to(w, proposals(w, usual), err);
    code = code ? code : tell(w, "proposals", err);
    code = code ? code : make_rows(w, n, err);
    if (!code)
        code = student_resample(w->out->rows, &distinct, n, STUDENT_SYSTEMATIC, w->out->log_w, w->n,
                                choices(w), err);
    if (!code)
        notice_note("sir: %zu samples, %.4g %% of them different rows", n, 100 * distinct);
    return code;
}

/* log p~ is what the chain's memory is measured on. */
static double chain_size(const choosing *w, const size_t *rows, double *series)
{
    for (size_t i = 0; i < w->q->n; i++)
        series[i] = w->out->log_w[rows[i]];
    return student_chain_size(series, w->q->n);
}

/* The last n states; a tenth more go before them. */
static int walk(choosing *w, flow_err *err)
{
    size_t n = w->q->n, wanted = proposals(w, n + n / PER_SAMPLE + 100);
    double acceptance;
    if (wanted < n)
        return flow_fail(err, FLOW_EUSAGE,
                         "--proposals %llu is less than -n: a chain has a state "
                         "for each",
                         (unsigned long long)w->options->proposals);
    int code = weigh_up_to(w, wanted, err);
    code = code ? code : tell(w, "proposals", err);
    code = code ? code : make_rows(w, w->n, err);
    if (!code)
        code = student_metropolis(w->out->rows, &acceptance, w->out->log_w, w->n, choices(w), err);
    double *series = code ? NULL : malloc((n + 1) * sizeof *series);
    if (code || !series)
        return code ? code : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu samples", n);
    memmove(w->out->rows, w->out->rows + (w->n - n), n * sizeof *w->out->rows);
    notice_note("imh: acceptance %.3g; %zu states are worth %.0f independent ones", acceptance, n,
                chain_size(w, w->out->rows, series));
    free(series);
    return 0;
}

/* The largest log_w of rows that no sample is made of. */
static int find_bound(const choosing *w, double *bound, flow_err *err)
{
    pcg_stream other = w->q->stream;
    size_t n = w->q->n > LEAST_PROPOSALS ? w->q->n : LEAST_PROPOSALS;
    double *log_w = malloc(n * sizeof *log_w);
    other.purpose = PCG_ESTIMATE;
    *bound = -INFINITY;
    int code = log_w ? weighing_rows(&w->weighing, log_w, NULL, other, w->q->first, n, err)
                     : flow_fail(err, FLOW_ENOMEM, "out of memory for a bound");
    for (size_t r = 0; r < n && !code; r++)
        *bound = fmax(*bound, log_w[r]);
    free(log_w);
    if (!code && !isfinite(*bound))
        code = flow_fail(err, FLOW_EDIVERGED, "the target has no density at any of %zu samples", n);
    return code;
}

static int reject_enough(choosing *w, double bound, size_t *above, flow_err *err)
{
    size_t n = w->q->n, kept = 0, most = n * MOST_PER_SAMPLE + LEAST_PROPOSALS;
    size_t next = proposals(w, n + n / 4 + 100);
    int code = 0;
    while (!code && kept < n) {
        if (w->n >= most || (w->options->proposals && w->n))
            return flow_fail(err, FLOW_EDIVERGED,
                             "rejection kept %zu of %zu proposals under a bound of %.4g nats, "
                             "%zu are wanted",
                             kept, w->n, bound, n);
        code = weigh_up_to(w, next < most ? next : most, err);
        code = code ? code : make_rows(w, w->n, err);
        code = code ? code
                    : student_reject(w->out->rows, &kept, above, bound, w->out->log_w, w->n,
                                     choices(w), err);
        next = 2 * w->n;
    }
    if (!code)
        notice_note("rejection: %.3g of the proposals are kept under a bound of %.4g nats%s",
                    (double)kept / (double)w->n, bound,
                    isnan(w->options->bound) ? ", the largest weight of other rows" : "");
    return code;
}

static int reject(choosing *w, flow_err *err)
{
    double bound = w->options->bound;
    size_t above = 0;
    int code = isnan(bound) ? find_bound(w, &bound, err) : 0;
    code = code ? code : reject_enough(w, bound, &above, err);
    code = code ? code : tell(w, "proposals", err);
    if (!code && above)
        notice_warning("%zu of %zu proposals weigh more than the bound, and %.2g of all weight is "
                       "above it: there the samples are too few; say a larger --bound",
                       above, w->n, student_over_weight(w->out->log_w, w->n, bound));
    return code;
}

/* ---- */

static int choose(choosing *w, flow_err *err)
{
    switch (w->options->method) {
    case EXACT_SIR:
        return resample(w, err);
    case EXACT_IMH:
        return walk(w, err);
    case EXACT_REJECTION:
        return reject(w, err);
    default:
        return weigh_up_to(w, w->q->n, err) ? err->code : tell(w, "samples", err);
    }
}

int exact_choose(exact_choice *self, output_request *request, const exact_options *options,
                 const reference *against, flow_err *err)
{
    *self = (exact_choice){NULL, NULL};
    if (request->n == 0)
        return 0;
    if (request->n > SIZE_MAX / 16 / MOST_PER_SAMPLE)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for the weights of %zu samples",
                         request->n);
    choosing w = {.q = request,
                  .options = options,
                  .weighing = {.model = request->model,
                               .pool = request->pool,
                               .temperature = request->temperature,
                               .against = against},
                  .out = self};
    int code = weighing_open(&w.weighing, request->context, request->n_context, err);
    code = code ? code : choose(&w, err);
    if (!code && options->method != EXACT_NONE)
        request->chosen = self->rows;
    if (!code && options->weights)
        request->log_w = self->log_w;
    weighing_close(&w.weighing);
    return code;
}

void exact_free(exact_choice *self)
{
    free(self->log_w);
    free(self->rows);
}
