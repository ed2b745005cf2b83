/* pipeline/report/section_numbers.c -- the table of all figures, and moments of every column of every side. */
#include "flow/json.h"
#include "pipeline/report/numbers.h"
#include "pipeline/report/sections.h"

#include "pipeline/config/gates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- figures */

/* The standard error beside a figure that has one. */
static double error_of(const json_t *verdict, const gate_info *info)
{
    char path[96];
    size_t n = strlen(info->place);
    if (n > 6 && strcmp(info->place + n - 6, ".value") == 0) {
        snprintf(path, sizeof path, "%.*s.se", (int)(n - 6), info->place);
        return number_at(verdict, path);
    }
    return NAN;
}

/* Bytes of the first sentence of what it is; `distill explain` has the rest. */
static size_t first_sentence(const gate_info *info)
{
    const char *end = info ? strstr(info->doc, ". ") : NULL;
    return end ? (size_t)(end + 1 - info->doc) : info ? strlen(info->doc) : 0;
}

static void figure_row(html *page, const json_t *verdict, const json_t *figure)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    gate_figure which = gate_find(text_at(figure, "key"));
    const gate_info *info = which < GATE_COUNT ? &gate_figures[which] : NULL;
    double limit = number_at(figure, "limit");
    bool beyond = json_is_true(json_object_get(figure, "beyond"));
    html_raw(page, "<tr>");
    html_element(page, "td", "%s", text_at(figure, "key"));
    html_element(
        page, beyond ? "td class=\"n bad\"" : "td class=\"n\"", "%s",
        number_with_error(a, number_at(figure, "value"), info ? error_of(verdict, info) : NAN));
    html_element(page, "td", "%s", info && info->unit ? info->unit : "");
    html_element(page, "td class=\"n\" data-of=\"limit\"", "%s",
                 isnan(limit) ? "" : number_text(b, limit));
    html_element(page, "td class=\"note\"", "%.*s", (int)first_sentence(info),
                 info ? info->doc : "");
    html_raw(page, "</tr>\n");
}

static void figures(html *page, const json_t *verdict)
{
    size_t i;
    const json_t *figure;
    html_element(page, "h3", "Figures");
    html_raw(page, "<div class=\"scroll\"><table class=\"stack\"><thead><tr><th>figure</th>"
                   "<th class=\"n\">value</th><th>unit</th><th class=\"n\">limit</th>"
                   "<th>what it is</th></tr></thead><tbody>\n");
    json_array_foreach(json_object_get(verdict, "figures"), i,
                       figure) if (json_is_number(json_object_get(figure, "value")))
        figure_row(page, verdict, figure);
    html_raw(page, "</tbody></table></div>\n");
}

/* ---- moments */

typedef struct moments {
    double mean, sd, lo, hi;
} moments;

static moments of_column(const bank_rows *rows, size_t dim, size_t column)
{
    moments m = {0, 0, INFINITY, -INFINITY};
    double n = 0, squares = 0;
    for (size_t r = 0; r < rows->n; r++) {
        double x = rows->x[r * dim + column], w = rows->weight ? rows->weight[r] : 1;
        if (!isfinite(x))
            continue;
        n += w;
        double off = x - m.mean; /* Welford's way: nothing large is taken off something large */
        m.mean += n > 0 ? off * w / n : 0;
        squares += w * off * (x - m.mean);
        m.lo = fmin(m.lo, x);
        m.hi = fmax(m.hi, x);
    }
    m.sd = n > 1 ? sqrt(squares / n) : NAN;
    return m;
}

static void moments_row(html *page, const bank *b, const bank_side *s, size_t column, bool first)
{
    char a[NUMBER_TEXT];
    moments m = of_column(s->rows, b->dim, column);
    const double shown[] = {m.mean, m.sd, m.lo, m.hi};
    html_raw(page, "<tr>");
    html_element(page, first ? "th" : "td", "%s", first ? b->names[column] : "");
    html_element(page, "td", "%s", s->name);
    for (int k = 0; k < 4; k++)
        html_element(page, "td class=\"n\"", "%s", number_text(a, shown[k]));
    html_raw(page, "</tr>\n");
}

static void all_moments(html *page, const bank *b)
{
    bank_side sides[BANK_SIDES];
    size_t n = bank_sides(sides, b);
    html_element(page, "h3", "Moments and ranges");
    html_raw(page, b->dim > 12 ? "<details><summary>of every column</summary>" : "<div>");
    html_raw(page, "<div class=\"scroll\"><table><thead><tr><th>column</th><th></th>"
                   "<th class=\"n\">mean</th><th class=\"n\">sd</th><th class=\"n\">least</th>"
                   "<th class=\"n\">largest</th></tr></thead><tbody>\n");
    for (size_t column = 0; column < b->dim; column++)
        for (size_t k = 0; k < n; k++)
            moments_row(page, b, &sides[k], column, k == 0);
    html_raw(page, "</tbody></table></div>");
    html_raw(page, b->dim > 12 ? "</details>\n" : "</div>\n");
}

/* ---- likelihoods */

typedef struct likelihood {
    double value, se, rows;
    const char *what, *units;
} likelihood;

static void likelihood_row(html *page, likelihood l)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    if (isnan(l.value))
        return;
    html_raw(page, "<tr>");
    html_element(page, "td", "%s", l.what);
    html_element(page, "td class=\"n\"", "%s", number_with_error(a, l.value, l.se));
    html_element(page, "td data-of=\"rows\" class=\"n\"", "%s", number_count(b, l.rows));
    html_element(page, "td class=\"note\"", "nats a row, in the units of the %s", l.units);
    html_raw(page, "</tr>\n");
}

static void likelihoods(html *page, const json_t *verdict)
{
    const json_t *test = flow_json_below(verdict, "teacher.test_log_likelihood"),
                 *train = flow_json_below(verdict, "teacher.train_log_likelihood"),
                 *own = json_object_get(verdict, "log_q_forward");
    double rows = number_at(test, "rows");
    if (isnan(number_at(test, "value")) && isnan(number_at(own, "value")))
        return;
    html_element(page, "h3", "Log-likelihoods");
    html_raw(page, "<div class=\"scroll\"><table class=\"stack\"><thead><tr><th></th>"
                   "<th class=\"n\">value</th><th class=\"n\">rows</th><th></th></tr></thead>"
                   "<tbody>\n");
    likelihood_row(page, (likelihood){number_at(test, "value"), number_at(test, "se"), rows,
                                      "teacher, of test rows", "data"});
    likelihood_row(page, (likelihood){number_at(test, "value_in_flow_units"), NAN, rows,
                                      "teacher, of test rows", "flow"});
    likelihood_row(page,
                   (likelihood){number_at(train, "value"), number_at(train, "se"),
                                number_at(train, "rows"), "teacher, of training rows", "flow"});
    likelihood_row(page, (likelihood){number_at(own, "value"), number_at(own, "se"),
                                      number_at(verdict, "samples"),
                                      "student, of samples of its teacher", "data"});
    html_raw(page, "</tbody></table></div>\n");
}

void section_numbers(html *page, const report_view *v)
{
    html_section(page, "numbers", "Teacher, student and data in numbers");
    figures(page, v->verdict);
    likelihoods(page, v->verdict);
    section_tails(page, v->verdict);
    all_moments(page, &v->rows);
    html_section_end(page);
}
