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

#endif
