/* pipeline/report/warnings.c -- what a reader should know even if all gates hold. */
#include "flow/json.h"
#include "pipeline/report/verdict_parts.h"

#include <math.h>
#include <stdio.h>

enum { LINE = 700, WHERE = 200 };

/* ---- figures beyond their limits */

static bool has_gate(const config_gates *require, gate_figure which)
{
    for (size_t i = 0; i < require->n; i++)
        if (require->at[i].figure == which)
            return true;
    return false;
}

bool verdict_beyond(const verdict_input *in, const judged *figures, gate_figure which)
{
    return !has_gate(in->require, which) && !judge_within(figures, which);
}

/* Whether another figure's warning says the same and more. */
static bool is_said(const verdict_input *in, const judged *figures, gate_figure which)
{
    const gate_info *by = gate_figures[which].said_by;
    for (; by; by = by->said_by)
        if (verdict_beyond(in, figures, (gate_figure)(by - gate_figures)))
            return true;
    return false;
}

static void of_column(char *out, const verdict_input *in, const student_excess *e)
{
    if (e->other == e->column)
        snprintf(out, WHERE, " (column %.80s)", in->names[e->column]);
    else
        snprintf(out, WHERE, " (columns %.80s and %.80s)", in->names[e->column],
                 in->names[e->other]);
}

static void of_share(char *out, const verdict_input *in, const student_share *s)
{
    const student_column *c = &in->student->against_data.columns[s->column];
    size_t j = s->column;
    snprintf(out, WHERE, " (column %.60s: %.4g to %.4g, the data %.4g to %.4g)", in->names[j],
             c->lo, c->hi, c->data_lo, c->data_hi);
}

static void of_rows(char *out, const verdict_input *in, size_t k)
{
    const student_validation *v = in->student;
    const student_uncovered_row *w = &v->uncovered.rows[0];
    int used = snprintf(out, WHERE, " (%zu of %zu samples of the teacher", v->weights.uncovered[k],
                        v->weights.n_forward);
    if (v->uncovered.n > 0)
        used += snprintf(out + used, WHERE - (size_t)used,
                         "; the worst by %.3g nats, with %.40s = %.4g, %.2g sd out", w->nats,
                         in->names[w->column], w->value, fabs(w->distance));
    snprintf(out + used, WHERE - (size_t)used, ")");
}

static void of_gap(char *out, const verdict_input *in)
{
    snprintf(out, WHERE, " (training %.4g, test %.4g nats a row)",
             in->student->against_data.train_log_likelihood, in->test_inside.value);
}

/* Where a figure comes from, as far as it has a place; out (WHERE). */
static void tell_where(char *out, const verdict_input *in, gate_figure which)
{
    const student_validation *v = in->student;
    const student_against_data *t = &v->against_data;
    *out = '\0';
    switch (which) {
    case GATE_MEAN_ERROR:
        of_column(out, in, &v->moments.mean_excess);
        break;
    case GATE_SD_ERROR:
        of_column(out, in, &v->moments.sd_excess);
        break;
    case GATE_CORRELATION_ERROR:
        of_column(out, in, &v->moments.correlation_excess);
        break;
    case GATE_TAIL_FACTOR:
        verdict_where_tails(out, WHERE, &v->tails, "of the teacher's", in->names);
        break;
    case GATE_MODE_SHARE_ERROR:
        verdict_where_worst_mode(out, WHERE, v);
        break;
    case GATE_MISSED_MASS:
        verdict_where_missed(out, WHERE, &v->against_chain.hunt, in->names);
        break;
    case GATE_UNCOVERED_3:
        of_rows(out, in, 0);
        break;
    case GATE_UNCOVERED_5:
        of_rows(out, in, 1);
        break;
    case GATE_UNCOVERED_10:
        of_rows(out, in, 2);
        break;
    case GATE_TEACHER_MEAN_ERROR:
        of_column(out, in, &t->moments.mean_excess);
        break;
    case GATE_TEACHER_SD_ERROR:
        of_column(out, in, &t->moments.sd_excess);
        break;
    case GATE_TEACHER_CORRELATION_ERROR:
        of_column(out, in, &t->moments.correlation_excess);
        break;
    case GATE_TEACHER_TAIL_FACTOR:
        verdict_where_tails(out, WHERE, &t->tails, "rows of the data", in->names);
        break;
    case GATE_TEACHER_OUTSIDE:
        of_share(out, in, &t->outside);
        break;
    case GATE_TEACHER_MISSED:
        of_share(out, in, &t->missed);
        break;
    case GATE_TEACHER_LIKELIHOOD_GAP:
        of_gap(out, in);
        break;
    default:
        break;
    }
}

static void warn_of_figures(json_t **list, const verdict_input *in, const judged *figures)
{
    for (int i = 0; i < GATE_COUNT; i++) {
        const gate_info *info = &gate_figures[i];
        char where[WHERE], line[LINE];
        if (!verdict_beyond(in, figures, (gate_figure)i) || is_said(in, figures, (gate_figure)i))
            continue;
        tell_where(where, in, (gate_figure)i);
        snprintf(line, sizeof line, "%s is %.3g, beyond %.3g%s: %s; %s", info->name,
                 figures->value[i], figures->limit[i], where, info->beyond, info->next);
        flow_json_append(list, json_string(line));
    }
}

/* ---- what has no figure */

static void warn_if(json_t **list, bool here, const char *text)
{
    if (here)
        flow_json_append(list, json_string(text));
}

static void warn_if_broken(json_t **list, const broken_rows *rows, const char *where)
{
    char text[BROKEN_TEXT], line[BROKEN_TEXT + 120];
    if (rows->count == 0)
        return;
    snprintf(line, sizeof line,
             "the target broke at %zu rows of %s, which were left out; the first: %s",
             (size_t)rows->count, where, broken_text(text, rows));
    flow_json_append(list, json_string(line));
}

json_t *verdict_warnings(const verdict_input *in, const judged *figures)
{
    const student_diagnostics *d = &in->student->weights;
    json_t *list = json_array();
    warn_of_figures(&list, in, figures);
    verdict_warn_of_chance(&list, in);
    verdict_warn_of_network(&list, in, figures);
    warn_if(&list, in->student->n_modes && in->student->modes_summary.empty > 0,
            "a known mode has no sample of the student");
    warn_if(&list, in->training->went_back,
            "training the student as a whole made it no better: it is as it was before");
    warn_if(&list, in->training->skipped > 0,
            "steps were skipped because their gradient was not finite");
    warn_if(&list, d->zero_reverse > 0 || d->zero_forward > 0,
            "some samples have no density under the other side");
    warn_if_broken(&list, &in->training->broken, "the training");
    warn_if_broken(&list, &in->student->broken, "the student's samples");
    warn_if_broken(&list, &in->student->teacher_broken, "the target's samples");
    return list;
}
