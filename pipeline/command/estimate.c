#include "pipeline/command/estimate.h"

#include "flow/json.h"
#include "pipeline/command/weighing.h"
#include "pipeline/command/with_model.h"
#include "pipeline/console/notice.h"
#include "student/summary.h"
#include "student/weigh.h"
#include "teacher/streams.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the model with their weights. */
typedef struct rows {
    size_t n, dim;
    double *x, *log_w, *weight; /* (n, D), (n), (n): sum 1 */
    student_diagnostics worth;
} rows;

static int take(rows *self, flow_err *err)
{
    self->x = self->n < SIZE_MAX / (self->dim + 2) / sizeof *self->x
                  ? malloc(self->n * (self->dim + 2) * sizeof *self->x)
                  : NULL;
    if (!self->x)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu samples", self->n);
    self->log_w = self->x + self->n * self->dim;
    self->weight = self->log_w + self->n;
    return 0;
}

/* ---- which columns */

/* The column of that name; D: there is none. */
static size_t column_of(const flow_model *model, const char *name, size_t length)
{
    size_t j = 0, dim = flow_dim(model->flow);
    for (; j < dim; j++) {
        const char *own = json_string_value(json_array_get(model->names, j));
        if (strlen(own) == length && strncmp(own, name, length) == 0)
            break;
    }
    return j;
}

/* wanted (D), from the names between the commas; NULL: all. */
static int choose(bool *wanted, const flow_model *model, const char *of, flow_err *err)
{
    size_t dim = flow_dim(model->flow);
    for (size_t j = 0; j < dim; j++)
        wanted[j] = !of;
    for (const char *at = of; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        size_t length = strcspn(at, ","), j = column_of(model, at, length);
        if (j == dim)
            return flow_fail(err, FLOW_EUSAGE, "--of: there is no column '%.*s'; the first is '%s'",
                             (int)(length < 80 ? length : 80), at,
                             json_string_value(json_array_get(model->names, 0)));
        wanted[j] = true;
    }
    return 0;
}

/* What is asked of an angle is asked of its numbers. */
static void tell_circles(const flow_model *model, const bool *wanted)
{
    for (size_t j = 0; j < model->units->dim; j++) {
        const flow_unit *unit = &model->units->column[j];
        if (wanted[j] && unit->period > 0)
            notice_note(
                "'%s' is on a circle: mean, sd and quantiles are of its numbers from %.9g to %.9g",
                json_string_value(json_array_get(model->names, j)), unit->start,
                unit->start + unit->period);
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

static json_t *worth(const student_diagnostics *d)
{
    json_t *out = json_object();
    flow_json_set(&out, "rows", json_integer((json_int_t)d->n_reverse));
    flow_json_set(&out, "ess", flow_json_real(d->ess_reverse.value));
    flow_json_set(&out, "khat", flow_json_real(d->psis.khat));
    flow_json_set(&out, "log_z", pair(d->log_z));
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

static int print_json(json_t *all)
{
    int bad = json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    putchar('\n');
    return bad;
}

static int answer(const rows *r, const flow_model *model, const estimate_options *o,
                  const bool *wanted, flow_err *err)
{
    json_t *all = json_object(), *columns = json_object();
    int code = 0;
    if (!o->json)
        print_head();
    for (size_t j = 0; j < r->dim && !code; j++) {
        const char *name = json_string_value(json_array_get(model->names, j));
        student_summary s;
        if (!wanted[j])
            continue;
        code = student_summarise(&s, r->x, r->dim, j, r->weight, r->n, err);
        if (!code && o->json)
            flow_json_set(&columns, name, as_json(&s));
        else if (!code)
            print_line(name, &s);
    }
    flow_json_set(&all, "weights", worth(&r->worth));
    flow_json_set(&all, "columns", columns);
    if (!code && o->json && (!all || print_json(all)))
        code = flow_fail(err, FLOW_ENOMEM, "out of memory for JSON");
    json_decref(all);
    return code;
}

/* ---- */

static int weigh(rows *r, weighing *w, const estimate_options *o, const file_table *context,
                 flow_err *err)
{
    const pcg_stream stream = {.seed = o->seed, .stage = STREAM_EXPORT, .purpose = PCG_BASE};
    int code = weighing_open(w, o->target, o->model, context ? context->values : NULL,
                             context ? context->rows : 0, err);
    code = code ? code : weighing_rows(w, r->log_w, r->x, stream, 0, r->n, err);
    code = code ? code : weighing_tell(&r->worth, r->log_w, r->n, "samples", err);
    weighing_close(w);
    if (!code)
        weigh_normalise(r->weight, r->log_w, r->n);
    return code;
}

static int estimate(flow_model *model, flow_pool *pool, const void *options, flow_err *err)
{
    const estimate_options *o = options;
    rows r = {.n = (size_t)o->n, .dim = flow_dim(model->flow)};
    weighing w = {.model = model, .pool = pool, .temperature = 1};
    file_table *context = NULL;
    bool *wanted = calloc(r.dim, sizeof *wanted);
    int code = wanted ? choose(wanted, model, o->of, err)
                      : flow_fail(err, FLOW_ENOMEM, "out of memory for names of columns");
    code = code ? code : context_load(&context, model, o->model, &o->context, 1, err);
    code = code ? code : flow_model_convert(model, FLOW_F64, err);
    code = code ? code : take(&r, err);
    code = code ? code : weigh(&r, &w, o, context, err);
    if (!code)
        tell_circles(model, wanted);
    code = code ? code : answer(&r, model, o, wanted, err);
    file_table_free(context);
    free(wanted);
    free(r.x);
    return code;
}

int estimate_verb(const estimate_options *options)
{
    return with_model(options->model, options->threads, options, estimate);
}
