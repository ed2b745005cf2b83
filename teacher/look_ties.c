/* teacher/look_ties.c -- columns that follow from others: copies, sums, shares beside their total.
 *
 * The covariance matrix of the columns, each over its own spread, is factored as L L^T column by column in
 * their order, those of context first. What the columns before leave of the variance of one is the square of
 * its diagonal: where that is nothing, the column is a linear function of them, and a density of all is
 * infinite on a plane and zero elsewhere. Noise that dequantising adds is part of the variance, so columns
 * that are tied before it are not tied after. */
#include "teacher/look_findings.h"
#include "teacher/pass.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_COLUMNS = 1024, /* of more of them the first */
    FEW_ROWS = 2048     /* as many at least, if there are; four for each column */
};
static const double certain = 1e-5, likely = 1e-3; /* what is left, over the spread of the column */

typedef struct ties {
    look_job *job;
    size_t n, *order;        /* (n) columns of the look */
    double *scale;           /* (n) */
    double *l;               /* (n, n): covariance above and on the diagonal, L below it */
    double *diagonal;        /* (n) of L; 0: the column follows from those before it */
    double *z, *mean, *coef; /* (n) */
    double *sample;          /* (m, n): rows at even distances */
    double *rest;            /* (rows), of one column; NULL: not yet */
} ties;

/* Of a row of the table. */
static double value(const ties *self, const double *row, size_t k)
{
    return row[self->job->out->columns[self->order[k]].col];
}

static const look_column *column(const ties *self, size_t k)
{
    return &self->job->out->columns[self->order[k]];
}

/* Context first; columns of one value follow from nothing. */
static void choose_order(ties *self)
{
    const data_look *look = self->job->out;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < look->n_columns && self->n < MAX_COLUMNS; i++)
            if (look->columns[i].context == (pass == 0) && !look->columns[i].fixed)
                self->order[self->n++] = i;
    for (size_t k = 0; k < self->n; k++) {
        const look_column *c = column(self, k);
        self->scale[k] = c->spread > 0 ? c->spread : c->sd;
    }
}

/* ---- the matrix */

/* The row of the sample that the row in a place is; m: it is none. Those of the sample are a step apart, up to rounding. */
static size_t sample_of(size_t place, size_t m, size_t rows)
{
    double step = (double)rows / (double)m;
    size_t i = (size_t)((double)place / step);
    double off = (double)place - (double)i * step;
    for (size_t k = i; (off < 2 || off > step - 2) && k < i + 3; k++)
        if (k > 0 && k <= m && look_spread_out(k - 1, m, rows) == place)
            return k - 1;
    return m;
}

static int take_sample(ties *self, size_t m, size_t rows)
{
    data_pass at;
    const look_place *from = &self->job->at;
    self->sample = malloc((m * self->n + 1) * sizeof *self->sample);
    if (!self->sample)
        return flow_fail(self->job->err, FLOW_ENOMEM, "no memory for %zu rows", m);
    for (data_pass_begin(&at, from->rows, from->plan); data_pass_next(&at, self->job->err);)
        for (size_t i = 0; i < at.n; i++) {
            size_t to = sample_of(at.place[i], m, rows);
            for (size_t k = 0; to < m && k < self->n; k++)
                self->sample[to * self->n + k] = value(self, at.row[i], k);
        }
    return at.code;
}

static void add_row(ties *self, const double *sampled, double weight)
{
    for (size_t k = 0; k < self->n; k++) {
        self->z[k] = (sampled[k] - column(self, k)->mean) / self->scale[k];
        self->mean[k] += weight * self->z[k];
    }
    for (size_t k = 0; k < self->n; k++) {
        double *row = self->l + k * self->n, x = weight * self->z[k];
        for (size_t j = k; j < self->n; j++)
            row[j] += x * self->z[j];
    }
}

