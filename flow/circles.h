/* flow/circles.h -- which columns of a flow are on circles (circle.h), and descriptions of flows made for them. */
#ifndef FLOW_CIRCLES_H
#define FLOW_CIRCLES_H

#include "flow/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct flow;

/* Finds where the data of a flow are on circles, from where its noise is: flow_circles. FLOW_ECONFIG: a layer takes one
 * for the other. */
int flow_circles_follow(struct flow *self, flow_err *err);

/* The numbers of the columns with circle[i] (dim) = which, 1 or 0: a new reference; NULL: no memory. */
json_t *flow_circles_list(const unsigned char *circle, size_t dim, unsigned char which);

/* A flow's description, complete and settled, becomes that of one whose data are on circles where circle (dim) is 1:
 * each layer as its kind does it (kind.h), and the noise uniform there. A base that is on circles already stays
 * as it is, and so do the layers: whoever spelt it knows. FLOW_ECONFIG: a layer that cannot. */
int flow_circles_put(json_t *description, const unsigned char *circle, flow_err *err);

/* Whether every layer of a spelt list can, or the base is on circles already. */
bool flow_circles_can(const json_t *spelt, const json_t *base);

/* What a kind of layer does that is for lines and takes any number of them: object becomes a part of the lines.
 * A slot of flow_kind. */
int flow_circles_part(json_t *object, unsigned char *circle, size_t dim, int back, flow_err *err);

#endif
