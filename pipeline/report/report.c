#include "pipeline/report/report.h"

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
    v->verdict = json_file(in->verdict, err);
    if (v->verdict)
        v->student_metrics = json_lines(in->student_metrics, err);
    if (v->student_metrics && in->teacher_metrics)
        v->teacher_metrics = json_lines(in->teacher_metrics, err);
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
    return bank_open(&v->rows, &from, err);
}

/* ---- pairs */

static int find_column(size_t *out, const bank *rows, const char *name, flow_err *err)
{
    char *end;
    for (*out = 0; *out < rows->dim; (*out)++)
        if (strcmp(rows->names[*out], name) == 0)
            return FLOW_OK;
    unsigned long number = strtoul(name, &end, 10);
    if (!*end && end > name && number < rows->dim) {
        *out = number;
        return FLOW_OK;
    }
    return flow_fail(err, FLOW_ECONFIG, "report.pairs: there is no column '%s'", name);
}

static int pairs_given(report_view *v, const flow_names *given, flow_err *err)
{
    size_t column[CONFIG_PAIRS];
    for (size_t i = 0; i < given->n; i++)
        if (find_column(&column[i], &v->rows, given->at[i], err))
            return err->code;
    for (size_t i = 0; i < given->n; i++)
        for (size_t j = i + 1; j < given->n; j++)
            v->pairs[v->n_pairs++] = (picture_pair){column[i], column[j]};
    return FLOW_OK;
}

/* Those named; else those that hang together most. */
static int choose_pairs(report_view *v, flow_err *err)
{
    const bank *b = &v->rows;
    const bank_rows *first = b->data.x ? &b->data : b->teacher.x ? &b->teacher : &b->student;
    if (v->in->config->report.pairs.n > 0)
        return pairs_given(v, &v->in->config->report.pairs, err);
    return picture_choose_pairs(v->pairs, &v->n_pairs, first->x, first->n, b->dim, err);
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
