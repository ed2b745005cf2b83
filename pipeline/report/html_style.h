/* pipeline/report/html_style.h -- how a report looks: on paper, on a laptop and on a phone, light and dark. */
#ifndef PIPELINE_REPORT_HTML_STYLE_H
#define PIPELINE_REPORT_HTML_STYLE_H

/* CSS; colours are the variables of plot/ink.h. */
extern const char html_style[];

#endif
