/* flow/keeper.h -- who keeps the state of a training on its way, so that another process can go on from there to the same bits.
 * When it is kept changes no result. */
#ifndef FLOW_KEEPER_H
#define FLOW_KEEPER_H

#include "flow/err.h"

#include <stddef.h>

typedef struct flow_keeper {
    /* A block to go on from, to be freed by who asks; *block NULL: there is none. */
    int (*find)(void *arg, void **block, size_t *size, flow_err *err);
    /* Before the first step: whether the block was of use, or the training starts anew. */
    int (*begin)(void *arg, int resumed, flow_err *err);
    /* Asked after every step; and, if it says so or the training stops there, to keep a block. */
    int (*due)(void *arg);
    int (*keep)(void *arg, const void *block, size_t size, flow_err *err);
    void *arg;
} flow_keeper;

/* A training as its keeper sees it. */
typedef struct flow_kept {
    void *(*create)(const void *of, flow_err *err);
    int (*save)(void *self, void **block, size_t *size, flow_err *err);
    int (*load)(void *self, const void *block, size_t size, flow_err *err);
    void (*release)(void *self);
} flow_kept;

/* One of `of`: from where the keeper has it, or, where that is of another program or there is no keeper (NULL), from the start. NULL after an
 * error. */
void *flow_keeper_start(const flow_keeper *keeper, const flow_kept *kind, const void *of,
                        flow_err *err);

/* Keeps how it stands, of a keeper that there is. */
int flow_keeper_keep(const flow_keeper *keeper, const flow_kept *kind, void *self, flow_err *err);

/* Whether it has to be kept now. stopping: the training ends here. */
static inline int flow_keeper_due(const flow_keeper *keeper, int stopping)
{
    return keeper && (stopping || keeper->due(keeper->arg));
}

#endif
