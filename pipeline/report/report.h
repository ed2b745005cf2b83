/* pipeline/report/report.h -- a run as one page that needs nothing else: report.html, with every figure beside it as SVG and PDF, and
 * three of them as PNG.
 *
 * What is shown of figures comes from the run's own files, so that the page says what they say; rows are sampled again, by the streams
 * that bank.h names. But for what stands between "clock" comments, the bytes depend on the run alone. */
#ifndef PIPELINE_REPORT_REPORT_H
#define PIPELINE_REPORT_REPORT_H

#include "pipeline/config/config.h"
#include "pipeline/report/bank.h"

typedef struct report_input {
    const config *config;
    const char *verdict;         /* validation.json; this and the following are paths */
    const char *chain;           /* chain.npy, where the verdict has chains */
    const char *teacher_metrics; /* NULL: a target is learnt from */
    const char *student_metrics;
    const char *page;                        /* report.html, to be written */
    const char *figures;                     /* a directory that exists, for SVG and PDF */
    const char *picture, *ladder, *energies; /* picture.png, ..., to be written */
    bank_source rows;                        /* all but log_z and samples is set */
    const char *teacher_note, *student_note; /* below the titles of the picture */
} report_input;

/* Errors: of files FLOW_ENOINPUT, FLOW_EDATA, FLOW_ECREATE, FLOW_EIO; those of bank_open; FLOW_ECONFIG: report.pairs names a column that
 * there is not. err is not NULL. */
int report_write(const report_input *in, flow_err *err);

#endif