static int fill_matrix(ties *self, size_t rows)
{
    size_t wanted = 4 * self->n > FEW_ROWS ? 4 * self->n : FEW_ROWS;
    size_t m = rows < wanted ? rows : wanted;
    int code = take_sample(self, m, rows);
    for (size_t i = 0; i < m && !code; i++)
        add_row(self, self->sample + i * self->n, 1 / (double)m);
    for (size_t k = 0; k < self->n; k++) {
        double noise = look_noise(self->job, self->order[k]) / self->scale[k];
        for (size_t j = k; j < self->n; j++)
            self->l[k * self->n + j] -= self->mean[k] * self->mean[j];
        self->l[k * self->n + k] += noise * noise / 12; /* variance of a uniform number */
    }
    return code;
}

/* Row k of L below the diagonal; returns what is left of its variance. */
static double eliminate(ties *self, size_t k)
{
    double *row = self->l + k * self->n, left = row[k];
    for (size_t j = 0; j < k; j++) {
        const double *other = self->l + j * self->n;
        double sum = other[k]; /* above the diagonal */
        for (size_t i = 0; i < j; i++)
            sum -= row[i] * other[i];
        row[j] = self->diagonal[j] > 0 ? sum / self->diagonal[j] : 0;
        left -= row[j] * row[j];
    }
    return left;
}

/* coef: column k, over its scale, as a sum of those before it over theirs. */
static void solve(ties *self, size_t k)
{
    const double *row = self->l + k * self->n;
    for (size_t j = k; j-- > 0;) {
        double sum = row[j];
        for (size_t i = j + 1; i < k; i++)
            sum -= self->l[i * self->n + j] * self->coef[i];
        self->coef[j] = self->diagonal[j] > 0 ? sum / self->diagonal[j] : 0;
    }
}

/* ---- one column against all rows */

typedef struct fit {
    double constant, left; /* in units of the column; left: standard deviation of the rest */
    double rounding;       /* what steps of the columns explain of it */
    bool equal;            /* the column is another one, value by value */
} fit;

static double factor(const ties *self, size_t k, size_t j)
{
    return self->coef[j] * self->scale[k] / self->scale[j];
}

/* Column k less what the others say of it. */
static double rest(const ties *self, const double *row, size_t k)
{
    double sum = value(self, row, k);
    for (size_t j = 0; j < k; j++)
        if (self->coef[j] != 0)
            sum -= factor(self, k, j) * value(self, row, j);
    return sum;
}

/* Whether column j takes part in the tie: what is rounding is left out of its text. */
static bool takes_part(const ties *self, size_t k, size_t j)
{
    double most = 0;
    for (size_t i = 0; i < k; i++)
        most = fmax(most, fabs(self->coef[i]));
    return fabs(self->coef[j]) > 1e-3 * most;
}

/* The only column that takes part; k: there are none or several. */
static size_t twin_of(const ties *self, size_t k)
{
    size_t twin = k, members = 0;
    for (size_t j = 0; j < k; j++)
        if (takes_part(self, k, j)) {
            twin = j;
            members++;
        }
    return members == 1 ? twin : k;
}

/* self->rest, by place, in one pass; *equal: column k is another one in every row. */
static int take_rest(ties *self, bool *equal, size_t k, size_t rows)
{
    data_pass at;
    const look_place *from = &self->job->at;
    size_t twin = twin_of(self, k);
    *equal = twin < k;
    if (!self->rest)
        self->rest = malloc((rows + 1) * sizeof *self->rest);
    if (!self->rest)
        return flow_fail(self->job->err, FLOW_ENOMEM, "no memory for a column");
    for (data_pass_begin(&at, from->rows, from->plan); data_pass_next(&at, self->job->err);)
        for (size_t i = 0; i < at.n; i++) {
            self->rest[at.place[i]] = rest(self, at.row[i], k);
            *equal = *equal && value(self, at.row[i], k) == value(self, at.row[i], twin);
        }
    return at.code;
}

