#include "teacher/look.h"

#include "teacher/columns.h"
#include "teacher/look_findings.h"
#include "teacher/walk.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what parts of a look share */

const data_kind *look_kind(const look_job *self, size_t i)
{
    const data_options *o = self->options;
    if (i >= self->out->dim)
        return &data_kind_plain; /* context */
    return o->kinds ? &o->kinds[i] : &o->kind;
}

double look_noise(const look_job *self, size_t i)
{
    return look_kind(self, i)->step;
}

static bool is_plain(const char *name)
{
    bool plain = isalpha((unsigned char)*name) || *name == '_';
    for (const char *at = name; *at; at++)
        plain = plain && (isalnum((unsigned char)*at) || *at == '_');
    return plain;
}

const char *look_name(char *name, const look_job *self, size_t i)
{
    const file_table *table = self->at.table;
    size_t col = self->out->columns[i].col;
    if (!table->names)
        snprintf(name, LOOK_NAME_SIZE, "%zu", file_table_place(table, col));
    else
        snprintf(name, LOOK_NAME_SIZE, is_plain(table->names[col]) ? "%.80s" : "'%.80s'",
                 table->names[col]);
    return name;
}

const char *look_word(char *word, const look_job *self, size_t i)
{
    if (self->at.table->names)
        return look_name(word, self, i);
    snprintf(word, LOOK_NAME_SIZE, "column %zu",
             file_table_place(self->at.table, self->out->columns[i].col));
    return word;
}

void look_hint(char *remedy, look_job *self, size_t i, const char *key, const char *value)
{
    char name[LOOK_NAME_SIZE];
    look_column *of = &self->out->columns[i];
    snprintf(of->hint, sizeof of->hint, "%s: %s", key, value);
    snprintf(remedy, LOOK_REMEDY_SIZE, "data.columns: {%s: {%s}, ...}", look_name(name, self, i),
             of->hint);
}

/* NULL: memory is out, and the look has failed. */
static look_finding *add_finding(look_job *self)
{
    data_look *out = self->out;
    look_finding *all = realloc(out->findings, (out->n_findings + 1) * sizeof *all);
    if (!all) {
        self->code = flow_fail(self->err, FLOW_ENOMEM, "no memory for what was found");
        return NULL;
    }
    out->findings = all;
    return all + out->n_findings++;
}

void look_say(look_job *self, look_level level, const char *kind, size_t i, const char *remedy,
              const char *fmt, ...)
{
    look_finding *f = self->code ? NULL : add_finding(self);
    if (!f)
        return;
    size_t used = 0;
    *f = (look_finding){.level = level, .kind = kind, .col = LOOK_NO_COLUMN};
    if (i != LOOK_NO_COLUMN) {
        f->col = self->out->columns[i].col;
        data_column_label(f->text, self->at.table, f->col);
        used = strlen(f->text);
        f->text[used++] = ' ';
    }
    va_list list;
    va_start(list, fmt);
    vsnprintf(f->text + used, sizeof f->text - used, fmt, list);
    va_end(list);
    snprintf(f->remedy, sizeof f->remedy, "%s", remedy);
}

/* ---- the whole */

static int take_columns(void *arg, double *to, const data_pass *at, size_t first, size_t k,
                        flow_err *err)
{
    const look_job *self = arg;
    (void)err;
    for (size_t i = 0; i < at->n; i++)
        for (size_t j = 0; j < k; j++)
            to[i * k + j] = at->row[i][self->out->columns[first + j].col];
    return FLOW_OK;
}

static int look_at_one(void *arg, double *x, size_t i, flow_err *err)
{
    look_job *self = arg;
    (void)err;
    self->at.x = x;
    look_at_column(&self->out->columns[i], &self->at);
    return FLOW_OK;
}

static int look_at_columns(look_job *self)
{
    data_look *out = self->out;
    const data_plan *plan = self->at.plan;
    const data_walk walk = {out->n_columns, take_columns, look_at_one, self};
    for (size_t i = 0; i < out->n_columns; i++) {
        out->columns[i].context = i >= plan->dim;
        out->columns[i].col = i < plan->dim ? plan->data[i] : plan->context[i - plan->dim];
    }
    return data_walk_run(&walk, self->at.rows, plan, self->err);
}

