/* pipeline/report/verdict_teacher.c -- the figures of the teacher against its data in validation.json. */
#include "flow/json.h"
#include "pipeline/report/verdict_parts.h"

#include <math.h>

static json_t *likelihood(double mean, double se, size_t rows, const char *units)
{
    return json_pack("{s:o, s:o, s:I, s:s}", "value", flow_json_real(mean), "se",
                     flow_json_real(se), "rows", (json_int_t)rows, "units", units);
}

static json_t *test_likelihood(const verdict_input *in)
{
    json_t *out = likelihood(in->test.value, in->test.se, in->test_rows,
                             gate_figures[GATE_TEACHER_TEST_LOG_LIKELIHOOD].unit);
    flow_json_set(&out, "value_in_flow_units", flow_json_real(in->test_inside.value));
    return out;
}

static json_t *range(double lo, double hi)
{
    return json_pack("[o, o]", flow_json_real(lo), flow_json_real(hi));
}

static json_t *both(double teacher, double data)
{
    return json_pack("{s:o, s:o}", "teacher", flow_json_real(teacher), "data",
                     flow_json_real(data));
}

static json_t *column(const verdict_input *in, size_t j)
{
    const student_column *c = &in->student->against_data.columns[j];
    json_t *ranges = json_pack("{s:o, s:o}", "teacher", range(c->lo, c->hi), "data",
                               range(c->data_lo, c->data_hi));
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "name", in->names[j], "mean",
                     both(c->mean, c->data_mean), "sd", both(c->sd, c->data_sd), "range", ranges,
                     "outside", flow_json_real(c->outside), "missed", flow_json_real(c->missed));
}

static json_t *columns(const verdict_input *in)
{
    json_t *list = json_array();
    for (size_t j = 0; j < in->student->against_data.dim; j++)
        flow_json_append(&list, column(in, j));
    return list;
}

static json_t *share(const verdict_input *in, const student_share *s)
{
    if (isnan(s->value))
        return json_null();
    return json_pack("{s:s, s:o}", "column", in->names[s->column], "value",
                     flow_json_real(s->value));
}

/* Live weights; null where the network is none of ours. */
static json_t *weights_of(const flow *f)
{
    return f ? json_integer((json_int_t)flow_n_weights(f)) : json_null();
}

json_t *verdict_teacher(const verdict_input *in)
{
    const student_against_data *a = &in->student->against_data;
    json_t *out = json_object();
    flow_json_set(&out, "test_log_likelihood", test_likelihood(in));
    flow_json_set(&out, "train_log_likelihood",
                  likelihood(a->train_log_likelihood, a->train_se, a->train_rows,
                             "nats per row, in the units of the flow"));
    flow_json_set(&out, "likelihood_gap", flow_json_real(judge_gap(a, in->test_inside)));
    flow_json_set(&out, "repeated_rows", flow_json_real(a->repeated));
    flow_json_set(&out, "data_rows", json_integer((json_int_t)a->rows));
    flow_json_set(&out, "two_sample",
                  verdict_two_samples(&a->sliced_w2, &a->energy, "robust", "data"));
    flow_json_set(&out, "moments", verdict_moments(&a->moments, "teacher", "data", in->names));
    flow_json_set(&out, "tails", verdict_tails(&a->tails, "teacher", "data", in->names));
    flow_json_set(&out, "outside", share(in, &a->outside));
    flow_json_set(&out, "missed", share(in, &a->missed));
    flow_json_set(&out, "columns", columns(in));
    flow_json_set(&out, "weights", weights_of(in->teacher_flow));
    return out;
}
