#include "pipeline/report/bank.h"

#include "files/npy.h"
#include "student/sides.h"
#include "teacher/streams.h"
#include "teacher/thin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What samples are made with. */
typedef struct making {
    const bank_source *from;
    size_t n, n_context;
    double *context; /* (n, n_context) in the user's units */
} making;

static int reserve(bank_rows *out, size_t n, size_t dim, flow_err *err)
{
    *out = (bank_rows){.x = malloc((n * dim + 1) * sizeof *out->x), .n = n};
    return out->x ? FLOW_OK : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu rows", n);
}

void bank_release(bank *self)
{
    bank_rows *all[] = {&self->data,  &self->teacher, &self->student,
                        &self->chain, &self->weighed, &self->missed};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        free(all[i]->x);
        free(all[i]->weight);
    }
    free(self->own.at);
    free(self->theirs.at);
    *self = (bank){0};
}

/* Chains and weighed samples stand in for a target that cannot be sampled, and there are no data then. */
size_t bank_sides(bank_side out[BANK_SIDES], const bank *self)
{
    const bank_side all[] = {{"data", &self->data, PLOT_DATA, 0},
                             {self->data.x ? "teacher" : "target", &self->teacher, PLOT_TEACHER, 0},
                             {"chains", &self->chain, PLOT_TEACHER, 0},
                             {"student by p/q", &self->weighed, PLOT_THIRD, 0},
                             {"student", &self->student, PLOT_STUDENT, 3.5}};
    size_t n = 0;
    for (size_t k = 0; k < sizeof all / sizeof *all && n < BANK_SIDES; k++)
        if (all[k].rows->x)
            out[n++] = all[k];
    return n;
}

/* ---- samples */

static int sample(bank_rows *out, const flow_model *model, const making *m, uint32_t purpose,
                  flow_err *err)
{
    pcg_stream stream = {.seed = m->from->seed, .stage = STREAM_EXPORT, .purpose = purpose};
    int code = reserve(out, m->n, flow_dim(model->flow), err);
    return code ? code
                : flow_model_sample(model, m->from->pool, out->x, NULL,
                                    m->n_context ? m->context : NULL, stream, 0, m->n, err);
}

/* n of `total` rows, spread over them. */
static void gather(double *out, const flow_units *units, const data_numbers *rows, size_t total,
                   size_t n)
{
    for (size_t i = 0; i < n; i++)
        data_numbers_copy(out + i * rows->width, rows, i * total / n, 1);
    flow_units_to_user(units, out, NULL, out, n);
}

static int with_rows(bank *out, making *m, const data_part *rows, flow_err *err)
{
    const data_set *data = m->from->data;
    m->n = rows->n < BANK_ROWS ? rows->n : BANK_ROWS;
    m->n_context = data->n_context;
    m->context = malloc((m->n * m->n_context + 1) * sizeof *m->context);
    if (!m->context)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu contexts", m->n);
    if (reserve(&out->data, m->n, out->dim, err))
        return err->code;
    gather(out->data.x, data->units, &rows->x, rows->n, m->n);
    if (m->n_context)
        gather(m->context, data->context_units, &rows->context, rows->n, m->n);
    return sample(&out->teacher, m->from->teacher, m, PCG_TARGET, err);
}

static int of_data(bank *out, making *m, flow_err *err)
{
    data_part all = data_set_all(m->from->data), rows;
    pcg_stream stream = {.seed = m->from->seed, .stage = STREAM_EXPORT, .purpose = PCG_THIN};
    if (data_thin(&rows, &all, stream, err))
        return err->code;
    int code = with_rows(out, m, &rows, err);
    data_thin_release(&rows);
    return code;
}

/* Rows of the target, which has the contexts in the units of its flow. */
static int sample_target(bank *out, const making *m, flow_err *err)
{
    const target *t = m->from->exact;
    pcg_stream stream = {.seed = m->from->seed, .stage = STREAM_EXPORT, .purpose = PCG_TARGET};
    if (!t->ops->sample)
        return FLOW_OK;
    double *log_p = malloc((m->n + 1) * sizeof *log_p);
    int code = log_p ? reserve(&out->teacher, m->n, out->dim, err)
                     : flow_fail(err, FLOW_ENOMEM, "out of memory for %zu densities", m->n);
    if (!code)
        code = target_sample(t, m->from->pool, out->teacher.x, log_p, NULL, m->context, stream, 0,
                             m->n, err);
    if (!code)
        flow_units_to_user(out->units, out->teacher.x, NULL, out->teacher.x, m->n);
    free(log_p);
    return code;
}

static int of_target(bank *out, making *m, flow_err *err)
{
    const distill_contexts *c = m->from->contexts;
    m->n = BANK_ROWS;
    m->n_context = m->from->exact->context;
    m->context = malloc((m->n * m->n_context + 1) * sizeof *m->context);
    if (!m->context)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu contexts", m->n);
    for (size_t i = 0; m->n_context && i < m->n; i++)
        data_numbers_copy(m->context + i * m->n_context, &c->rows, i % c->n, 1);
    int code = sample_target(out, m, err);
    if (!code && m->n_context)
        flow_units_to_user(m->from->student->context_units, m->context, NULL, m->context, m->n);
    return code;
}

