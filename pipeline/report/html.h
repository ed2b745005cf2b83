/* pipeline/report/html.h -- a page that holds all it needs: text, tables and drawings in one file.
 *
 * Text is escaped, whatever is in it. Drawings are written once more beside the page, as SVG and as PDF. What has no memory, or cannot
 * be written, is remembered, and the page not written; err says what it was first. */
#ifndef PIPELINE_REPORT_HTML_H
#define PIPELINE_REPORT_HTML_H

#include "pipeline/plot/svg.h"

typedef struct html {
    plot_bytes body;
    svg_page drawings;
    const char *figures; /* the directory of drawings beside the page */
    size_t n_figures;
    flow_err err;
} html;

/* figures exists. To be closed after html_write or without it. */
void html_open(html *self, const char *figures);
void html_close(html *self);

/* Whole, atomically, with head and style. Errors: what was remembered; FLOW_ECREATE, FLOW_EIO. */
int html_write(html *self, const char *path, const char *title, flow_err *err);

/* As it stands: elements, and what is known to need no escape. */
void html_raw(html *self, const char *text);
/* Formatted, then escaped. */
__attribute__((format(printf, 2, 3))) void html_text(html *self, const char *fmt, ...);
/* <tag>text</tag>; tag may have attributes: "td class=\"n\"". */
__attribute__((format(printf, 3, 4))) void html_element(html *self, const char *tag,
                                                        const char *fmt, ...);

/* A section that the page's list of contents has; id of A-Z a-z 0-9 - alone. */
void html_section(html *self, const char *id, const char *title);
void html_section_end(html *self);

/* Between these, what hangs on the clock: two runs of one config differ there, and nowhere else. */
void html_clock(html *self);
void html_clock_end(html *self);

/* name: of the files, without their ending; title and about: what it shows, for who cannot see it; the caption stands below. */
typedef struct html_figure {
    const char *name, *title, *about, *caption;
    bool beside; /* the page, and not in it */
} html_figure;
void html_draw(html *self, const plot_drawing *drawing, html_figure of);

/* Figures beside each other as far as there is room. */
void html_gallery(html *self);
void html_gallery_end(html *self);

#endif
