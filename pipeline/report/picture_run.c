#include "pipeline/report/picture_run.h"

#include "pipeline/report/picture.h"
#include "pipeline/report/picture_pairs.h"
#include "teacher/streams.h"
#include "teacher/thin.h"

#include <stdlib.h>
#include <string.h>

/* What is shown: n rows of each. */
typedef struct shown {
    size_t n, dim, n_context;
    double *data, *teacher, *student; /* (n, dim) in user's units */
    double *context;                  /* (n, n_context) in user's units */
} shown;

static void release(shown *s)
{
    free(s->data);
    free(s->teacher);
    free(s->student);
    free(s->context);
}

/* No larger than what the data set holds itself, so the sizes cannot overflow. */
static int reserve(shown *s, flow_err *err)
{
    size_t count = s->n * s->dim;
    s->data = malloc((count + 1) * sizeof *s->data);
    s->teacher = malloc((count + 1) * sizeof *s->teacher);
    s->student = malloc((count + 1) * sizeof *s->student);
    s->context = malloc((s->n * s->n_context + 1) * sizeof *s->context);
    if (s->data && s->teacher && s->student && s->context)
        return 0;
    return flow_fail(err, FLOW_ENOMEM, "out of memory for a picture of %zu rows", s->n);
}

/* n of `total` rows, spread over them. */
static void gather(double *out, const flow_units *units, const double *rows, size_t total, size_t n,
                   size_t width)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * width, rows + i * total / n * width, width * sizeof *out);
    flow_units_to_user(units, out, NULL, out, n);
}

static int sample(double *out, const flow_model *model, flow_pool *pool, const shown *s,
                  uint64_t seed, uint32_t purpose, flow_err *err)
{
    pcg_stream stream = {.seed = seed, .stage = STREAM_EXPORT, .purpose = purpose};
    return flow_model_sample(model, pool, out, NULL, s->n_context ? s->context : NULL, stream, 0,
                             s->n, err);
}

static int write_shown(const char *path, const data_set *data, const shown *s,
                       const char *teacher_note, const char *student_note, flow_err *err)
{
    picture p = {.dim = s->dim,
                 .names = (const char *const *)data->names,
                 .sources = {{"data", s->data, s->n},
                             {"teacher", s->teacher, s->n, teacher_note},
                             {"student", s->student, s->n, student_note}},
                 .n_sources = 3};
    int code = picture_choose_pairs(p.pairs, &p.n_pairs, s->data, s->n, s->dim, err);
    return code ? code : picture_write(path, &p, err);
}

int picture_of_run(const char *path, const data_set *data, const flow_model *teacher,
                   const flow_model *student, const char *teacher_note, const char *student_note,
                   flow_pool *pool, uint64_t seed, flow_err *err)
{
    data_part all = data->train, rows; /* the parts follow one another in one block (dataset.h) */
    pcg_stream stream = {.seed = seed, .stage = STREAM_EXPORT, .purpose = PCG_THIN};
    all.n += data->valid.n + data->test.n;
    if (data_thin(&rows, &all, data->dim, data->n_context, stream, err))
        return err->code;
    shown s = {.n = rows.n < PICTURE_RUN_ROWS ? rows.n : PICTURE_RUN_ROWS,
               .dim = data->dim,
               .n_context = data->n_context};
    int code = reserve(&s, err);
    if (!code) {
        gather(s.data, data->units, rows.x, rows.n, s.n, s.dim);
        if (s.n_context)
            gather(s.context, data->context_units, rows.context, rows.n, s.n, s.n_context);
        code = sample(s.teacher, teacher, pool, &s, seed, PCG_TARGET, err);
    }
    if (!code)
        code = sample(s.student, student, pool, &s, seed, PCG_BASE, err);
    if (!code)
        code = write_shown(path, data, &s, teacher_note, student_note, err);
    release(&s);
    data_thin_release(&rows, &all);
    return code;
}
