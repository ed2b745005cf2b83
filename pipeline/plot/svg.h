/* pipeline/plot/svg.h -- what Cairo writes as SVG, made fit: inks in place of the colours that stand for them (ink.h), numbers no
 * longer than they are seen, and no word that says what is so anyway. */
#ifndef PIPELINE_PLOT_SVG_H
#define PIPELINE_PLOT_SVG_H

#include "pipeline/plot/plot.h"

/* Texts, each once. */
typedef struct svg_table {
    char **at; /* (n) */
    size_t n, room;
} svg_table;

/* What the drawings of one page have in common: letters, each drawn once, and styles. */
typedef struct svg_page {
    plot_bytes symbols; /* <symbol>s, for one hidden <svg> of the page */
    svg_table letters;  /* what each of them is */
    svg_table styles;   /* what classes s0, s1, ... say */
} svg_page;

void svg_page_release(svg_page *self);

/* A file of its own, on white: from a drawing rendered as PLOT_PAGE. FLOW_ENOMEM. */
int svg_file(plot_bytes *out, const plot_bytes *from, flow_err *err);

/* An <svg> element for a page: inks are var(--NAME), letters and styles those of the page, ids begin with `prefix`. title and about are
 * escaped; they are what is read to who cannot see it. */
int svg_element(plot_bytes *out, const plot_bytes *from, svg_page *page, const char *prefix,
                const char *title, const char *about, flow_err *err);

/* Text as it must stand in HTML and XML. False: no memory. */
bool svg_escape(plot_bytes *out, const char *text);

#endif
