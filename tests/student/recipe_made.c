#include "tests/student/recipe_made.h"

#include <criterion/criterion.h>

student_recipe recipe_made(const target *t, const recipe_request *request, size_t threads)
{
    student_recipe out;
    flow_err err = FLOW_ERR_INIT;
    flow_pool *pool = flow_pool_create(threads, NULL);
    cr_assert_eq(student_recipe_make(&out, t, pool, request, &err), 0, "%s", err.text);
    flow_pool_free(pool);
    return out;
}