static int allocate(look_job *self)
{
    const data_plan *plan = self->at.plan;
    data_look *out = self->out;
    out->dim = plan->dim;
    out->n_columns = plan->dim + plan->n_context;
    out->n_train = plan->n_train;
    out->n_valid = plan->n_valid;
    out->n_test = plan->n_test;
    out->rows.n = data_plan_n(plan);
    out->rows.dropped = plan->dropped;
    out->columns = calloc(out->n_columns, sizeof *out->columns);
    self->at.work = malloc(look_work(plan) * sizeof *self->at.work);
    if (!out->columns || !self->at.work)
        return flow_fail(self->err, FLOW_ENOMEM, "no memory to look at %zu columns",
                         out->n_columns);
    return FLOW_OK;
}

/* Errors first, then warnings, then notes; in each the order in which they were found. */
static void sort_findings(data_look *self)
{
    for (size_t i = 1; i < self->n_findings; i++) {
        look_finding f = self->findings[i];
        size_t k = i;
        for (; k > 0 && self->findings[k - 1].level < f.level; k--)
            self->findings[k] = self->findings[k - 1];
        self->findings[k] = f;
    }
}

/* Nothing if it is too long to be of use. */
static void suggest_columns(look_job *self)
{
    data_look *out = self->out;
    size_t used = 0, hints = 0, size = sizeof out->suggestion;
    char name[LOOK_NAME_SIZE];
    for (size_t i = 0; i < out->dim && used < size; i++) {
        const look_column *of = &out->columns[i];
        if (of->fixed || of->tied)
            continue;
        used +=
            (size_t)snprintf(out->suggestion + used, size - used, "%s%s: {%s}",
                             used ? ", " : "data.columns: {", look_name(name, self, i), of->hint);
        hints += of->hint[0] != '\0';
    }
    if (used < size)
        used += (size_t)snprintf(out->suggestion + used, size - used, "}");
    if (used >= size || hints == 0 || self->options->kinds)
        out->suggestion[0] = '\0';
}

static int look(look_job *self)
{
    self->code = allocate(self);
    if (!self->code)
        self->code = look_at_columns(self);
    if (self->code)
        return self->code;
    look_judge_columns(self);
    look_for_ties(self);
    look_for_repeats(self);
    look_judge_rows(self);
    look_judge_split(self);
    sort_findings(self->out);
    suggest_columns(self);
    return self->code;
}

data_look *data_look_at(file_stream *rows, const data_plan *plan, const char *source,
                        const data_options *options, flow_err *err)
{
    look_job job = {.at = {.table = file_stream_head(rows), .plan = plan, .rows = rows},
                    .options = options,
                    .err = err};
    job.out = calloc(1, sizeof *job.out);
    if (!job.out)
        flow_fail(err, FLOW_ENOMEM, "no memory to look at %s", source);
    else if (look(&job)) {
        data_look_free(job.out);
        job.out = NULL;
    }
    free(job.at.work);
    return job.out;
}

data_look *data_look_create(const file_table *table, const char *source,
                            const data_options *options, flow_err *err)
{
    data_plan plan;
    data_look *out = NULL;
    file_stream *rows = file_stream_of_table(table, err);
    if (rows && data_plan_init(&plan, rows, source, options, err) == FLOW_OK) {
        out = data_look_at(rows, &plan, source, options, err);
        data_plan_release(&plan);
    }
    file_stream_free(rows);
    return out;
}

void data_look_free(data_look *self)
{
    if (!self)
        return;
    free(self->columns);
    free(self->findings);
    free(self);
}

int data_look_judge(const data_look *self, const char *source, flow_err *err)
{
    size_t errors = 0;
    while (errors < self->n_findings && self->findings[errors].level == LOOK_ERROR)
        errors++;
    if (errors == 0)
        return FLOW_OK;
    const look_finding *f = self->findings;
    char more[80] = "";
    if (errors > 1)
        snprintf(more, sizeof more, " (%zu more: distill inspect)", errors - 1);
    return flow_fail(err, FLOW_EDATA, "%s: %s; %s%s", source, f->text, f->remedy, more);
}
