/* pipeline/report/section_tails.c -- tails that are not those of what they are held against: of each side of a column the
 * level that is farthest off. */
#include "flow/json.h"
#include "pipeline/report/numbers.h"
#include "pipeline/report/sections.h"

#include <math.h>

/* Who is held against whom, and where that stands in validation.json. */
typedef struct pairing {
    const char *place, *own, *ref;
} pairing;

static const pairing pairings[] = {{"tails", "student", "teacher"},
                                   {"teacher.tails", "teacher", "data"}};

/* Of the list `key` of a side. */
static double item(const json_t *side, const char *key, size_t level)
{
    const json_t *found = json_array_get(json_object_get(side, key), level);
    return json_is_number(found) ? json_number_value(found) : NAN;
}

static double away(const json_t *side, size_t level)
{
    double off = item(side, "off", level);
    return isnan(off) || !(off > 0) ? 0 : fabs(log(off));
}

static size_t farthest_level(const json_t *side)
{
    size_t worst = 0;
    for (size_t i = 1; i < json_array_size(json_object_get(side, "off")); i++)
        worst = away(side, i) > away(side, worst) ? i : worst;
    return worst;
}

static void side_row(html *page, const char *name, const char *where, const json_t *side,
                     const pairing *who)
{
    char text[NUMBER_TEXT];
    size_t level = farthest_level(side);
    double off = item(side, "off", level);
    if (!(away(side, level) > 0))
        return;
    html_raw(page, "<tr>");
    html_element(page, "th", "%s", name);
    html_element(page, "td", "%s against %s, %s", who->own, who->ref, where);
    html_element(page, "td class=\"n\"", "%s", number_text(text, item(side, "beyond", level)));
    html_element(page, "td class=\"n\"", "%s", number_count(text, item(side, who->own, level)));
    html_element(page, "td class=\"n\"", "%s", number_count(text, item(side, who->ref, level)));
    html_element(page, "td class=\"n\"", "%s %s", off > 1 ? "at least" : "at most",
                 number_text(text, off));
    html_raw(page, "</tr>\n");
}

static void all_rows(html *page, const json_t *tails, const pairing *who)
{
    size_t i;
    const json_t *column;
    json_array_foreach(json_object_get(tails, "columns"), i, column)
    {
        const char *name = text_at(column, "name");
        side_row(page, name, "below", json_object_get(column, "below"), who);
        side_row(page, name, "above", json_object_get(column, "above"), who);
    }
}

static void count_rows(html *page, const json_t *tails, const pairing *who)
{
    char a[NUMBER_TEXT], b[NUMBER_TEXT];
    const json_t *rows = json_object_get(tails, "rows");
    if (rows)
        html_element(page, "p class=\"note\"", "%s against %s: %s samples, %s rows.", who->own,
                     who->ref, number_count(a, number_at(rows, who->own)),
                     number_count(b, number_at(rows, who->ref)));
}

void section_tails(html *page, const json_t *verdict)
{
    const size_t n = sizeof pairings / sizeof *pairings;
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= json_is_object(flow_json_below(verdict, pairings[i].place));
    if (!any)
        return;
    html_element(page, "h3", "Tails");
    html_element(page, "p",
                 "Sides of columns where rows are rarer or more frequent far out than chance "
                 "explains: how many are beyond the value, and the factor between both shares. "
                 "What is not listed may be one tail.");
    for (size_t i = 0; i < n; i++)
        count_rows(page, flow_json_below(verdict, pairings[i].place), &pairings[i]);
    html_raw(page, "<div class=\"scroll\"><table><thead><tr><th>column</th><th></th>"
                   "<th class=\"n\">beyond</th><th class=\"n\">samples</th>"
                   "<th class=\"n\">rows</th><th class=\"n\">factor</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < n; i++)
        all_rows(page, flow_json_below(verdict, pairings[i].place), &pairings[i]);
    html_raw(page, "</tbody></table></div>\n");
}
