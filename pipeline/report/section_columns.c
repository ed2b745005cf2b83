/* pipeline/report/section_columns.c -- every column by itself, and chosen ones in pairs. */
#include "flow/sort.h"
#include "pipeline/report/figure_margin.h"
#include "pipeline/report/figure_pair.h"
#include "pipeline/report/sections.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME = 96, REPORT_COLUMNS = 64 /* in the page */ };

/* A name for files: letters and digits of ASCII, and '-' for all else. */
static void append_name(char *out, size_t size, const char *name)
{
    size_t n = 0;
    for (; *name && n + 1 < size; name++)
        out[n++] = isalnum((unsigned char)*name) || *name == '_' ? *name : '-';
    out[n] = 0;
}

static void draw_counted(html *page, const report_view *v, const figure_margin *figure,
                         size_t column, bool beside)
{
    char file[NAME], short_name[40], title[160];
    append_name(short_name, sizeof short_name, v->rows.names[column]);
    snprintf(file, sizeof file, "column-%zu-%s", column, short_name);
    snprintf(title, sizeof title, "Column %.120s", v->rows.names[column]);
    plot_drawing drawing = figure_margin_of(figure);
    html_draw(page, &drawing,
              (html_figure){file, title,
                            "Histograms of the column, linear and logarithmic, ratios to the "
                            "first side, and the distribution of ranks.",
                            NULL, beside});
}

/* ---- of many columns those that are worst */

static double *scores(const figure_margin *all, size_t n, flow_err *err)
{
    double *out = malloc(n * sizeof *out);
    if (!out)
        flow_fail(err, FLOW_ENOMEM, "out of memory for %zu columns", n);
    for (size_t j = 0; out && j < n; j++)
        out[j] = figure_margin_apart(&all[j]);
    return out;
}

/* What a column must be apart at least to be in the page: REPORT_COLUMNS are. */
static double least_shown(const figure_margin *all, size_t n, flow_err *err)
{
    double *score = n > REPORT_COLUMNS ? scores(all, n, err) : NULL, least = -INFINITY;
    if (score) {
        flow_sort_numbers(score, n);
        least = score[n - REPORT_COLUMNS];
    }
    free(score);
    return least;
}

static void draw_columns(html *page, const report_view *v, const figure_margin *all)
{
    double least = least_shown(all, v->rows.dim, &page->err);
    for (size_t j = 0; j < v->rows.dim && !page->err.code; j++)
        draw_counted(page, v, &all[j], j, figure_margin_apart(&all[j]) < least);
}

/* Each is counted once, and then drawn. */
static void columns(html *page, const report_view *v)
{
    size_t n = v->rows.dim;
    figure_margin *all = malloc(n * sizeof *all);
    if (!all)
        flow_fail(&page->err, FLOW_ENOMEM, "out of memory for %zu columns", n);
    for (size_t j = 0; j < n && !page->err.code; j++)
        figure_margin_count(&all[j], &v->rows, j, &page->err);
    if (!page->err.code)
        draw_columns(page, v, all);
    free(all);
}

static const char *first_side(const bank *b)
{
    return b->data.x ? "data" : b->teacher.x ? "target" : b->chain.x ? "chains" : "weighed student";
}

static void explain_columns(html *page, const bank *b)
{
    html_element(page, "p",
                 "Of each column, from above: densities, the same on a logarithmic axis over all "
                 "that any side has, %s's shares over those of the %s, and ranks. Bands of ratios "
                 "are one standard deviation, the grey one that of the %s. Ranks are even where "
                 "two sides are the same; their band is three standard deviations. A range of more "
                 "than four times its central 99 %% is bent: equal steps there are of asinh.",
                 b->data.x ? "teacher's and student" : "the student", first_side(b), first_side(b));
    if (b->weighed.x)
        html_element(page, "p class=\"note\"",
                     "The target has no sampler. In its place stand %sthe student's own samples "
                     "weighed by p/q, which say nothing of where it never goes.",
                     b->chain.x ? "rows of long chains, right as far as these agree and worth "
                                  "fewer independent ones, which the bands heed, and "
                                : "");
    if (b->dim > REPORT_COLUMNS)
        html_element(
            page, "p class=\"note\"",
            "Of %zu columns these are the %d whose sides are furthest apart; the others are "
            "beside this page, in figures/.",
            b->dim, REPORT_COLUMNS);
}

