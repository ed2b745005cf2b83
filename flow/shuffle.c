#include "flow/shuffle.h"

#include <math.h>

flow_shuffle flow_shuffle_of(uint64_t n, pcg_stream stream, uint64_t row)
{
    flow_shuffle out = {.n = n, .a = (uint64_t)sqrt((double)n)};
    pcg rng = pcg_at(stream, row, FLOW_SHUFFLE_ROUNDS);
    out.b = (n + out.a - 1) / out.a;
    for (int k = 0; k < FLOW_SHUFFLE_ROUNDS; k++)
        out.keys[k] = pcg_next(&rng);
    return out;
}

/* A number below `below` by key and x: the finaliser of SplitMix64 (Steele et al. 2014), its upper bits. */
static uint64_t hash(uint64_t key, uint64_t x, uint64_t below)
{
    uint64_t h = key + (x + 1) * 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return (uint64_t)(((pcg_u128)(h ^ (h >> 31)) * below) >> 64);
}

/* x = r a + l; l and r are moved in turn, each by what the other is. */
static uint64_t forth(const flow_shuffle *self, uint64_t x)
{
    uint64_t l = x % self->a, r = x / self->a;
    for (int k = 0; k < FLOW_SHUFFLE_ROUNDS; k += 2) {
        l = (l + hash(self->keys[k], r, self->a)) % self->a;
        r = (r + hash(self->keys[k + 1], l, self->b)) % self->b;
    }
    return r * self->a + l;
}

static uint64_t back(const flow_shuffle *self, uint64_t x)
{
    uint64_t l = x % self->a, r = x / self->a;
    for (int k = FLOW_SHUFFLE_ROUNDS - 2; k >= 0; k -= 2) {
        r = (r + self->b - hash(self->keys[k + 1], l, self->b)) % self->b;
        l = (l + self->a - hash(self->keys[k], r, self->a)) % self->a;
    }
    return r * self->a + l;
}

uint64_t flow_shuffle_at(const flow_shuffle *self, uint64_t i)
{
    uint64_t x = forth(self, i);
    while (x >= self->n)
        x = forth(self, x);
    return x;
}

uint64_t flow_shuffle_place(const flow_shuffle *self, uint64_t x)
{
    uint64_t i = back(self, x);
    while (i >= self->n)
        i = back(self, i);
    return i;
}
