/* teacher/look_findings.h -- what is found while a table is looked at, said in words. */
#ifndef TEACHER_LOOK_FINDINGS_H
#define TEACHER_LOOK_FINDINGS_H

#include "teacher/look_column.h"

/* One look. code is set once memory is out, and then stays. */
typedef struct look_job {
    data_look *out;
    look_place at;
    const data_options *options;
    int code;
    flow_err *err;
} look_job;

enum { LOOK_NAME_SIZE = 100 };

/* Adds a finding about column i of out->columns, LOOK_NO_COLUMN: about rows. Its text begins with the
 * column. remedy is copied. */
__attribute__((format(printf, 6, 7))) void look_say(look_job *self, look_level level,
                                                    const char *kind, size_t i, const char *remedy,
                                                    const char *fmt, ...);

/* The column's name as YAML has it, quoted if it must be, or its number; returns name. */
const char *look_name(char *name, const look_job *self, size_t i);

/* The same for people: "column 3" where columns have no names. */
const char *look_word(char *word, const look_job *self, size_t i);

/* Column i should be said to be of this kind: remedy is "data.columns: {NAME: {KEY: VALUE}, ...}". */
enum { LOOK_REMEDY_SIZE = 300 };
void look_hint(char *remedy, look_job *self, size_t i, const char *key, const char *value);

/* What the options say of column i. */
const data_kind *look_kind(const look_job *self, size_t i);

/* The step of the noise that is added to column i; 0: none. */
double look_noise(const look_job *self, size_t i);

/* ---- the parts of a look, each of which adds its findings */

void look_for_ties(look_job *self);    /* columns that follow from others */
void look_for_repeats(look_job *self); /* fills in out->rows */
void look_judge_columns(look_job *self);
void look_judge_rows(look_job *self);
void look_judge_split(look_job *self);

#endif
