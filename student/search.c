#include "student/search.h"
#include "flow/block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct search {
    const student_searching *with;
    student_rungs *rungs;
    size_t at;   /* rung of the student in hand */
    flow *taken; /* NULL: none yet */
} search;

/* The size that the search begins with. */
static flow_unrolling whole(const search *s)
{
    flow_unrolling how = s->with->how;
    how.width = isnan(how.width) ? 1 : how.width;
    return how;
}

/* ---- rungs */

void student_rungs_release(student_rungs *self)
{
    free(self->at);
    *self = (student_rungs){.n = 0};
}

static int make_room(student_rungs *self, flow_err *err)
{
    if (self->n == self->capacity) {
        size_t capacity = self->capacity ? 2 * self->capacity : 8;
        student_rung *at = realloc(self->at, capacity * sizeof *at);
        if (!at)
            return flow_fail(err, FLOW_ENOMEM, "out of memory for %zu students", capacity);
        self->at = at;
        self->capacity = capacity;
    }
    return 0;
}

static int append(search *s, const student_rung *rung, flow_err *err)
{
    if (make_room(s->rungs, err))
        return FLOW_ENOMEM;
    s->at = s->rungs->n++;
    s->rungs->at[s->at] = *rung;
    return 0;
}

/* ---- what is kept */

/* The next rung as it was kept, and its student; *found: there is one. */
static int recall(search *s, bool *found, student_rung *rung, flow *student, flow_err *err)
{
    const student_searching *w = s->with;
    *found = false;
    return w->recall ? w->recall(w->arg, found, s->rungs->n, rung, student, err) : 0;
}

/* One that was measured just now. */
static int append_new(search *s, const student_rung *rung, const flow *student, flow_err *err)
{
    const student_searching *w = s->with;
    int code = append(s, rung, err);
    return code || !w->remember ? code : w->remember(w->arg, s->at, rung, student, err);
}

/* ---- passing */

static bool rung_passes(const search *s, size_t rung)
{
    return s->with->passes(s->with->arg, &s->rungs->at[rung]);
}

static bool passes(const search *s)
{
    return rung_passes(s, s->at);
}

/* ---- up */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What is measured untrained: with as many steps as the teacher has groups it is the teacher. */
static size_t highest(const search *s)
{
    size_t asked = s->with->how.iterations, most = flow_passes_of_inverse(s->with->teacher);
    most = smaller(most, STUDENT_SEARCH_MOST);
    return asked ? smaller(asked, most) : most;
}

static int climb_to(search *s, size_t iterations, flow_err *err)
{
    student_rung rung;
    bool found;
    int code = recall(s, &found, &rung, NULL, err);
    if (found)
        return append(s, &rung, err);
    if (!code)
        code = student_rung_climb(&rung, s->with->teacher, iterations, FLOW_NETWORK_AS_IS,
                                  s->with->sides, err);
    return code ? code : append_new(s, &rung, NULL, err);
}

/* Up to the T that is asked for, or that passes first, or the highest: the last rung. */
static int climb(search *s, flow_err *err)
{
    int code = 0;
    bool on = true;
    for (size_t t = 1; !code && on && t <= highest(s); t++) {
        code = climb_to(s, t, err);
        on = !code && (s->with->how.iterations || !passes(s));
    }
    return code;
}

/* ---- down */

static int measure(search *s, const flow *student, const student_rung *rung, flow_err *err)
{
    student_rung out = *rung;
    int code = student_rung_measure(&out, student, s->with->sides, err);
    return code ? code : append_new(s, &out, student, err);
}

/* What `work` makes of the student, and its rung; or both as they are kept. *kept: the latter. Where the layers had nothing
 * to learn the next rung that is kept is that of the whole, which says so. */
static int train_or_recall(search *s, bool *found, student_rung *kept, flow *student,
                           student_rung *rung,
                           int (*work)(void *arg, flow *student, student_rung *rung, flow_err *err),
                           flow_err *err)
{
    int code = recall(s, found, kept, student, err);
    if (code || !*found)
        return code || !work ? code : work(s->with->arg, student, rung, err);
    rung->layers = kept->layers;
    rung->training = kept->training;
    return 0;
}

