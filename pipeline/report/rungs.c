#include "pipeline/report/rungs.h"

#include "flow/json.h"

#include <math.h>
#include <stdio.h>

const char *rungs_name(char *out, const flow_unrolling *how)
{
    if (how->width < 1)
        snprintf(out, RUNGS_NAME, "t%zu_w%.6g", how->iterations, how->width);
    else
        snprintf(out, RUNGS_NAME, "t%zu", how->iterations);
    return out;
}

const char *rungs_size(char *out, const flow_unrolling *how)
{
    int used = snprintf(out, RUNGS_NAME, "T = %zu", how->iterations);
    if (how->width < 1)
        snprintf(out + used, RUNGS_NAME - (size_t)used, ", width %.3g", how->width);
    return out;
}

double rungs_shown(double kl)
{
    return fabs(kl) < 5e-5 ? 0 : kl;
}

/* ---- json */

static json_t *training_json(const student_rung *r)
{
    const student_layers_state *l = &r->layers;
    const distill_state *t = &r->training;
    return json_pack("{s:{s:I, s:I, s:o, s:o, s:b}, s:{s:I, s:I, s:o, s:b}}", "layerwise",
                     "trained", (json_int_t)l->trained, "better", (json_int_t)l->better,
                     "kl_before", flow_json_real(l->kl_before), "kl_after",
                     flow_json_real(l->kl_after), "went_back", (int)l->went_back, "whole", "steps",
                     (json_int_t)t->step, "best_step", (json_int_t)t->best_step, "kl",
                     flow_json_real(t->kl_best), "went_back", (int)t->went_back);
}

static json_t *rung_json(const student_rung *r, bool taken)
{
    const student_diagnostics *w = &r->weights;
    return json_pack(
        "{s:I, s:o, s:b, s:b, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "iterations",
        (json_int_t)r->how.iterations, "width", flow_json_real(r->how.width), "trained",
        (int)r->trained, "layerwise", (int)r->layerwise, "training",
        r->trained ? training_json(r) : json_null(), "taken", (int)taken, "wild", (int)r->wild,
        "kl_reverse", flow_json_real(w->kl_reverse.value), "kl_forward",
        flow_json_real(w->kl_forward.value), "ess_reverse", flow_json_real(w->ess_reverse.value),
        "ess_forward", flow_json_real(w->ess_forward.value), "khat", flow_json_real(w->psis.khat),
        "rows_per_s", flow_json_real(r->rows_per_s), "row_seconds", flow_json_real(r->row_seconds));
}

json_t *rungs_json(const rungs_report *self)
{
    json_t *list = json_array();
    for (size_t k = 0; k < self->rungs.n; k++)
        flow_json_append(&list, rung_json(&self->rungs.at[k], k == self->rungs.taken));
    return json_pack("{s:o, s:{s:o, s:o}}", "students", list, "teacher", "rows_per_s",
                     flow_json_real(self->teacher_rows_per_s), "row_seconds",
                     flow_json_real(self->teacher_row_seconds));
}

/* ---- the table */

static void print_figures(const student_rung *r)
{
    const student_diagnostics *w = &r->weights;
    if (r->wild)
        fprintf(stderr, "%-33s", "wild: not finite");
    else
        fprintf(stderr, "%8.4f %8.4f  %6.3f %6.3f  ", rungs_shown(w->kl_reverse.value),
                rungs_shown(w->kl_forward.value), w->ess_reverse.value, w->ess_forward.value);
}

static void print_rung(const student_rung *r, bool taken)
{
    char size[RUNGS_NAME];
    fprintf(stderr, "%c %-17s %-10s", taken ? '*' : ' ', rungs_size(size, &r->how),
            r->layerwise ? "layerwise"
            : r->trained ? "trained"
                         : "untrained");
    print_figures(r);
    fprintf(stderr, "%8.3g %6.1f us\n", r->rows_per_s, 1e6 * r->row_seconds);
}

void rungs_print(const rungs_report *self)
{
    fprintf(stderr, "  %-28s%8s %8s  %6s %6s  %8s %9s\n", "ladder, timed in training", "KL r",
            "KL f", "ESS r", "ESS f", "rows/s", "one row");
    for (size_t k = 0; k < self->rungs.n; k++)
        print_rung(&self->rungs.at[k], k == self->rungs.taken);
    fprintf(stderr, "  %-61s%8.3g %6.1f us\n", "the teacher itself, one coordinate after the other",
            self->teacher_rows_per_s, 1e6 * self->teacher_row_seconds);
}