static double spread_of_steps(const ties *self, size_t k)
{
    double sum = column(self, k)->step * column(self, k)->step;
    for (size_t j = 0; j < k; j++) {
        double step = factor(self, k, j) * column(self, j)->step;
        sum += step * step;
    }
    return sqrt(sum / 12);
}

static double noise_variance(const ties *self, size_t k)
{
    double own = look_noise(self->job, self->order[k]), sum = own * own;
    for (size_t j = 0; j < k; j++) {
        double noise = factor(self, k, j) * look_noise(self->job, self->order[j]);
        sum += noise * noise;
    }
    return sum / 12;
}

static int try_fit(fit *out, ties *self, size_t k, size_t rows)
{
    *out = (fit){.rounding = spread_of_steps(self, k)};
    int code = take_rest(self, &out->equal, k, rows);
    if (code)
        return code;
    double first = self->rest[0], squares = 0;
    for (size_t i = 0; i < rows; i++)
        out->constant += (self->rest[i] - first) / (double)rows;
    out->constant += first;
    for (size_t i = 0; i < rows; i++) {
        double off = self->rest[i] - out->constant;
        squares += off * off / (double)rows;
    }
    out->left = sqrt(squares + noise_variance(self, k));
    return FLOW_OK;
}

/* ---- in words */

static size_t append(char *text, size_t size, size_t used, const char *piece)
{
    int n = snprintf(text + used, size - used, "%s", piece);
    return used + (size_t)n < size ? used + (size_t)n : size - 1;
}

/* "2 a - b + 3"; of more than a few terms the first. A factor is 1, a constant nothing, within slack. */
static void formula(char *text, size_t size, const ties *self, size_t k, double constant,
                    double slack)
{
    enum { MOST = 5 };
    size_t used = 0, terms = 0;
    char name[LOOK_NAME_SIZE], piece[LOOK_NAME_SIZE + 60];
    text[0] = '\0';
    for (size_t j = 0; j < k; j++) {
        double f = factor(self, k, j);
        if (!takes_part(self, k, j) || terms++ >= MOST)
            continue;
        const char *sign = f < 0 ? (used ? " - " : "-") : used ? " + " : "";
        char times[32] = "";
        if (fabs(fabs(f) - 1) > slack)
            snprintf(times, sizeof times, "%.5g * ", fabs(f));
        snprintf(piece, sizeof piece, "%s%s%s", sign, times,
                 look_word(name, self->job, self->order[j]));
        used = append(text, size, used, piece);
    }
    if (terms > MOST)
        snprintf(piece, sizeof piece, " + %zu more columns", terms - MOST);
    else if (fabs(constant) > slack * self->scale[k])
        snprintf(piece, sizeof piece, " %c %.5g", constant < 0 ? '-' : '+', fabs(constant));
    else
        return;
    append(text, size, used, piece);
}

static void say_tied(ties *self, size_t k, const fit *f, bool sure)
{
    char text[260], name[LOOK_NAME_SIZE], remedy[LOOK_REMEDY_SIZE];
    formula(text, sizeof text, self, k, f->constant, sure ? 1e-6 : 1e-3);
    snprintf(remedy, sizeof remedy, "leave %s out of data.columns",
             look_word(name, self->job, self->order[k]));
    look_level level = sure ? LOOK_ERROR : LOOK_WARNING;
    if (f->equal)
        look_say(self->job, level, "copied_columns", self->order[k], remedy,
                 "is the same as %s in every row: there is no density", text);
    else if (sure)
        look_say(self->job, level, "tied_columns", self->order[k], remedy,
                 "is %s in every row: there is no density", text);
    else
        look_say(self->job, level, "tied_columns", self->order[k], remedy,
                 "is %s but for %.2g of its spread", text, f->left / self->scale[k]);
}