static int keep_weights(void **kept, const flow *student, flow_err *err)
{
    size_t bytes = flow_params_bytes(student);
    if (!(*kept = flow_block_new(bytes)))
        return flow_fail(err, FLOW_ENOMEM, "out of memory for a student's weights");
    memcpy(*kept, flow_params_const(student), bytes);
    return 0;
}

/* *kept: its weights then, to be freed; NULL: there was nothing to be done. */
static int train_layers(search *s, void **kept, flow *student, student_rung *rung, flow_err *err)
{
    bool found;
    student_rung then;
    int code = train_or_recall(s, &found, &then, student, rung, s->with->layerwise, err);
    if (code || !rung->layers.trained)
        return code;
    rung->layerwise = true;
    code = found ? append(s, &then, err) : measure(s, student, rung, err);
    rung->layerwise = false;
    return code ? code : keep_weights(kept, student, err);
}

static int train_whole(search *s, const void *kept, flow *student, student_rung *rung,
                       flow_err *err)
{
    bool found;
    student_rung then;
    size_t before = s->at;
    int code = train_or_recall(s, &found, &then, student, rung, s->with->train, err);
    if (!code)
        code = found ? append(s, &then, err) : measure(s, student, rung, err);
    if (code || !kept || passes(s) || !rung_passes(s, before))
        return code;
    memcpy(flow_params(student), kept, flow_params_bytes(student));
    s->at = before;
    s->rungs->at[before].training = rung->training;
    s->rungs->at[before].training.went_back = 1;
    return 0;
}

static int train(search *s, flow *student, student_rung *rung, flow_err *err)
{
    void *kept = NULL;
    rung->trained = true;
    int code = train_layers(s, &kept, student, rung, err);
    code = code ? code : train_whole(s, kept, student, rung, err);
    free(kept);
    return code;
}

/* A student of that size, trained and measured: the student in hand. After FLOW_ESTOPPED *out is there and not
 * measured. */
static int make(search *s, flow **out, const flow_unrolling *how, flow_err *err)
{
    const flow *teacher = s->with->teacher;
    student_rung rung = {.how = *how};
    *out = flow_unroll(teacher, how, flow_get_precision(teacher), err);
    int code = *out ? train(s, *out, &rung, err) : err->code;
    if (code && code != FLOW_ESTOPPED) {
        flow_free(*out);
        *out = NULL;
    }
    return code;
}

/* Hands a trained student to the caller, and frees it. */
static int put_aside(search *s, flow *student, size_t rung, flow_err *err)
{
    int code = s->with->aside(s->with->arg, student, &s->rungs->at[rung], err);
    flow_free(student);
    return code;
}

/* The student takes the place of the one that was taken. */
static int take(search *s, flow *student, flow_err *err)
{
    flow *before = s->taken;
    size_t rung = s->rungs->taken;
    s->taken = student;
    s->rungs->taken = s->at;
    return before ? put_aside(s, before, rung, err) : 0;
}

/* Whether the student in hand is to be taken: it passes, or is the first, or none has passed and it is larger. */
static bool is_wanted(const search *s, bool good, size_t iterations)
{
    return good || !s->taken || iterations > s->rungs->at[s->rungs->taken].how.iterations;
}

/* So many steps; *on: they pass. */
static int try_steps(search *s, size_t iterations, bool *on, flow_err *err)
{
    flow_unrolling how = whole(s);
    flow *student;
    how.iterations = iterations;
    *on = false;
    int code = make(s, &student, &how, err);
    if (code == FLOW_ESTOPPED && !s->taken)
        s->taken = student;
    else if (code == FLOW_ESTOPPED)
        flow_free(student);
    if (code)
        return code;
    *on = passes(s);
    return is_wanted(s, *on, iterations) ? take(s, student, err)
                                         : put_aside(s, student, s->at, err);
}

/* From the first that is likely to be enough: one fewer than pass untrained. If it is not, those it is. */
static int descend(search *s, size_t top, flow_err *err)
{
    size_t from = top > 1 && passes(s) ? top - 1 : top;
    bool on, first;
    int code = try_steps(s, from, &first, err);
    on = first;
    for (size_t t = from - 1; !code && on && t > 0; t--)
        code = try_steps(s, t, &on, err);
    return code || first || from == top ? code : try_steps(s, top, &on, err);
}

