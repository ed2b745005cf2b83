#include "flow/snapshot.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The block: a head, then each piece as its length (8 bytes) and its bytes. */
typedef struct head {
    char magic[8];
    uint64_t version, size, pieces; /* size: of the whole block */
    uint64_t sum;                   /* over all that follows */
} head;

static const head HEAD = {.magic = "distsnap", .version = 1};

/* FNV-1a in 64 bits (Fowler, Noll, Vo): against accidents, not against forgers. */
static uint64_t sum_of(const unsigned char *bytes, size_t n)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < n; i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3u;
    return sum;
}

static void add(flow_pieces *self, flow_piece piece)
{
    assert(self->n < FLOW_MAX_PIECES);
    self->list[self->n++] = piece;
}

void flow_pieces_add(flow_pieces *self, const char *name, void *at, size_t size)
{
    add(self, (flow_piece){.name = name, .at = at, .size = size});
}

void flow_pieces_add_fixed(flow_pieces *self, const char *name, void *at, size_t size)
{
    add(self, (flow_piece){.name = name, .at = at, .size = size, .fixed = 1});
}

static size_t size_of(const flow_pieces *pieces)
{
    size_t size = sizeof(head);
    for (size_t i = 0; i < pieces->n; i++)
        size += sizeof(uint64_t) + pieces->list[i].size;
    return size;
}

int flow_snapshot_save(void **block, size_t *size, const flow_pieces *pieces, flow_err *err)
{
    head h = HEAD;
    *size = size_of(pieces);
    unsigned char *bytes = malloc(*size), *at = bytes ? bytes + sizeof h : NULL;
    *block = bytes;
    if (!bytes)
        return flow_fail(err, FLOW_ENOMEM, "no memory to save %zu bytes", *size);
    for (size_t i = 0; i < pieces->n; i++) {
        const flow_piece *p = &pieces->list[i];
        uint64_t length = p->size;
        memcpy(at, &length, sizeof length);
        if (p->size)
            memcpy(at + sizeof length, p->at, p->size);
        at += sizeof length + p->size;
    }
    h.size = *size;
    h.pieces = pieces->n;
    h.sum = sum_of(bytes + sizeof h, *size - sizeof h);
    memcpy(bytes, &h, sizeof h);
    return 0;
}

static int check_head(const flow_pieces *pieces, const unsigned char *bytes, size_t size,
                      flow_err *err)
{
    head h;
    if (size < sizeof h)
        return flow_fail(err, FLOW_EDATA, "saved state: %zu bytes are too few", size);
    memcpy(&h, bytes, sizeof h);
    if (memcmp(h.magic, HEAD.magic, sizeof h.magic) != 0)
        return flow_fail(err, FLOW_EDATA, "saved state: these bytes are none");
    if (h.version != HEAD.version)
        return flow_fail(err, FLOW_EDATA, "saved state: version %llu, this program reads %llu",
                         (unsigned long long)h.version, (unsigned long long)HEAD.version);
    if (h.size != size)
        return flow_fail(err, FLOW_EDATA, "saved state: %zu bytes, it should have %llu", size,
                         (unsigned long long)h.size);
    if (h.pieces != pieces->n || size != size_of(pieces))
        return flow_fail(
            err, FLOW_EDATA,
            "saved state: %llu pieces in %zu bytes, wanted %zu in %zu: it is of another "
            "training",
            (unsigned long long)h.pieces, size, pieces->n, size_of(pieces));
    if (h.sum != sum_of(bytes + sizeof h, size - sizeof h))
        return flow_fail(err, FLOW_EDATA, "saved state: damaged, its sum is wrong");
    return 0;
}

static int check_pieces(const flow_pieces *pieces, const unsigned char *at, flow_err *err)
{
    for (size_t i = 0; i < pieces->n; i++) {
        const flow_piece *p = &pieces->list[i];
        uint64_t length;
        memcpy(&length, at, sizeof length);
        at += sizeof length;
        if (length != p->size)
            return flow_fail(err, FLOW_EDATA, "saved state: %s: %llu bytes, wanted %zu", p->name,
                             (unsigned long long)length, p->size);
        if (p->fixed && memcmp(at, p->at, p->size) != 0)
            return flow_fail(err, FLOW_EDATA, "saved state: of a training with other %s", p->name);
        at += p->size;
    }
    return 0;
}

int flow_snapshot_load(const flow_pieces *pieces, const void *block, size_t size, flow_err *err)
{
    const unsigned char *at = block;
    int code = check_head(pieces, at, size, err);
    if (!code)
        code = check_pieces(pieces, at + sizeof(head), err);
    if (code)
        return code;
    at += sizeof(head);
    for (size_t i = 0; i < pieces->n; i++) {
        const flow_piece *p = &pieces->list[i];
        at += sizeof(uint64_t);
        if (!p->fixed && p->size)
            memcpy(p->at, at, p->size);
        at += p->size;
    }
    return 0;
}
