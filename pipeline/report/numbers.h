/* pipeline/report/numbers.h -- looking into validation.json and metrics.jsonl, and numbers as a reader sees them. */
#ifndef PIPELINE_REPORT_NUMBERS_H
#define PIPELINE_REPORT_NUMBERS_H

#include <jansson.h>
#include <stddef.h>

/* What stands at "a.b.c". NaN: no number. */
double number_at(const json_t *at, const char *path);
/* "": no text. */
const char *text_at(const json_t *at, const char *path);

/* In as many digits as mean something: "0.0032", "1.2e-05", "12,300"; "not known" of NaN. Returns out. */
enum { NUMBER_TEXT = 64 };
const char *number_text(char out[NUMBER_TEXT], double value);
/* With its standard error, to the second digit of that: "0.0032 +- 0.0011"; without one where it is none. */
const char *number_with_error(char out[NUMBER_TEXT], double value, double se);
/* A count, its thousands apart. */
const char *number_count(char out[NUMBER_TEXT], double value);
/* A share, in percent. */
const char *number_percent(char out[NUMBER_TEXT], double share);

#endif