/* Those that were asked for, or as many as it takes. */
static int train_all(search *s, size_t top, flow_err *err)
{
    size_t asked = s->with->how.iterations;
    bool on;
    return asked ? try_steps(s, asked, &on, err) : descend(s, top, err);
}

static bool same_size(const flow_unrolling *a, const flow_unrolling *b)
{
    return a->iterations == b->iterations && !(a->width < b->width) && !(a->width > b->width);
}

/* What passes as it starts, the rung `untrained`, and does not when it was trained, is handed over as it
 * starts. */
static int undo(search *s, size_t untrained, flow_err *err)
{
    const student_rung *trained = &s->rungs->at[s->rungs->taken], *start = s->rungs->at + untrained;
    const flow *teacher = s->with->teacher;
    if (s->with->passes(s->with->arg, trained) || !same_size(&trained->how, &start->how) ||
        !s->with->passes(s->with->arg, start))
        return 0;
    flow *student = flow_unroll(teacher, &trained->how, flow_get_precision(teacher), err);
    if (!student)
        return err->code;
    int code = put_aside(s, s->taken, s->rungs->taken, err);
    s->rungs->at[untrained].training = trained->training;
    s->rungs->at[untrained].training.went_back = 1;
    s->taken = student;
    s->rungs->taken = untrained;
    return code;
}

/* ---- narrower */

/* Half as wide; *on: it passes. */
static int try_half(search *s, bool *on, flow_err *err)
{
    const flow_unrolling *taken = &s->rungs->at[s->rungs->taken].how;
    flow_unrolling how = whole(s);
    flow *student;
    how.iterations = taken->iterations;
    how.width = taken->width / 2;
    int code = make(s, &student, &how, err);
    if (code) {
        flow_free(student);
        return code;
    }
    *on = passes(s);
    return *on ? take(s, student, err) : put_aside(s, student, s->at, err);
}

/* For as long as they pass. */
static int narrow(search *s, flow_err *err)
{
    bool on = isnan(s->with->how.width) && rung_passes(s, s->rungs->taken);
    int code = 0;
    for (size_t h = 0; !code && on && h < STUDENT_SEARCH_HALVINGS; h++)
        code = try_half(s, &on, err);
    return code;
}

/* ---- shrinking */

static bool is_there(const student_rungs *rungs, const flow_unrolling *how)
{
    for (size_t k = 0; k < rungs->n; k++)
        if (rungs->at[k].trained && same_size(&rungs->at[k].how, how))
            return true;
    return false;
}

static int shrink_to(search *s, const flow_unrolling *how, flow_err *err)
{
    flow *student;
    if (is_there(s->rungs, how))
        return 0;
    int code = make(s, &student, how, err);
    if (!code)
        return put_aside(s, student, s->at, err);
    flow_free(student);
    return code;
}

static int shrink(search *s, flow_err *err)
{
    flow_unrolling how = whole(s);
    how.iterations = s->rungs->at[s->rungs->taken].how.iterations;
    size_t fewest = s->with->fewest ? s->with->fewest : how.iterations;
    int code = 0;
    for (; !code && how.iterations >= fewest && how.iterations > 0; how.iterations--) {
        how.width = whole(s).width;
        code = shrink_to(s, &how, err);
        for (size_t h = 0; !code && h < s->with->halvings; h++) {
            how.width /= 2;
            code = shrink_to(s, &how, err);
        }
    }
    return code;
}

/* ---- the whole */

int student_search(const student_searching *self, flow **taken, student_rungs *rungs, flow_err *err)
{
    search s = {.with = self, .rungs = rungs};
    *rungs = (student_rungs){.n = 0};
    int code = climb(&s, err);
    size_t top = rungs->n;
    if (!code)
        code = train_all(&s, top, err);
    if (!code)
        code = undo(&s, top - 1, err);
    if (!code)
        code = narrow(&s, err);
    if (!code)
        code = shrink(&s, err);
    if (code && code != FLOW_ESTOPPED) {
        flow_free(s.taken);
        s.taken = NULL;
    }
    *taken = s.taken;
    return code;
}
