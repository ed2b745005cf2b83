/* tests/student/recipe_made.h -- a recipe for a target, without an error. */
#ifndef TESTS_STUDENT_RECIPE_MADE_H
#define TESTS_STUDENT_RECIPE_MADE_H

#include "student/recipe.h"

/* To be closed. */
student_recipe recipe_made(const target *t, const recipe_request *request, size_t threads);

#endif
