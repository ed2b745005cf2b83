#include "pipeline/command/estimate.h"

#include "flow/json.h"
#include "pipeline/command/weighing.h"
#include "pipeline/command/with_model.h"
#include "pipeline/console/foreign.h"
#include "pipeline/console/json_print.h"
#include "pipeline/console/notice.h"
#include "student/summary.h"
#include "student/weigh.h"
#include "teacher/broken.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the model with their weights, and what is asked of them. */
typedef struct rows {
    size_t n, dim, m;
    double *x, *log_w, *weight; /* (n, D), (n), (n): sum 1 */
    double *values;             /* (n, m) */
    size_t *wanted;             /* (m) of what is derived from a row */
    student_diagnostics worth;
} rows;

static int take(rows *self, flow_err *err)
{
    size_t each = self->dim + self->m + 2;
    self->x = self->n < SIZE_MAX / each / sizeof *self->x ? malloc(self->n * each * sizeof *self->x)
                                                          : NULL;
    if (!self->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu samples", self->n);
    self->log_w = self->x + self->n * self->dim;
    self->weight = self->log_w + self->n;
    self->values = self->weight + self->n;
    return 0;
}

/* ---- what is asked of them */

/* The place of that name; the width: there is none. */
static size_t place_of(const derived *from, const char *name, size_t length)
{
    const char *const *names = derived_names(from);
    size_t j = 0;
    while (j < derived_width(from) &&
           !(strlen(names[j]) == length && strncmp(names[j], name, length) == 0))
        j++;
    return j;
}

static bool is_among(const rows *self, size_t j)
{
    size_t i = 0;
    while (i < self->m && self->wanted[i] != j)
        i++;
    return i < self->m;
}

/* wanted, from the names between the commas, each once; NULL: all. */
static int choose(rows *self, const derived *from, const char *of, flow_err *err)
{
    size_t width = derived_width(from);
    self->wanted = malloc(width * sizeof *self->wanted);
    if (!self->wanted)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for names of columns");
    for (size_t j = 0; j < width && !of; j++)
        self->wanted[self->m++] = j;
    for (const char *at = of; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        size_t length = strcspn(at, ","), j = place_of(from, at, length);
        if (j == width)
            return flow_fail(err, FLOW_EUSAGE,
                             "--of: there is no column or quantity '%.*s'; the first is '%s'",
                             (int)(length < 80 ? length : 80), at, derived_names(from)[0]);
        if (!is_among(self, j))
            self->wanted[self->m++] = j;
    }
    return 0;
}

enum { BLOCK = 1024 }; /* rows that are derived at a time */

/* Rows from `row` on that weigh something, a block at most, or those that do not. */
static size_t alike(const rows *self, size_t row, bool something)
{
    size_t n = 0;
    while (n < BLOCK && row + n < self->n && (self->weight[row + n] > 0) == something)
        n++;
    return n;
}

/* Of what is derived only what is wanted is kept. */
static void keep(rows *self, const double *block, size_t width, size_t row, size_t n)
{
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < self->m; i++)
            self->values[(row + r) * self->m + i] = block[r * width + self->wanted[i]];
}

/* A row outside of the support need not have any: it takes no part, and is 0 here. */
static int derive(rows *self, derived *from, flow_pool *pool, flow_err *err)
{
    size_t width = derived_width(from);
    double *block = malloc(BLOCK * width * sizeof *block);
    int code = block ? 0 : flow_fail(err, FLOW_ENOMEM, "out of memory for quantities");
    for (size_t row = 0; row < self->n && !code;) {
        size_t n = alike(self, row, true);
        code = derived_rows(from, pool, block, self->x + row * self->dim, n, row, err);
        if (!code)
            keep(self, block, width, row, n);
        row += n;
        n = alike(self, row, false);
        memset(self->values + row * self->m, 0, n * self->m * sizeof *self->values);
        row += n;
    }
    free(block);
    return code ? code : derived_end(from, err);
}

