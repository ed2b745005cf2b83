/* Of many failures the one with the lowest number. */
#include "flow/first_error.h"
#include "flow/pool.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void fail_at(void *arg, size_t index, size_t worker)
{
    flow_first_error *e = arg;
    flow_err err = FLOW_ERR_INIT;
    (void)worker;
    if (index % 7 != 3 || flow_first_error_spares(e, index))
        return;
    flow_fail(&err, FLOW_EDATA, "piece %zu", index);
    flow_first_error_note(e, index, &err);
}

Test(first_error, lowest_number)
{
    for (size_t threads = 1; threads <= 4; threads++) {
        flow_first_error e;
        flow_err err = FLOW_ERR_INIT;
        flow_pool *pool = flow_pool_create(threads, NULL);
        flow_first_error_init(&e);
        cr_assert_eq(flow_first_error_take(&e, &err), 0);
        for (size_t round = 0; round < 200; round++) {
            flow_pool_run(pool, fail_at, &e, 100);
            cr_assert(flow_first_error_spares(&e, 4) && !flow_first_error_spares(&e, 3));
            cr_assert_eq(flow_first_error_take(&e, &err), FLOW_EDATA);
            cr_assert_str_eq(err.text, "piece 3");
            cr_assert(!flow_first_error_spares(&e, 99), "the next round is a new one");
        }
        flow_first_error_release(&e);
        flow_pool_free(pool);
    }
}
