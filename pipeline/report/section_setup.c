/* pipeline/report/section_setup.c -- what was run, with what, and how to run it again. */
#include "flow/json.h"
#include "pipeline/console/version.h"
#include "pipeline/report/sections.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void versions(html *page)
{
    json_t *all = version_json();
    const char *key;
    json_t *value;
    html_element(page, "h3", "Versions");
    html_raw(page, "<div class=\"scroll\"><table><tbody>\n");
    json_object_foreach(all, key, value)
    {
        html_raw(page, "<tr>");
        html_element(page, "th", "%s", key);
        html_element(page, "td", "%s", json_string_value(value));
        html_raw(page, "</tr>\n");
    }
    html_raw(page, "</tbody></table></div>\n");
    json_decref(all);
}

static void configuration(html *page, const config *c)
{
    json_t *all = config_to_json(c);
    json_object_del(json_object_get(all, "compute"), "threads"); /* which nothing depends on */
    char *text = flow_json_text(all, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(12));
    html_raw(page, "<details><summary>Every key of the configuration, with its value</summary>\n");
    html_raw(page, "<pre>");
    if (text)
        html_text(page, "%s", text);
    else
        flow_fail(&page->err, FLOW_ENOMEM, "out of memory for a configuration");
    html_raw(page, "</pre></details>\n");
    free(text);
    json_decref(all);
}

static void command(html *page, const config *c)
{
    html_element(page, "h3", "To run it again");
    html_raw(page, "<pre>distill run resolved.json --out again</pre>\n");
    html_element(
        page, "p class=\"note\"",
        "In the directory of the run, which has every key in resolved.json, and config.yaml "
        "as it was given. The same program, seed and instruction set give the same models, "
        "for any number of threads; the seed is %llu%s. manifest.json has the processor "
        "and the times, and the digests of the target's files.",
        (unsigned long long)c->seed, c->seed_drawn ? ", drawn by the run" : "");
}

void section_setup(html *page, const report_view *v)
{
    html_section(page, "setup", "Setup");
    command(page, v->in->config);
    versions(page);
    configuration(page, v->in->config);
    html_section_end(page);
}
