/* pipeline/report/verdict_chain.c -- the student against long chains, in validation.json. */
#include "flow/json.h"
#include "pipeline/report/verdict_parts.h"

static json_t *list_of(const double *x, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        flow_json_append(&out, flow_json_real(x[i]));
    return out;
}

static json_t *uncovered(const student_against_chain *c)
{
    json_t *above = json_array();
    for (size_t k = 0; k < STUDENT_UNCOVERED; k++)
        flow_json_append(
            &above, json_pack("{s:o, s:I, s:o}", "nats", flow_json_real(student_uncovered_nats[k]),
                              "count", (json_int_t)c->uncovered[k], "share",
                              flow_json_real((double)c->uncovered[k] / (double)c->rows)));
    return json_pack("{s:o, s:o}", "above", above, "worst", flow_json_real(c->worst));
}

static json_t *bins(const student_against_chain *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "lo", flow_json_real(c->lo), "hi",
                     flow_json_real(c->hi), "student",
                     list_of(c->bins[STUDENT_ENERGY_OWN], ENERGY_BINS), "weighed",
                     list_of(c->bins[STUDENT_ENERGY_WEIGHED], ENERGY_BINS), "chain",
                     list_of(c->bins[STUDENT_ENERGY_CHAIN], ENERGY_BINS));
}

static json_t *quantiles(const student_against_chain *c)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "shares", list_of(energy_shares, ENERGY_QUANTILES),
                     "student", list_of(c->quantiles[STUDENT_ENERGY_OWN], ENERGY_QUANTILES),
                     "weighed", list_of(c->quantiles[STUDENT_ENERGY_WEIGHED], ENERGY_QUANTILES),
                     "chain", list_of(c->quantiles[STUDENT_ENERGY_CHAIN], ENERGY_QUANTILES));
}

static json_t *energies_json(const student_against_chain *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "apart", flow_json_real(c->apart),
                     "weighed_apart", flow_json_real(c->weighed_apart), "chance",
                     flow_json_real(c->chance), "error", flow_json_real(judge_energies(c)),
                     "quantiles", quantiles(c), "bins", bins(c));
}

json_t *verdict_chain(const student_against_chain *c, const char *const *names)
{
    if (c->rows == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:o, s:o, s:{s:s, s:o}, s:o, s:o, s:o, s:o, s:o}", "rows",
                     (json_int_t)c->rows, "chains", (json_int_t)c->chains, "evaluations",
                     (json_int_t)c->evaluations, "acceptance", flow_json_real(c->acceptance),
                     "rhat", flow_json_real(c->rhat), "rhat_column", "column", names[c->column],
                     "value", flow_json_real(c->rhat_column), "effective",
                     flow_json_real(c->effective), "eubo", verdict_estimate(c->eubo), "kl_forward",
                     flow_json_real(c->kl_forward), "uncovered", uncovered(c), "energies",
                     energies_json(c));
}
