/* flow/order.h -- the usual orders of dimensions: y_i = x_order[i]. */
#ifndef FLOW_ORDER_H
#define FLOW_ORDER_H

#include "flow/kind.h"

typedef enum flow_pattern { FLOW_REVERSE, FLOW_RANDOM, FLOW_SWAP, FLOW_IN_ORDER } flow_pattern;

/* The words for them, ended by a NULL name. */
extern const flow_word flow_patterns[];

/* The list of numbers 0 .. dim - 1 in that order, row `row` of the stream if it is random. A new
 * reference, NULL if memory is out. */
json_t *flow_order_json(flow_pattern pattern, const flow_place *place);

#endif
