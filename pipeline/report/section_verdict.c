/* pipeline/report/section_verdict.c -- what a run comes to, in sentences, gates and warnings. */
#include "flow/json.h"
#include "pipeline/report/numbers.h"
#include "pipeline/report/sections.h"
#include "pipeline/report/trials.h"

#include "pipeline/plot/letters.h"

#include <math.h>
#include <string.h>

/* ---- sentences */

/* Why it is no pass, in the words of the verdict. */
static void say_reasons(html *page, const json_t *reasons)
{
    size_t i;
    const json_t *one;
    json_array_foreach(reasons, i, one)
        html_text(page, "%s%s", i ? "; " : " ", json_string_value(one));
    html_raw(page, ".");
}

static void say_head(html *page, const json_t *verdict)
{
    const char *word = text_at(verdict, "verdict");
    const json_t *reasons = json_object_get(verdict, "reasons");
    html_raw(page, "<p><b>");
    if (strcmp(word, "pass") == 0)
        html_raw(page, "Passed.</b> Every gate holds, and every other figure is within its limit.");
    else if (strcmp(word, "fail") == 0)
        html_raw(page, "Failed.</b> Do not use this student as it is:");
    else
        html_raw(page, "Not verified.</b> No gate fails, but:");
    if (strcmp(word, "pass") != 0)
        say_reasons(page, reasons);
    html_raw(page, "</p>\n");
}

static const char *estimate(char out[NUMBER_TEXT], const json_t *verdict, const char *key)
{
    const json_t *at = flow_json_below(verdict, key);
    return number_with_error(out, number_at(at, "value"), number_at(at, "se"));
}

static void say_both_sides(html *page, const json_t *v, const char *whom)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT], d[NUMBER_TEXT];
    html_text(page,
              "On %s samples of each, KL(student \xe2\x80\x96 %s) is %s nats and KL(%s "
              "\xe2\x80\x96 student) is %s nats; weighed by p/q, the student's samples are worth "
              "%s of as many of the %s's own (ESS). ",
              number_count(a, number_at(v, "samples")), whom, estimate(b, v, "kl_reverse"), whom,
              estimate(c, v, "kl_forward"), number_percent(d, number_at(v, "ess_reverse.value")),
              whom);
}

static void say_own_side(html *page, const json_t *v)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT], c[NUMBER_TEXT];
    html_text(
        page,
        "On %s samples of its own, KL(student \xe2\x80\x96 target) is %s nats, and weighed "
        "by p/q they are worth %s of as many exact ones (ESS); what the student never visits, "
        "these do not show. ",
        number_count(a, number_at(v, "samples")), estimate(b, v, "kl_reverse"),
        number_percent(c, number_at(v, "ess_reverse.value")));
}

static void say_uncovered(html *page, const json_t *v, const char *whom)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    const json_t *first = json_array_get(flow_json_below(v, "uncovered.above"), 0);
    double count = number_at(first, "count");
    if (isnan(count))
        return;
    if (count == 0)
        html_text(page,
                  "No sample of the %s has e\xc2\xb3 times more density than the student "
                  "gives it. ",
                  whom);
    else
        html_text(page,
                  "The student gives too little density, by more than a factor e\xc2\xb3, "
                  "to %s of %s samples of the %s. ",
                  number_count(a, count), number_count(b, number_at(v, "uncovered.rows")), whom);
}

static void say_chain(html *page, const json_t *v)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    if (!json_is_object(json_object_get(v, "chain")))
        return;
    html_text(page,
              "Long chains that know nothing of the student agree with one another to an "
              "R-hat of %s; ",
              number_text(a, number_at(v, "chain.rhat")));
    html_text(page, "at least %s of the probability is found where the student is short of it. ",
              number_percent(b, fmax(0, number_at(v, "hunt.least"))));
}

static void say_teacher(html *page, const json_t *v)
{
    char a[NUMBER_TEXT];
    double sigmas = number_at(v, "teacher.two_sample.sigmas");
    if (!json_is_object(json_object_get(v, "teacher")))
        return;
    html_text(page, "The teacher itself gives held-out rows a log-density of %s nats a row",
              estimate(a, v, "teacher.test_log_likelihood"));
    if (!isnan(sigmas))
        html_text(page,
                  "; a two-sample test finds its samples %.1f standard deviations of chance "
                  "from the data",
                  sigmas);
    html_raw(page, ".");
}

/* Where nothing is rounded, and nobody asked whether it might be, there is nothing to say. */
static void say_network(html *page, const json_t *v)
{
    const char *word = trials_rounded(v);
    if (!word)
        return;
    html_text(page,
              " All of it is of the student as it is shipped, with its networks in %s: a density "
              "of its own, "
              "whose log q is exact, and no other network is behind a figure of it.",
              word);
}

