/* pipeline/report/section_speed.c -- students of several sizes, and how fast everyone samples: what the clock says. */
#include "flow/json.h"
#include "pipeline/report/figure_ladder.h"
#include "pipeline/report/figure_speed.h"
#include "pipeline/report/numbers.h"
#include "pipeline/report/sections.h"

#include <math.h>
#include <stdlib.h>

/* ---- the ladder */

static student_rung rung_of(const json_t *at)
{
    student_rung r = {.how = {.iterations = (size_t)fmax(0, number_at(at, "iterations")),
                              .width = number_at(at, "width")},
                      .trained = json_is_true(json_object_get(at, "trained")),
                      .layerwise = json_is_true(json_object_get(at, "layerwise")),
                      .wild = json_is_true(json_object_get(at, "wild")),
                      .rows_per_s = number_at(at, "rows_per_s")};
    r.weights.kl_reverse.value = number_at(at, "kl_reverse");
    r.weights.kl_forward.value = number_at(at, "kl_forward");
    return r;
}

static void draw_ladder(html *page, const report_view *v, const student_rung *rungs, size_t n)
{
    figure_ladder figure;
    plot_drawing drawing =
        figure_ladder_of(&figure, rungs, n, number_at(v->verdict, "ladder.teacher.rows_per_s"));
    html_draw(page, &drawing,
              (html_figure){"ladder", "Students of several sizes",
                            "KL over rows a second, both logarithmic, of every size measured.",
                            "What each size costs and gives: numbers are its steps. Dots: the "
                            "unrolled teacher as it is; rings: trained. Rates are of one another, "
                            "timed while the student was made: on a machine that does other work, "
                            "too, those below, timed when it was validated, may be others.",
                            false});
    section_png(page, &drawing, v->in->ladder);
}

static void ladder(html *page, const report_view *v)
{
    const json_t *all = flow_json_below(v->verdict, "ladder.students");
    size_t n = json_array_size(all);
    if (n == 0) {
        html_element(page, "p class=\"note\"",
                     "No ladder of sizes: the student does not start as its teacher.");
        return;
    }
    student_rung *rungs = malloc(n * sizeof *rungs);
    if (!rungs) {
        flow_fail(&page->err, FLOW_ENOMEM, "out of memory for %zu rungs", n);
        return;
    }
    for (size_t k = 0; k < n; k++)
        rungs[k] = rung_of(json_array_get(all, k));
    draw_ladder(page, v, rungs, n);
    free(rungs);
}

/* ---- speed */

static void row_seconds(html *page, const json_t *verdict, const char *path, const char *what)
{
    char a[NUMBER_TEXT];
    double seconds = number_at(verdict, path);
    if (isnan(seconds))
        return;
    html_raw(page, "<tr>");
    html_element(page, "td", "%s", what);
    html_element(page, "td class=\"n\"", "%s \xc2\xb5s", number_text(a, 1e6 * seconds));
    html_raw(page, "</tr>\n");
}

static void speed(html *page, const json_t *verdict)
{
    figure_speed figure;
    if (!figure_speed_read(&figure, verdict)) {
        html_element(page, "p class=\"note\"", "No speeds were measured.");
        return;
    }
    plot_drawing drawing = figure_speed_of(&figure);
    html_draw(page, &drawing,
              (html_figure){"speed", "Rows a second",
                            "Bars on a logarithmic axis, of the student and of every way to sample "
                            "the teacher.",
                            "Samples with their log-density, in batches, with all threads of the "
                            "validation, one after the other; all are run, none is derived.",
                            false});
    html_raw(page, "<div class=\"scroll\"><table><thead><tr><th>one row alone</th><th></th></tr>"
                   "</thead><tbody>\n");
    row_seconds(page, verdict, "speed.student_row_seconds", "student");
    row_seconds(page, verdict, "speed.student_as_trained_row_seconds", "student, not rounded");
    row_seconds(page, verdict, "speed.teacher_incremental_row_seconds",
                "teacher, by its own inverse");
    row_seconds(page, verdict, "speed.teacher_naive_row_seconds",
                "teacher, a pass for each column");
    html_raw(page, "</tbody></table></div>\n");
}

void section_speed(html *page, const report_view *v)
{
    html_section(page, "speed", "Size and speed");
    html_clock(page);
    ladder(page, v);
    speed(page, v->verdict);
    html_clock_end(page);
    html_section_end(page);
}
