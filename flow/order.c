#include "flow/order.h"

#include <stdlib.h>

const flow_word flow_patterns[] = {
    {"reverse", FLOW_REVERSE, "the order of the coordinates is turned round"},
    {"random", FLOW_RANDOM, "a new order that depends on the seed"},
    {"swap", FLOW_SWAP, "the second half of the coordinates comes first"},
    {"none", FLOW_IN_ORDER, "the order stays"},
    {NULL, 0, NULL}};

/* Swap: the first group of two has the larger half (flow/layer/autoregressive.c). */
static void fill(size_t *order, flow_pattern pattern, const flow_place *place)
{
    size_t dim = place->dim, half = (dim + 1) / 2;
    if (pattern == FLOW_RANDOM)
        pcg_permutation(order, dim, place->stream, place->row);
    for (size_t i = 0; i < dim && pattern != FLOW_RANDOM; i++)
        order[i] = pattern == FLOW_REVERSE ? dim - 1 - i
                   : pattern == FLOW_SWAP  ? (i + half) % dim
                                           : i;
}

json_t *flow_order_json(flow_pattern pattern, const flow_place *place)
{
    size_t *order = malloc(place->dim * sizeof *order);
    json_t *list = order ? json_array() : NULL;
    if (list)
        fill(order, pattern, place);
    for (size_t i = 0; list && i < place->dim; i++)
        if (json_array_append_new(list, json_integer((json_int_t)order[i]))) {
            json_decref(list);
            list = NULL;
        }
    free(order);
    return list;
}
