/* Snapshots: what comes back, and what is refused. */
#include "flow/snapshot.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct things {
    uint64_t seed;
    double values[5];
    char text[7];
} things;

static flow_pieces pieces_of(things *t, size_t values)
{
    flow_pieces pieces = {.n = 0};
    flow_pieces_add_fixed(&pieces, "seed", &t->seed, sizeof t->seed);
    flow_pieces_add(&pieces, "values", t->values, values * sizeof *t->values);
    flow_pieces_add(&pieces, "nothing", NULL, 0);
    flow_pieces_add(&pieces, "text", t->text, sizeof t->text);
    return pieces;
}

static const things some = {17, {2.385, -0.713, 0, 1e300, 5}, "hello!"};
static const things other = {17, {1, 1, 1, 1, 1}, "......"};

static unsigned char *save(size_t *size)
{
    things t = some;
    flow_pieces pieces = pieces_of(&t, 5);
    void *block;
    flow_err err = FLOW_ERR_INIT;
    cr_assert_eq(flow_snapshot_save(&block, size, &pieces, &err), 0, "%s", err.text);
    return block;
}

/* Loads into pieces of so many values with the seed; on failure nothing may have changed. */
static int load(const void *block, size_t size, size_t values, uint64_t seed, const char *word)
{
    things t = other;
    t.seed = seed;
    things before = t;
    flow_pieces pieces = pieces_of(&t, values);
    flow_err err = FLOW_ERR_INIT;
    int code = flow_snapshot_load(&pieces, block, size, &err);
    cr_assert_eq(code, err.code);
    if (code) {
        cr_assert(strstr(err.text, word), "%s", err.text);
        cr_assert(memcmp(&t, &before, sizeof t) == 0, "a failed load changed something");
    } else {
        cr_assert(memcmp(t.values, some.values, sizeof t.values) == 0);
        cr_assert_str_eq(t.text, some.text);
    }
    return code;
}

Test(snapshot, comes_back)
{
    size_t size;
    unsigned char *block = save(&size);
    cr_assert_eq(load(block, size, 5, 17, ""), 0);
    free(block);
}

Test(snapshot, others_are_refused)
{
    size_t size;
    unsigned char *block = save(&size);
    cr_assert_eq(load(block, size, 4, 17, "another training"), FLOW_EDATA);
    cr_assert_eq(load(block, size, 5, 18, "other seed"), FLOW_EDATA);
    cr_assert_eq(load("distsnap", 8, 5, 17, "too few"), FLOW_EDATA);
    block[8]++; /* the version follows the magic */
    cr_assert_eq(load(block, size, 5, 17, "version 2"), FLOW_EDATA);
    free(block);
}

/* Any single bit that flips, and any length that is cut, is refused; nothing is read beyond the block
 * (the address suite sees it). */
Test(snapshot, damage_is_refused)
{
    size_t size;
    unsigned char *block = save(&size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        block[bit / 8] ^= (unsigned char)(1u << bit % 8);
        cr_assert_eq(load(block, size, 5, 17, "saved state"), FLOW_EDATA, "bit %zu", bit);
        block[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc(cut + 1);
        memcpy(part, block, cut);
        cr_assert_eq(load(part, cut, 5, 17, "saved state"), FLOW_EDATA, "%zu bytes", cut);
        free(part);
    }
    cr_assert_eq(load(block, size, 5, 17, ""), 0, "the block was changed by the test");
    free(block);
}