/* The columns of data that follow from no others, as data.columns wants them. False: too long. */
static bool list_untied(char *list, size_t size, const ties *self)
{
    const char *before = "data.columns: [";
    size_t used = 0;
    char piece[LOOK_NAME_SIZE + 20], name[LOOK_NAME_SIZE];
    for (size_t i = 0; i < self->job->out->dim; i++) {
        const look_column *of = &self->job->out->columns[i];
        if (of->fixed || of->tied)
            continue;
        snprintf(piece, sizeof piece, "%s%s", before, look_name(name, self->job, i));
        used = append(list, size, used, piece);
        before = ", ";
    }
    used = append(list, size, used, "]");
    return used + 1 < size && list[0] == 'd';
}

/* What to model instead, said whole with each error. */
static void rewrite_remedies(const ties *self)
{
    char list[LOOK_REMEDY_SIZE];
    data_look *out = self->job->out;
    if (self->job->code || self->job->options->kinds || !list_untied(list, sizeof list, self))
        return;
    for (size_t i = 0; i < out->n_findings; i++)
        if (out->findings[i].level == LOOK_ERROR && strstr(out->findings[i].kind, "_columns"))
            snprintf(out->findings[i].remedy, sizeof out->findings[i].remedy, "%s", list);
}

/* Whether column k is left out of what later ones are held against. */
static bool judge(ties *self, size_t k, double left, size_t rows)
{
    double whole = self->l[k * self->n + k];
    if (column(self, k)->context || !(left < 1e-3 * whole))
        return left < 1e-10 * whole;
    fit f;
    solve(self, k);
    self->job->code = try_fit(&f, self, k, rows);
    if (self->job->code)
        return false;
    bool sure = f.left <= certain * self->scale[k];
    self->job->out->columns[self->order[k]].tied = sure;
    if (sure || f.left <= likely * self->scale[k] || f.left <= 1.5 * f.rounding)
        say_tied(self, k, &f, sure);
    return sure || left < 1e-10 * whole;
}

static void factorise(ties *self, size_t rows)
{
    self->job->code = fill_matrix(self, rows);
    for (size_t k = 0; k < self->n && !self->job->code; k++) {
        double left = eliminate(self, k);
        self->diagonal[k] = judge(self, k, left, rows) ? 0 : sqrt(left);
    }
    rewrite_remedies(self);
}

static bool allocate(ties *self, size_t n)
{
    self->order = calloc(n, sizeof *self->order);
    self->scale = calloc(n * (n + 5), sizeof *self->scale);
    if (!self->order || !self->scale)
        return false;
    self->diagonal = self->scale + n;
    self->z = self->diagonal + n;
    self->mean = self->z + n;
    self->coef = self->mean + n;
    self->l = self->coef + n;
    return true;
}

/* Of few rows every column is a sum of others. */
static bool enough_rows(look_job *self, size_t n, size_t rows)
{
    if (rows >= 2 * n + 10)
        return true;
    look_say(self, LOOK_NOTE, "ties_not_sought", LOOK_NO_COLUMN, "more rows, or fewer columns",
             "%zu rows are too few to tell which of %zu columns follow from others", rows, n);
    return false;
}

static void say_first(look_job *self)
{
    look_say(self, LOOK_NOTE, "ties_not_sought", LOOK_NO_COLUMN,
             "distill inspect of a config whose data.columns are the others",
             "whether columns follow from others was looked at among the first %d of %zu",
             MAX_COLUMNS, self->out->n_columns);
}

void look_for_ties(look_job *self)
{
    size_t n = self->out->n_columns, rows = self->out->rows.n;
    ties work = {.job = self};
    n = n < MAX_COLUMNS ? n : MAX_COLUMNS;
    if (self->code || n == 1 || !enough_rows(self, n, rows))
        return;
    if (n < self->out->n_columns)
        say_first(self);
    if (allocate(&work, n)) {
        choose_order(&work);
        factorise(&work, rows);
    } else
        self->code = flow_fail(self->err, FLOW_ENOMEM, "no memory for %zu columns", n);
    free(work.order);
    free(work.scale);
    free(work.sample);
    free(work.rest);
}
