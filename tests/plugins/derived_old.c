/* tests/plugins/derived_old.c -- quantities of a version that is not known. */
#include "distill_quantities.h"

const distill_derived distill_quantities = {7, NULL, NULL, NULL};
