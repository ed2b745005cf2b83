/* pipeline/report/sections.h -- the parts of a report, for report.c, in their order. */
#ifndef PIPELINE_REPORT_SECTIONS_H
#define PIPELINE_REPORT_SECTIONS_H

#include "pipeline/report/html.h"
#include "pipeline/report/picture.h"
#include "pipeline/report/report.h"

enum { REPORT_PAIRS = 15 }; /* those of six columns */

typedef struct report_view {
    const report_input *in;
    json_t *verdict, *teacher_metrics, *student_metrics; /* the second NULL without a teacher */
    bank rows;
    picture_pair pairs[REPORT_PAIRS];
    size_t n_pairs;
} report_view;

/* What it comes to; gates, limits, and warnings with what to do. */
void section_verdict(html *page, const report_view *v);
/* The course of both trainings. */
void section_training(html *page, const report_view *v);
/* Every column; chosen ones in pairs; side by side. */
void section_columns(html *page, const report_view *v);
void section_pairs(html *page, const report_view *v);
/* Weights, what they are worth, and what is missed. */
void section_weights(html *page, const report_view *v);
void section_missed(html *page, const report_view *v);
/* All numbers of teacher, student and data. */
void section_numbers(html *page, const report_view *v);
/* Students of several sizes; how fast everyone is. */
void section_speed(html *page, const report_view *v);
/* What was run, with what, and how to run it again. */
void section_setup(html *page, const report_view *v);

/* Its part about tails. */
void section_tails(html *page, const json_t *verdict);

/* A picture beside the page as PNG. */
void section_png(html *page, const plot_drawing *drawing, const char *path);

#endif
