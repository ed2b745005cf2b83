#include "pipeline/report/html.h"

#include "files/atomic.h"
#include "pipeline/report/html_style.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH = 4096 };

void html_open(html *self, const char *figures)
{
    *self = (html){.figures = figures};
}

void html_close(html *self)
{
    plot_bytes_release(&self->body);
    svg_page_release(&self->drawings);
}

static void no_memory(html *self)
{
    if (!self->err.code)
        flow_fail(&self->err, FLOW_ENOMEM, "out of memory for a report");
}

/* ---- text */

void html_raw(html *self, const char *text)
{
    if (!plot_bytes_add(&self->body, text, strlen(text)))
        no_memory(self);
}

static void escaped(html *self, const char *fmt, va_list list)
{
    char *text = NULL;
    va_list again;
    va_copy(again, list);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    text = n < 0 ? NULL : malloc((size_t)n + 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, fmt, list);
    if (!text || !svg_escape(&self->body, text))
        no_memory(self);
    free(text);
}

void html_text(html *self, const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    escaped(self, fmt, list);
    va_end(list);
}

void html_element(html *self, const char *tag, const char *fmt, ...)
{
    va_list list;
    char name[16];
    html_raw(self, "<");
    html_raw(self, tag);
    html_raw(self, ">");
    va_start(list, fmt);
    escaped(self, fmt, list);
    va_end(list);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(tag, " "), tag);
    html_raw(self, "</");
    html_raw(self, name);
    html_raw(self, ">");
}

void html_section(html *self, const char *id, const char *title)
{
    html_raw(self, "<section id=\"");
    html_text(self, "%s", id);
    html_raw(self, "\">");
    html_element(self, "h2", "%s", title);
    html_raw(self, "\n");
}

void html_section_end(html *self)
{
    html_raw(self, "</section>\n");
}

void html_clock(html *self)
{
    html_raw(self, "\n<!-- clock -->\n");
}

void html_clock_end(html *self)
{
    html_raw(self, "\n<!-- /clock -->\n");
}

void html_gallery(html *self)
{
    html_raw(self, "<div class=\"gallery\">\n");
}

void html_gallery_end(html *self)
{
    html_raw(self, "</div>\n");
}

/* ---- drawings */

static int spell(char path[PATH], const html *self, const char *name, const char *ending,
                 flow_err *err)
{
    return snprintf(path, PATH, "%s/%s.%s", self->figures, name, ending) < PATH
               ? FLOW_OK
               : flow_fail(err, FLOW_ECREATE, "%s: too long a path", self->figures);
}

static int write_pdf(const html *self, const plot_drawing *drawing, const char *name, flow_err *err)
{
    char path[PATH];
    int code = spell(path, self, name, "pdf", err);
    return code ? code : plot_write(path, drawing, PLOT_PDF, err);
}

static int write_svg(const html *self, const plot_bytes *drawn, const char *name, flow_err *err)
{
    char path[PATH];
    plot_bytes bytes = {0};
    int code = spell(path, self, name, "svg", err);
    if (!code)
        code = svg_file(&bytes, drawn, err);
    if (!code)
        code = file_atomic_write(path, bytes.at, bytes.n, err);
    plot_bytes_release(&bytes);
    return code;
}

static int into_page(html *self, const plot_bytes *drawn, const html_figure *of, flow_err *err)
{
    char prefix[24];
    snprintf(prefix, sizeof prefix, "f%zu-", self->n_figures++);
    return svg_element(&self->body, drawn, &self->drawings, prefix, of->title, of->about, err);
}

static int draw(html *self, const plot_drawing *drawing, const html_figure *of, flow_err *err)
{
    plot_bytes drawn = {0};
    int code = plot_render(&drawn, drawing, PLOT_PAGE, err);
    if (!code)
        code = write_svg(self, &drawn, of->name, err);
    if (!code)
        code = write_pdf(self, drawing, of->name, err);
    if (!code && !of->beside)
        code = into_page(self, &drawn, of, err);
    plot_bytes_release(&drawn);
    return code;
}

static void frame(html *self, const plot_drawing *drawing, const html_figure *of)
{
    html_raw(self, "<figure data-name=\"");
    html_text(self, "%s", of->name);
    html_raw(self, "\">");
    draw(self, drawing, of, &self->err);
    if (of->caption)
        html_element(self, "figcaption", "%s", of->caption);
    html_raw(self, "</figure>\n");
}

void html_draw(html *self, const plot_drawing *drawing, html_figure of)
{
    if (self->err.code)
        return;
    if (of.beside)
        draw(self, drawing, &of, &self->err);
    else
        frame(self, drawing, &of);
}

/* ---- the file */

static const char HEAD[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

static void add_inks(html *page, bool dark)
{
    for (int k = 0; k < PLOT_INKS; k++) {
        char text[48];
        snprintf(text, sizeof text, "--%s:%s;", plot_tones[k].name,
                 dark ? plot_tones[k].dark : plot_tones[k].light);
        html_raw(page, text);
    }
}

static void add_styles(html *page, const svg_table *styles)
{
    for (size_t i = 0; i < styles->n; i++) {
        char text[24];
        snprintf(text, sizeof text, ".s%zu{", i);
        html_raw(page, text);
        html_raw(page, styles->at[i]);
        html_raw(page, "}\n");
    }
}

static void add_head(html *page, const html *self, const char *title)
{
    html_raw(page, HEAD);
    html_element(page, "title", "%s", title);
    html_raw(page, "\n<style>\n:root{");
    add_inks(page, false);
    html_raw(page, "}\n@media (prefers-color-scheme:dark){:root{");
    add_inks(page, true);
    html_raw(page, "}}\n@media print{:root{");
    add_inks(page, false);
    html_raw(page, "}}\n");
    html_raw(page, html_style);
    add_styles(page, &self->drawings.styles);
    html_raw(page, "</style>\n</head>\n<body>\n");
}

static void assemble(html *page, const html *self, const char *title)
{
    add_head(page, self, title);
    if (self->drawings.symbols.n > 0) {
        html_raw(page, "<svg width=\"0\" height=\"0\" style=\"position:absolute\" "
                       "aria-hidden=\"true\"><defs>\n");
        html_raw(page, self->drawings.symbols.at);
        html_raw(page, "</defs></svg>\n");
    }
    html_raw(page, "<main>\n");
    if (self->body.at)
        html_raw(page, self->body.at);
    html_raw(page, "</main>\n</body>\n</html>\n");
}

int html_write(html *self, const char *path, const char *title, flow_err *err)
{
    html page = {.figures = NULL};
    if (!self->err.code)
        assemble(&page, self, title);
    const flow_err *why = self->err.code ? &self->err : &page.err;
    int code = why->code ? flow_fail(err, why->code, "%s", why->text)
                         : file_atomic_write(path, page.body.at, page.body.n, err);
    html_close(&page);
    return code;
}
