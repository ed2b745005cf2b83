/* teacher/look_rows.c -- rows that come back. */
#include "teacher/look_findings.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A row by what it holds. */
typedef struct key {
    uint64_t hash;
    size_t place; /* in plan->rows */
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

static uint64_t hash_row(const look_place *at, size_t place)
{
    const data_plan *plan = at->plan;
    const double *row = at->table->values + plan->rows[place] * at->table->cols;
    return hash_columns(hash_columns(1, row, plan->data, plan->dim), row, plan->context,
                        plan->n_context);
}

static int by_hash(const void *a, const void *b)
{
    const key *x = a, *y = b;
    return x->hash != y->hash ? (x->hash > y->hash) - (x->hash < y->hash)
                              : (x->place > y->place) - (x->place < y->place);
}

/* Rows whose hash is a multiple of `every`: of equal rows all or none. keys NULL: only counts. */
static size_t choose(key *keys, const look_place *at, size_t n, size_t every)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = hash_row(at, i);
        if (hash % every)
            continue;
        if (keys)
            keys[count] = (key){hash, i};
        count++;
    }
    return count;
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

static void fill_in(look_job *self, const tally *t, size_t chosen, size_t every)
{
    look_rows *rows = &self->out->rows;
    const size_t *place = self->at.plan->rows;
    double independent = (double)rows->n * (double)(rows->n - 1) / (double)every;
    for (size_t i = 0; i < self->out->n_columns; i++)
        independent *= self->out->columns[i].coincide;
    rows->repeats = chosen ? (double)t->repeats / (double)chosen : 0;
    rows->across = t->held_out ? (double)t->across / (double)t->held_out : 0;
    rows->tested = t->test ? (double)t->tested / (double)t->test : NAN;
    rows->chance = t->pairs > 0 ? independent / t->pairs : 0;
    rows->first = place[t->first];
    rows->second = place[t->second];
}

void look_for_repeats(look_job *self)
{
    size_t n = self->out->rows.n, every = (n + LOOK_ROWS - 1) / LOOK_ROWS;
    size_t count = choose(NULL, &self->at, n, every);
    key *keys = self->code ? NULL : malloc((count + 1) * sizeof *keys);
    if (!keys) {
        self->code = flow_fail(self->err, FLOW_ENOMEM, "no memory to compare %zu rows", count);
        return;
    }
    choose(keys, &self->at, n, every);
    qsort(keys, count, sizeof *keys, by_hash);
    tally t = add_up(keys, count, self->out->n_train, self->out->n_valid);
    fill_in(self, &t, count, every);
    free(keys);
}
