#include "pipeline/report/picture_run.h"

#include "pipeline/report/picture.h"
#include "pipeline/report/picture_pairs.h"
#include "teacher/streams.h"
#include "teacher/thin.h"

#include <stdbool.h>
#include <stdlib.h>

/* What is shown: n rows of each; NULL: there is none of it. */
typedef struct shown {
    size_t n, dim, n_context;
    double *data, *teacher, *student; /* (n, dim) in user's units */
    double *context;                  /* (n, n_context) in user's units */
    double *logp;                     /* (n), to work in */
} shown;

static void release(shown *s)
{
    free(s->data);
    free(s->teacher);
    free(s->student);
    free(s->context);
    free(s->logp);
}

/* Small enough that the sizes cannot overflow. data, teacher: whether there are any. */
static int reserve(shown *s, bool data, bool teacher, flow_err *err)
{
    size_t count = s->n * s->dim + 1;
    s->data = data ? malloc(count * sizeof *s->data) : NULL;
    s->teacher = teacher ? malloc(count * sizeof *s->teacher) : NULL;
    s->student = malloc(count * sizeof *s->student);
    s->context = malloc((s->n * s->n_context + 1) * sizeof *s->context);
    s->logp = malloc((s->n + 1) * sizeof *s->logp);
    if ((s->data || !data) && (s->teacher || !teacher) && s->student && s->context && s->logp)
        return 0;
    return flow_fail(err, FLOW_ENOMEM, "out of memory for a picture of %zu rows", s->n);
}

/* n of `total` rows, spread over them. */
static void gather(double *out, const flow_units *units, const data_numbers *rows, size_t total,
                   size_t n)
{
    for (size_t i = 0; i < n; i++)
        data_numbers_copy(out + i * rows->width, rows, i * total / n, 1);
    flow_units_to_user(units, out, NULL, out, n);
}

static int sample(double *out, const flow_model *model, flow_pool *pool, const shown *s,
                  uint64_t seed, uint32_t purpose, flow_err *err)
{
    pcg_stream stream = {.seed = seed, .stage = STREAM_EXPORT, .purpose = purpose};
    return flow_model_sample(model, pool, out, NULL, s->n_context ? s->context : NULL, stream, 0,
                             s->n, err);
}

/* Side by side, with their notes below their titles. */
typedef struct labels {
    const char *teacher, *teacher_note, *student_note;
    const char *const *names; /* (dim) */
} labels;

/* Those of the sources that there are. */
static int write_shown(const char *path, const shown *s, const labels *l, flow_err *err)
{
    const picture_source all[] = {{"data", s->data, s->n, NULL},
                                  {l->teacher, s->teacher, s->n, l->teacher_note},
                                  {"student", s->student, s->n, l->student_note}};
    picture p = {.dim = s->dim, .names = l->names};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].x)
            p.sources[p.n_sources++] = all[i];
    int code = picture_choose_pairs(p.pairs, &p.n_pairs, p.sources[0].x, s->n, s->dim, err);
    return code ? code : picture_write(path, &p, err);
}

int picture_of_run(const char *path, const data_set *data, const flow_model *teacher,
                   const flow_model *student, const char *teacher_note, const char *student_note,
                   flow_pool *pool, uint64_t seed, flow_err *err)
{
    data_part all = data_set_all(data), rows;
    pcg_stream stream = {.seed = seed, .stage = STREAM_EXPORT, .purpose = PCG_THIN};
    if (data_thin(&rows, &all, stream, err))
        return err->code;
    shown s = {.n = rows.n < PICTURE_RUN_ROWS ? rows.n : PICTURE_RUN_ROWS,
               .dim = data->dim,
               .n_context = data->n_context};
    const labels l = {"teacher", teacher_note, student_note, (const char *const *)data->names};
    int code = reserve(&s, true, true, err);
    if (!code) {
        gather(s.data, data->units, &rows.x, rows.n, s.n);
        if (s.n_context)
            gather(s.context, data->context_units, &rows.context, rows.n, s.n);
        code = sample(s.teacher, teacher, pool, &s, seed, PCG_TARGET, err);
    }
    if (!code)
        code = sample(s.student, student, pool, &s, seed, PCG_BASE, err);
    if (!code)
        code = write_shown(path, &s, &l, err);
    release(&s);
    data_thin_release(&rows);
    return code;
}

/* Rows of the target, which has the contexts in the units of its flow; then all of it in the user's units. */
static int sample_target(shown *s, const target *from, const flow_model *frame, flow_pool *pool,
                         uint64_t seed, flow_err *err)
{
    pcg_stream stream = {.seed = seed, .stage = STREAM_EXPORT, .purpose = PCG_TARGET};
    int code = s->teacher ? target_sample(from, pool, s->teacher, s->logp, NULL, s->context, stream,
                                          0, s->n, err)
                          : 0;
    if (!code && s->teacher)
        flow_units_to_user(frame->units, s->teacher, NULL, s->teacher, s->n);
    if (!code && s->n_context)
        flow_units_to_user(frame->context_units, s->context, NULL, s->context, s->n);
    return code;
}

int picture_of_target(const char *path, const target *from, const distill_contexts *contexts,
                      const flow_model *student, const char *const *names, const char *student_note,
                      flow_pool *pool, uint64_t seed, flow_err *err)
{
    shown s = {.n = PICTURE_RUN_ROWS, .dim = from->dim, .n_context = from->context};
    const labels l = {"target", NULL, student_note, names};
    int code = reserve(&s, false, from->ops->sample != NULL, err);
    for (size_t i = 0; !code && s.n_context && i < s.n; i++)
        data_numbers_copy(s.context + i * s.n_context, &contexts->rows, i % contexts->n, 1);
    if (!code)
        code = sample_target(&s, from, student, pool, seed, err);
    if (!code)
        code = sample(s.student, student, pool, &s, seed, PCG_BASE, err);
    if (!code)
        code = write_shown(path, &s, &l, err);
    release(&s);
    return code;
}