static void say_trials(html *page, const json_t *v)
{
    size_t i;
    const json_t *one, *all = flow_json_below(v, "student.networks");
    if (json_array_size(all) > 0)
        html_raw(page, "<p>compute.network is auto:");
    json_array_foreach(all, i, one)
        html_text(page, "%s %s is%s taken (%s)", i ? ";" : "", text_at(one, "network"),
                  json_is_true(json_object_get(one, "taken")) ? "" : " not", text_at(one, "why"));
    if (json_array_size(all) > 0)
        html_raw(page, ".</p>\n");
}

static void say_verdict(html *page, const report_view *v)
{
    const json_t *verdict = v->verdict;
    const char *whom = v->in->rows.data ? "teacher" : "target";
    html_raw(page, "<div class=\"verdict ");
    html_text(page, "%s", text_at(verdict, "verdict"));
    html_raw(page, "\">");
    say_head(page, verdict);
    html_raw(page, "<p>");
    if (isnan(number_at(verdict, "kl_forward.value")))
        say_own_side(page, verdict);
    else
        say_both_sides(page, verdict, whom);
    say_uncovered(page, verdict, whom);
    say_chain(page, verdict);
    say_teacher(page, verdict);
    say_network(page, verdict);
    html_raw(page, "</p>\n");
    say_trials(page, verdict);
    html_raw(page, "</div>\n");
}

/* ---- lists */

static void list(html *page, const json_t *texts)
{
    size_t i;
    const json_t *text;
    html_raw(page, "<ul class=\"warnings\">\n");
    json_array_foreach(texts, i, text)
    {
        html_element(page, "li", "%s", json_string_value(text));
        html_raw(page, "\n");
    }
    html_raw(page, "</ul>\n");
}

static void gate_row(html *page, const json_t *of)
{
    char a[NUMBER_TEXT];
    bool holds = json_is_true(json_object_get(of, "pass"));
    html_raw(page, "<tr>");
    html_element(page, "td", "%s", text_at(of, "key"));
    html_element(page, "td class=\"n\"", "%s", text_at(of, "bound"));
    html_element(page, "td class=\"n\"", "%s", number_text(a, number_at(of, "value")));
    html_element(page, holds ? "td class=\"ok\"" : "td class=\"bad\"", "%s",
                 holds ? "\xe2\x9c\x93 holds" : "\xe2\x9c\x97 fails");
    html_raw(page, "</tr>\n");
}

static void gates(html *page, const json_t *all)
{
    size_t i;
    const json_t *one;
    html_element(page, "h3", "Gates");
    if (json_array_size(all) == 0) {
        html_element(page, "p class=\"note\"", "None were asked for (validate.require).");
        return;
    }
    html_raw(page, "<div class=\"scroll\"><table><thead><tr><th>figure</th><th class=\"n\">bound"
                   "</th><th class=\"n\">value</th><th></th></tr></thead><tbody>\n");
    json_array_foreach(all, i, one) gate_row(page, one);
    html_raw(page, "</tbody></table></div>\n");
}

static void warnings(html *page, const json_t *verdict)
{
    const json_t *all = json_object_get(verdict, "warnings");
    html_element(page, "h3", "Warnings, and what to do");
    if (json_array_size(all) > 0)
        list(page, all);
    else
        html_element(page, "p class=\"note\"", "None.");
}

static void contents(html *page)
{
    html_raw(page, "<nav aria-label=\"contents\"><a href=\"#training\">Training</a>"
                   "<a href=\"#columns\">Columns</a><a href=\"#pairs\">Pairs</a>"
                   "<a href=\"#weights\">Weights</a><a href=\"#missed\">What is missed</a>"
                   "<a href=\"#numbers\">Numbers</a><a href=\"#speed\">Speed</a>"
                   "<a href=\"#setup\">Setup</a></nav>\n");
}

void section_verdict(html *page, const report_view *v)
{
    html_element(page, "h1", "%s", v->in->config->name);
    html_element(page, "p class=\"note\"",
                 "%s of %zu %s, distilled into a student that samples "
                 "in parallel",
                 v->in->rows.data ? "A teacher fitted to data" : "A target", v->rows.dim,
                 v->rows.dim == 1 ? "column" : "columns");
    say_verdict(page, v);
    if (!letters_have_font())
        html_element(page, "p class=\"bad\"",
                     "This machine has no font: figures are lettered in plain strokes, and letters "
                     "beyond ASCII are boxes. Install one (Debian: fonts-dejavu-core), then draw "
                     "them again.");
    contents(page);
    gates(page, json_object_get(v->verdict, "gates"));
    warnings(page, v->verdict);
}
