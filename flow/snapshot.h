/* flow/snapshot.h -- what a training must keep to go on to the same bits, in one block of memory.
 *
 * Whoever has something to keep lists it as pieces: where it lies and how long it is. Objects within
 * objects add theirs to one list. The block is for programs like this one: bytes as they lie in memory,
 * with a head that tells a block of another make, another shape, or a damaged one. */
#ifndef FLOW_SNAPSHOT_H
#define FLOW_SNAPSHOT_H

#include "flow/err.h"

#include <stddef.h>

typedef struct flow_piece {
    const char *name; /* for messages */
    void *at;
    size_t size; /* bytes */
    int fixed;   /* is not loaded, but must be the same: what else was saved belongs to it */
} flow_piece;

enum { FLOW_MAX_PIECES = 32 };

typedef struct flow_pieces {
    flow_piece list[FLOW_MAX_PIECES];
    size_t n;
} flow_pieces;

void flow_pieces_add(flow_pieces *self, const char *name, void *at, size_t size);
void flow_pieces_add_fixed(flow_pieces *self, const char *name, void *at, size_t size);

/* A new block with all pieces; free() releases it. */
int flow_snapshot_save(void **block, size_t *size, const flow_pieces *pieces, flow_err *err);

/* The pieces as they were saved. FLOW_EDATA if the block is damaged or was saved from other pieces; then
 * nothing has been changed. What the numbers mean is for the owner of the pieces to check. */
int flow_snapshot_load(const flow_pieces *pieces, const void *block, size_t size, flow_err *err);

#endif