/* ---- one of them */

/* Of rows in which it is not finite: their share of the weight. */
static double share_without(const rows *self, size_t i)
{
    double share = 0;
    for (size_t r = 0; r < self->n; r++)
        share += isfinite(self->values[r * self->m + i]) ? 0 : self->weight[r];
    return share;
}

/* Of the other rows. */
static int summarise_rest(student_summary *out, const rows *self, size_t i, double share,
                          flow_err *err)
{
    double *x = malloc(2 * self->n * sizeof *x), *weight = x + self->n;
    if (!x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu samples", self->n);
    for (size_t r = 0; r < self->n; r++) {
        double value = self->values[r * self->m + i];
        x[r] = isfinite(value) ? value : 0;
        weight[r] = isfinite(value) ? self->weight[r] / (1 - share) : 0;
    }
    int code = student_summarise(out, x, 1, 0, weight, self->n, err);
    free(x);
    return code;
}

static bool all_finite(const rows *self, size_t i)
{
    size_t r = 0;
    while (r < self->n && isfinite(self->values[r * self->m + i]))
        r++;
    return r == self->n;
}

/* Rows where it is not finite take no part if they are few, as broken ones do everywhere. */
static int summarise(student_summary *out, const rows *self, const char *name, size_t i,
                     flow_err *err)
{
    if (all_finite(self, i))
        return student_summarise(out, self->values, self->m, i, self->weight, self->n, err);
    double share = share_without(self, i);
    if (share > BROKEN_SHARE)
        return flow_fail(err, FLOW_EDATA,
                         "'%s' is not finite at samples that have %.3g of the weight, more than "
                         "%g; --of chooses others",
                         name, share, BROKEN_SHARE);
    notice_warning("'%s' is of the samples where it is finite; the others have %.2g of the weight",
                   name, share);
    return summarise_rest(out, self, i, share, err);
}

/* What is asked of an angle is asked of its numbers. */
static void tell_circles(const rows *self, const flow_model *model, const derived *from)
{
    for (size_t j = 0; j < model->units->dim; j++) {
        const flow_unit *unit = &model->units->column[j];
        const char *name = json_string_value(json_array_get(model->names, j));
        if (unit->period > 0 && is_among(self, place_of(from, name, strlen(name))))
            notice_note(
                "'%s' is on a circle: mean, sd and quantiles are of its numbers from %.9g to %.9g",
                name, unit->start, unit->start + unit->period);
    }
}

/* ---- the answer */

static json_t *pair(student_estimate e)
{
    json_t *out = json_object();
    flow_json_set(&out, "value", flow_json_real(e.value));
    flow_json_set(&out, "se", flow_json_real(e.se));
    return out;
}

static json_t *as_json(const student_summary *s)
{
    json_t *out = json_object(), *quantiles = json_array();
    flow_json_set(&out, "mean", pair(s->mean));
    flow_json_set(&out, "sd", pair(s->sd));
    for (size_t k = 0; k < SUMMARY_QUANTILES; k++) {
        json_t *quantile = pair(s->quantile[k]);
        flow_json_set(&quantile, "level", flow_json_real(summary_levels[k]));
        flow_json_append(&quantiles, quantile);
    }
    flow_json_set(&out, "quantiles", quantiles);
    return out;
}

/* Of a cross section; null where it is too large, or too small, to be a number. */
static student_estimate integral(student_estimate log_z)
{
    double z = exp(log_z.value);
    return z > 0 ? (student_estimate){z, z * log_z.se} : (student_estimate){NAN, NAN};
}

static json_t *worth(const student_diagnostics *d)
{
    json_t *out = json_object();
    flow_json_set(&out, "rows", json_integer((json_int_t)d->n_reverse));
    flow_json_set(&out, "ess", flow_json_real(d->ess_reverse.value));
    flow_json_set(&out, "khat", flow_json_real(d->psis.khat));
    flow_json_set(&out, "log_z", pair(d->log_z));
    flow_json_set(&out, "z", pair(integral(d->log_z)));
    return out;
}

static void print_head(void)
{
    printf("%-16s %18s %18s", "", "mean", "sd");
    for (size_t k = 0; k < SUMMARY_QUANTILES; k++)
        printf(" %16.4g %%", 100 * summary_levels[k]);
    putchar('\n');
}

static void print_pair(student_estimate e, int width)
{
    char text[64];
    snprintf(text, sizeof text, "%.5g +- %.1g", e.value, e.se);
    printf(" %*s", width, text);
}

static void print_line(const char *name, const student_summary *s)
{
    printf("%-16s", name);
    print_pair(s->mean, 18);
    print_pair(s->sd, 18);
    for (size_t k = 0; k < SUMMARY_QUANTILES; k++)
        print_pair(s->quantile[k], 18);
    putchar('\n');
}

static int answer(const rows *r, const derived *from, const estimate_options *o, flow_err *err)
{
    json_t *all = json_object(), *columns = json_object();
    int code = 0;
    if (!o->json)
        print_head();
    for (size_t i = 0; i < r->m && !code; i++) {
        const char *name = derived_names(from)[r->wanted[i]];
        student_summary s;
        code = summarise(&s, r, name, i, err);
        if (!code && o->json)
            flow_json_set(&columns, name, as_json(&s));
        else if (!code)
            print_line(name, &s);
    }
    flow_json_set(&all, "weights", worth(&r->worth));
    flow_json_set(&all, "columns", columns);
    if (!code && o->json)
        code = json_print(all, err);
    json_decref(all);
    return code;
}

/* ---- */

static int weigh(rows *r, weighing *w, const estimate_options *o, const file_table *context,
                 flow_err *err)
{
    const pcg_stream stream = {.seed = o->seed, .stage = STREAM_EXPORT, .purpose = PCG_BASE};
    int code = weighing_open(w, context ? context->values : NULL, context ? context->rows : 0, err);
    code = code ? code : weighing_rows(w, r->log_w, r->x, stream, 0, r->n, err);
    code = code ? code : weighing_tell(&r->worth, r->log_w, r->n, "samples", err);
    weighing_close(w);
    if (!code)
        weigh_normalise(r->weight, r->log_w, r->n);
    return code;
}

/* With code of others, if the target has any. */
static int gather(rows *r, deriving *with, const opened *what, const estimate_options *o,
                  const file_table *context, flow_err *err)
{
    deriving_options options = o->deriving;
    weighing w = {.model = what->model, .pool = what->pool, .temperature = 1};
    options.names = o->of;
    foreign_begin();
    int code = deriving_open(with, what->model, what->path, o->target, true, &options, err);
    w.against = with->against;
    code = code ? code : choose(r, with->derived, o->of, err);
    code = code ? code : opened_be_precise(what, err);
    code = code ? code : take(r, err);
    code = code ? code : weigh(r, &w, o, context, err);
    code = code ? code : derive(r, with->derived, what->pool, err);
    foreign_end();
    return code;
}

static int estimate(const opened *what, const void *options, flow_err *err)
{
    const estimate_options *o = options;
    rows r = {.n = (size_t)o->n, .dim = flow_dim(what->model->flow)};
    deriving with = {.against = NULL};
    file_table *context = NULL;
    int code = context_load(&context, what->model, what->path, &o->context, 1, err);
    code = code ? code : gather(&r, &with, what, o, context, err);
    if (!code)
        tell_circles(&r, what->model, with.derived);
    code = code ? code : answer(&r, with.derived, o, err);
    deriving_close(&with);
    file_table_free(context);
    free(r.wanted);
    free(r.x);
    return code;
}

int estimate_verb(const estimate_options *options)
{
    return with_model(options->model, "student", options->network, options->threads, options,
                      estimate);
}