static int samples(bank *out, const bank_source *from, flow_err *err)
{
    making m = {.from = from};
    int code = from->data ? of_data(out, &m, err) : of_target(out, &m, err);
    if (!code)
        code = sample(&out->student, from->student, &m, PCG_BASE, err);
    free(m.context);
    return code;
}

/* ---- weights */

/* Without rows where the target broke. */
static int take_excess(bank_excess *out, const student_side *side, double log_z, flow_err *err)
{
    out->at = malloc((side->n_w + 1) * sizeof *out->at);
    if (!out->at)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu weights", side->n_w);
    out->n = side->n_w;
    for (size_t r = 0; r < side->n_w; r++)
        out->at[r] = side->log_w[r] - log_z;
    return FLOW_OK;
}

static double excess_of(const student_side *side, size_t r, double log_z)
{
    return side->status[r] == TARGET_BROKEN ? NAN : side->log_p[r] - side->log_q[r] - log_z;
}

static int take_missed(bank *out, const student_side *theirs, double log_z, flow_err *err)
{
    bank_rows *to = &out->missed;
    if (reserve(to, theirs->n, out->dim, err))
        return err->code;
    to->n = 0;
    for (size_t r = 0; r < theirs->n; r++)
        if (excess_of(theirs, r, log_z) > student_uncovered_nats[0])
            flow_units_to_user(out->units, to->x + to->n++ * out->dim, NULL,
                               theirs->x + r * out->dim, 1);
    return FLOW_OK;
}

/* The largest weight is 1 at first: exponents are what they may be. */
static void weigh(bank_rows *to, const student_side *own)
{
    double most = -INFINITY, sum = 0;
    for (size_t r = 0; r < own->n; r++)
        most = fmax(most, excess_of(own, r, 0));
    for (size_t r = 0; r < own->n; r++) {
        double excess = excess_of(own, r, most);
        to->weight[r] = isnan(excess) ? 0 : exp(excess);
        sum += to->weight[r];
    }
    for (size_t r = 0; r < own->n; r++)
        to->weight[r] *= (double)own->n / sum;
}

static int take_weighed(bank *out, const student_side *own, flow_err *err)
{
    bank_rows *to = &out->weighed;
    if (reserve(to, own->n, out->dim, err))
        return err->code;
    to->weight = malloc((own->n + 1) * sizeof *to->weight);
    if (!to->weight)
        return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu weights", own->n);
    flow_units_to_user(out->units, to->x, NULL, own->x, own->n);
    weigh(to, own);
    return FLOW_OK;
}

static int take_sides(bank *out, const student_sides *sides, double log_z, flow_err *err)
{
    int code = take_excess(&out->own, &sides->own, log_z, err);
    if (!code && sides->theirs.n > 0)
        code = take_excess(&out->theirs, &sides->theirs, log_z, err);
    if (!code && sides->theirs.n > 0)
        code = take_missed(out, &sides->theirs, log_z, err);
    if (!code && !out->data.x && !out->teacher.x)
        code = take_weighed(out, &sides->own, err);
    return code;
}

static int weights(bank *out, const bank_source *from, flow_err *err)
{
    student_sides sides;
    size_t most = from->exact_is_flow ? BANK_WEIGHTS : BANK_ASKED;
    int code = student_sides_init(&sides, from->exact, from->pool, from->contexts,
                                  from->samples < most ? from->samples : most, from->seed, err);
    if (!code)
        code = student_sides_meet(&sides, from->student->flow, err);
    if (!code)
        code = take_sides(out, &sides, isnan(from->log_z) ? 0 : from->log_z, err);
    student_sides_release(&sides);
    return code;
}

/* ---- chains */

static int take_chain(bank_rows *out, const bank_source *from, size_t dim, flow_err *err)
{
    const file_wish all = {.head = false};
    file_table *read = file_npy_read(from->chain, &all, err);
    if (!read)
        return err->code;
    int code = read->cols == dim ? reserve(out, read->rows, dim, err)
                                 : flow_fail(err, FLOW_EDATA, "%s: %zu columns, not %zu",
                                             from->chain, read->cols, dim);
    if (!code)
        memcpy(out->x, read->values, read->rows * dim * sizeof *out->x);
    out->worth = fmin(from->worth, (double)read->rows);
    file_table_free(read);
    return code;
}

int bank_open(bank *out, const bank_source *from, flow_err *err)
{
    *out = (bank){
        .dim = flow_dim(from->student->flow), .names = from->names, .units = from->student->units};
    int code = samples(out, from, err);
    if (!code)
        code = weights(out, from, err);
    return code || !from->chain ? code : take_chain(&out->chain, from, out->dim, err);
}
