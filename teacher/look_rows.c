/* teacher/look_rows.c -- rows that come back. */
#include "teacher/look_findings.h"
#include "teacher/pass.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A row by what it holds. */
typedef struct key {
    uint64_t hash;
    size_t place;
} key;

/* The last step of MurmurHash3 (Appleby 2011): every bit of the input moves every bit. */
static uint64_t mix(uint64_t h)
{
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
    return h ^ (h >> 33);
}

static uint64_t hash_columns(uint64_t h, const double *row, const size_t *cols, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double x = row[cols[i]] + 0.0; /* -0 is 0 */
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        h = mix(h * 0x9e3779b97f4a7c15u + bits);
    }
    return h;
}

static uint64_t hash_row(const data_plan *plan, const double *row)
{
    return hash_columns(hash_columns(1, row, plan->data, plan->dim), row, plan->context,
                        plan->n_context);
}

static int by_hash(const void *a, const void *b)
{
    const key *x = a, *y = b;
    return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash)
                              : (x->place > y->place) - (x->place < y->place);
}

/* Those that were chosen. */
typedef struct chosen {
    key *keys;
    size_t n, room;
} chosen;

static int add(chosen *self, key one, flow_err *err)
{
    if (self->n == self->room) {
        size_t room = self->room ? self->room + self->room / 2 : 1024;
        key *keys = realloc(self->keys, room * sizeof *keys);
        if (!keys)
            return flow_fail(err, FLOW_ENOMEM, "no memory to compare %zu rows", room);
        self->keys = keys;
        self->room = room;
    }
    self->keys[self->n++] = one;
    return FLOW_OK;
}

static int choose_of_block(chosen *out, const data_pass *at, size_t every, flow_err *err)
{
    int code = FLOW_OK;
    for (size_t i = 0; i < at->n && !code; i++) {
        uint64_t hash = hash_row(at->plan, at->row[i]);
        if (hash % every == 0)
            code = add(out, (key){hash, at->place[i]}, err);
    }
    return code;
}

/* Rows whose hash is a multiple of `every`: of equal rows all or none. */
static int choose(chosen *out, const look_place *from, size_t every, flow_err *err)
{
    data_pass at;
    int code = FLOW_OK;
    for (data_pass_begin(&at, from->rows, from->plan); !code && data_pass_next(&at, err);)
        code = choose_of_block(out, &at, every, err);
    return code ? code : at.code;
}

/* What the groups of equal rows add up to. */
typedef struct tally {
    size_t held_out, repeats, across;
    size_t test, tested; /* test rows, and those that are training rows */
    double pairs;
    size_t first, second; /* places; the smallest first, one that crosses the split before others */
    bool crosses;
} tally;

static void take_example(tally *self, const key *group, size_t n, size_t n_train)
{
    bool crosses = group[0].place < n_train && group[n - 1].place >= n_train;
    bool better = crosses == self->crosses ? group[0].place < self->first : crosses;
    if (self->first != self->second && !better)
        return;
    self->crosses = crosses;
    self->first = group[0].place;
    self->second = group[crosses ? n - 1 : 1].place;
}

static void add_group(tally *self, const key *group, size_t n, size_t n_train, size_t n_valid)
{
    size_t held_out = 0, test = 0;
    for (size_t i = 0; i < n; i++) {
        held_out += group[i].place >= n_train;
        test += group[i].place >= n_train + n_valid;
    }
    self->test += test;
    self->tested += held_out < n ? test : 0;
    self->held_out += held_out;
    self->repeats += n - 1;
    self->across += held_out < n ? held_out : 0;
    self->pairs += (double)n * (double)(n - 1);
    if (n > 1)
        take_example(self, group, n, n_train);
}

static tally add_up(const key *keys, size_t n, size_t n_train, size_t n_valid)
{
    tally out = {.held_out = 0};
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && keys[end].hash == keys[i].hash; end++)
            ;
        add_group(&out, keys + i, end - i, n_train, n_valid);
    }
    return out;
}

static void fill_in(look_job *self, const tally *t, size_t count, size_t every)
{
    look_rows *rows = &self->out->rows;
    double independent = (double)rows->n * (double)(rows->n - 1) / (double)every;
    for (size_t i = 0; i < self->out->n_columns; i++)
        independent *= self->out->columns[i].coincide;
    rows->repeats = count ? (double)t->repeats / (double)count : 0;
    rows->across = t->held_out ? (double)t->across / (double)t->held_out : 0;
    rows->tested = t->test ? (double)t->tested / (double)t->test : NAN;
    rows->chance = t->pairs > 0 ? independent / t->pairs : 0;
    rows->first = data_plan_row(self->at.plan, t->first);
    rows->second = data_plan_row(self->at.plan, t->second);
}

void look_for_repeats(look_job *self)
{
    size_t n = self->out->rows.n, every = (n + LOOK_ROWS - 1) / LOOK_ROWS;
    chosen all = {.keys = NULL};
    if (!self->code)
        self->code = choose(&all, &self->at, every, self->err);
    if (!self->code) {
        if (all.n > 0)
            qsort(all.keys, all.n, sizeof *all.keys, by_hash);
        tally t = add_up(all.keys, all.n, self->out->n_train, self->out->n_valid);
        fill_in(self, &t, all.n, every);
    }
    free(all.keys);
}
