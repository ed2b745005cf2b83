#include "pipeline/report/report.h"

#include "flow/json.h"
#include "pipeline/console/json_read.h"
#include "pipeline/report/numbers.h"
#include "pipeline/report/picture_pairs.h"
#include "pipeline/report/sections.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is read */

static int read_files(report_view *v, flow_err *err)
{
    const report_input *in = v->in;
    v->verdict = json_read_file(in->verdict, err);
    if (v->verdict)
        v->student_metrics = json_read_lines(in->student_metrics, false, err);
    if (v->student_metrics && in->teacher_metrics)
        v->teacher_metrics = json_read_lines(in->teacher_metrics, false, err);
    return v->student_metrics && (v->teacher_metrics || !in->teacher_metrics) ? FLOW_OK : err->code;
}

/* The target's own log Z; else what the weights say. */
static double log_z_of(const report_view *v)
{
    double own = v->in->rows.exact->log_z;
    return isnan(own) ? number_at(v->verdict, "log_z.value") : own;
}

static int open_rows(report_view *v, flow_err *err)
{
    bank_source from = v->in->rows;
    from.samples = (size_t)v->in->config->validate.samples;
    from.log_z = log_z_of(v);
    from.worth = number_at(v->verdict, "chain.effective");
    if (json_is_object(json_object_get(v->verdict, "chain")) && !from.exact->ops->sample)
        from.chain = v->in->chain;
    return bank_open(&v->rows, &from, err);
}

/* ---- pairs */

/* Where the student misses its teacher most is worth a look, too. */
static void add_worst(report_view *v)
{
    const json_t *worst = json_array_get(flow_json_below(v->verdict, "uncovered.worst"), 0);
    size_t column = 0;
    while (column < v->rows.dim && strcmp(v->rows.names[column], text_at(worst, "column")) != 0)
        column++;
    for (size_t i = 0; i < v->n_pairs; i++)
        if (v->pairs[i].across == column || v->pairs[i].up == column)
            return;
    if (column < v->rows.dim && v->n_pairs > 0)
        v->pairs[v->n_pairs++] = (picture_pair){v->pairs[0].across, column};
}

/* Those named; else those that hang together most. */
static int choose_pairs(report_view *v, flow_err *err)
{
    const bank *b = &v->rows;
    bank_side sides[BANK_SIDES];
    bank_sides(sides, b);
    const bank_side *side = sides;
    while (side->rows->weight) /* the student, at the end, has none */
        side++;
    const bank_rows *first = side->rows;
    const flow_names *asked = &v->in->config->report.pairs;
    if (asked->n > 0)
        return picture_pairs_of(v->pairs, &v->n_pairs, asked->at, asked->n, b->names, b->dim, err);
    int code = picture_choose_pairs(v->pairs, &v->n_pairs, first->x, first->n, b->dim, err);
    if (!code && b->dim > 1)
        add_worst(v);
    return code;
}

/* ---- the page */

static void all_sections(html *page, const report_view *v)
{
    section_verdict(page, v);
    section_training(page, v);
    section_columns(page, v);
    section_pairs(page, v);
    section_weights(page, v);
    section_missed(page, v);
    section_numbers(page, v);
    section_speed(page, v);
    section_setup(page, v);
}

static int write_page(const report_view *v, flow_err *err)
{
    html page;
    html_open(&page, v->in->figures);
    all_sections(&page, v);
    int code = html_write(&page, v->in->page, v->in->config->name, err);
    html_close(&page);
    return code;
}

void section_png(html *page, const plot_drawing *drawing, const char *path)
{
    if (!page->err.code)
        plot_write(path, drawing, PLOT_PNG, &page->err);
}

int report_write(const report_input *in, flow_err *err)
{
    report_view v = {.in = in};
    int code = read_files(&v, err);
    if (!code)
        code = open_rows(&v, err);
    if (!code)
        code = choose_pairs(&v, err);
    if (!code)
        code = write_page(&v, err);
    bank_release(&v.rows);
    json_decref(v.verdict);
    json_decref(v.teacher_metrics);
    json_decref(v.student_metrics);
    return code;
}
