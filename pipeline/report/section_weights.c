/* pipeline/report/section_weights.c -- weights of samples, what they are worth, and where the student misses its target. */
#include "flow/json.h"
#include "pipeline/report/figure_energies.h"
#include "pipeline/report/figure_weights.h"
#include "pipeline/report/numbers.h"
#include "pipeline/report/sections.h"

#include <math.h>
#include <stdlib.h>

#define AT_ZERO "Log weights, less log Z: all at 0 if the student is its target. "
static const char FAR[] =
    AT_ZERO "Right of the dashed line, at 3 nats, the student is short of density.",
                  NEAR[] = AT_ZERO
                  "No row here reaches 3 nats, from where on the student is short of density.";

static void draw_weights(html *page, const report_view *v)
{
    figure_weights *figure = page->err.code ? NULL : malloc(sizeof *figure);
    if (page->err.code)
        return;
    if (!figure)
        flow_fail(&page->err, FLOW_ENOMEM, "out of memory for the weights of a report");
    else if (!figure_weights_count(figure, &v->rows, v->verdict, &page->err)) {
        plot_drawing drawing = figure_weights_of(figure);
        html_draw(page, &drawing,
                  (html_figure){"weights", "Log weights",
                                "Histogram of log p minus log q at samples of student and teacher, "
                                "logarithmic upwards.",
                                figure_weights_reach(figure) ? FAR : NEAR, false});
    }
    free(figure);
}

static void draw_ess(html *page, const report_view *v)
{
    figure_ess figure;
    if (!figure_ess_read(&figure, v->verdict)) {
        html_element(page, "p class=\"note\"", "No ESS over N: it could not be computed.");
        return;
    }
    plot_drawing drawing = figure_ess_of(&figure);
    html_draw(page, &drawing,
              (html_figure){"ess", "Effective sample size",
                            "Share of samples that they are worth over their number.",
                            "What N samples are worth when they are weighed by p/q.", false});
}

void section_weights(html *page, const report_view *v)
{
    html_section(page, "weights", "Weights");
    html_raw(page, "<div class=\"gallery wide\">\n");
    draw_weights(page, v);
    draw_ess(page, v);
    html_gallery_end(page);
    html_section_end(page);
}

/* ---- what is missed */

static void uncovered_row(html *page, const json_t *row)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT];
    const json_t *nats = json_object_get(row, "nats");
    html_raw(page, "<tr>");
    html_element(page, "td class=\"n\"", "%s", number_count(a, number_at(row, "row")));
    html_element(page, "td class=\"n\"", "%s",
                 json_is_number(nats) ? number_text(b, json_number_value(nats)) : "out of reach");
    html_element(page, "td", "%s", text_at(row, "column"));
    html_element(page, "td class=\"n\"", "%s", number_text(c, number_at(row, "value")));
    html_element(page, "td class=\"n\"", "%s", number_text(a, number_at(row, "sds")));
    html_raw(page, "</tr>\n");
}

static void uncovered_rows(html *page, const json_t *uncovered)
{
    size_t i;
    const json_t *row, *worst = json_object_get(uncovered, "worst");
    if (!json_is_array(worst))
        return;
    if (json_array_size(worst) == 0) {
        html_element(page, "p", "No row is missed by more than 3 nats.");
        return;
    }
    html_raw(page, "<div class=\"scroll\"><table><thead><tr><th class=\"n\">row</th>"
                   "<th class=\"n\">log p \xe2\x88\x92 log q</th><th>furthest out in</th>"
                   "<th class=\"n\">value</th><th class=\"n\">sd out</th></tr></thead><tbody>\n");
    json_array_foreach(worst, i, row) uncovered_row(page, row);
    html_raw(page, "</tbody></table></div>\n");
}

static void uncovered(html *page, const json_t *at, const char *of)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT];
    size_t i;
    const json_t *above;
    html_raw(page, "<p>");
    html_text(page, "%s where log p \xe2\x88\x92 log q is above ", of);
    json_array_foreach(json_object_get(at, "above"), i, above) html_text(
        page, "%s%s nats: %s (%s)", i ? "; " : "", number_text(a, number_at(above, "nats")),
        number_count(b, number_at(above, "count")), number_percent(c, number_at(above, "share")));
    html_raw(page, ".</p>\n");
    uncovered_rows(page, at);
}

static void read_bins(double *out, const json_t *list)
{
    for (size_t i = 0; i < ENERGY_BINS; i++) {
        const json_t *at = json_array_get(list, i);
        out[i] = json_is_number(at) ? json_number_value(at) : 0;
    }
}

static void draw_energies(html *page, const report_view *v)
{
    const json_t *chain = json_object_get(v->verdict, "chain"),
                 *at = json_object_get(chain, "energies");
    student_against_chain c = student_against_no_chain;
    c.rhat = number_at(chain, "rhat");
    c.apart = number_at(at, "apart");
    c.weighed_apart = number_at(at, "weighed_apart");
    c.chance = number_at(at, "chance");
    c.lo = number_at(at, "bins.lo");
    c.hi = number_at(at, "bins.hi");
    read_bins(c.bins[STUDENT_ENERGY_OWN], flow_json_below(at, "bins.student"));
    read_bins(c.bins[STUDENT_ENERGY_WEIGHED], flow_json_below(at, "bins.weighed"));
    read_bins(c.bins[STUDENT_ENERGY_CHAIN], flow_json_below(at, "bins.chain"));
    plot_drawing drawing = figure_energies_of(&c);
    html_draw(page, &drawing,
              (html_figure){"energies", "Energies",
                            "How log p is distributed over the chains, the student's samples, and "
                            "these weighed.",
                            "Log p over long chains on the target, over samples of the student, "
                            "and over these weighed by p/q.",
                            false});
    section_png(page, &drawing, v->in->energies);
}

static void chains(html *page, const report_view *v)
{
    const json_t *chain = json_object_get(v->verdict, "chain");
    if (!json_is_object(chain)) {
        html_element(page, "p class=\"note\"",
                     "No energies: no chains were run on the target (validate.chain).");
        return;
    }
    html_element(page, "h3", "Long chains");
    uncovered(page, json_object_get(chain, "uncovered"), "Rows of the chains");
    draw_energies(page, v);
}

void section_missed(html *page, const report_view *v)
{
    const json_t *at = json_object_get(v->verdict, "uncovered");
    html_section(page, "missed", "What the student misses");
    if (json_is_number(json_object_get(at, "rows")) && number_at(at, "rows") > 0)
        uncovered(page, at, v->in->rows.data ? "Samples of the teacher" : "Samples of the target");
    else
        html_element(page, "p class=\"note\"",
                     "No table of rows that are missed: the target has no sampler.");
    chains(page, v);
    html_section_end(page);
}