void section_columns(html *page, const report_view *v)
{
    html_section(page, "columns", "Columns");
    explain_columns(page, &v->rows);
    html_gallery(page);
    if (!page->err.code)
        columns(page, v);
    html_gallery_end(page);
    html_section_end(page);
}

/* ---- pairs */

static void draw_pair(html *page, const report_view *v, picture_pair pair)
{
    char file[NAME], title[200];
    figure_pair *figure = page->err.code ? NULL : malloc(sizeof *figure);
    if (page->err.code)
        return;
    if (!figure)
        flow_fail(&page->err, FLOW_ENOMEM, "out of memory for a pair of columns");
    else if (!figure_pair_count(figure, &v->rows, pair, &page->err)) {
        snprintf(file, sizeof file, "pair-%zu-%zu", pair.across, pair.up);
        snprintf(title, sizeof title, "Columns %.80s and %.80s", v->rows.names[pair.across],
                 v->rows.names[pair.up]);
        plot_drawing drawing = figure_pair_of(figure);
        html_draw(page, &drawing,
                  (html_figure){file, title,
                                "Regions that hold 68 and 95 percent of the rows of each side.",
                                NULL, false});
    }
    free(figure);
}

/* The first few of the pairs, side by side. */
static void draw_picture(html *page, const report_view *v)
{
    const bank *b = &v->rows;
    bank_side sides[BANK_SIDES];
    picture p = {.dim = b->dim, .names = b->names};
    for (size_t k = 0, n = bank_sides(sides, b); k < n; k++) {
        const bank_rows *rows = sides[k].rows;
        const char *note = rows == &b->student                ? v->in->student_note
                           : rows == &b->teacher && b->data.x ? v->in->teacher_note
                                                              : NULL;
        if (!rows->weight)
            p.sources[p.n_sources++] = (picture_source){sides[k].name, rows->x, rows->n, note};
    }
    for (; p.n_pairs < v->n_pairs && p.n_pairs < PICTURE_PAIRS; p.n_pairs++)
        p.pairs[p.n_pairs] = v->pairs[p.n_pairs];
    picture_counted *counted = page->err.code ? NULL : picture_count(&p, &page->err);
    if (!counted)
        return;
    plot_drawing drawing = picture_drawing(counted);
    html_draw(page, &drawing,
              (html_figure){"picture", "Side by side",
                            "Histograms of pairs of columns, one side beside the other.",
                            "The same side by side, with equal shades for equal densities.",
                            false});
    section_png(page, &drawing, v->in->picture);
    picture_free(counted);
}

void section_pairs(html *page, const report_view *v)
{
    html_section(page, "pairs", "Pairs of columns");
    if (v->rows.dim == 1)
        html_element(page, "p class=\"note\"", "There is one column, and so no pair.");
    else
        html_element(page, "p",
                     "%s Contours are regions of the highest density that hold 68 and 95 %% of "
                     "each side's rows; shades are single rows of the first side. Rings: samples "
                     "of the teacher where it has e\xc2\xb3 times more density than the student.",
                     v->in->config->report.pairs.n > 0
                         ? "The columns that report.pairs names."
                         : "Columns that hang together most; report.pairs chooses others.");
    html_gallery(page);
    for (size_t i = 0; i < v->n_pairs && v->rows.dim > 1; i++)
        draw_pair(page, v, v->pairs[i]);
    html_gallery_end(page);
    draw_picture(page, v);
    html_section_end(page);
}
