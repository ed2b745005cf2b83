/* Clocks: what waiting is counted by. */
#define _POSIX_C_SOURCE 200809L
#include "flow/clock.h"

#include <criterion/criterion.h>
#include <time.h>

Test(clock, the_processors_do_not_count_waiting)
{
    double clock = flow_seconds(), thread = flow_seconds_of_thread(),
           process = flow_seconds_of_process();
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    cr_assert_geq(flow_seconds() - clock, 0.2);
    cr_assert_lt(flow_seconds_of_thread() - thread, 0.1);
    cr_assert_lt(flow_seconds_of_process() - process, 0.1);
}

Test(clock, work_is_counted_by_all)
{
    double clock = flow_seconds(), thread = flow_seconds_of_thread(),
           process = flow_seconds_of_process();
    while (flow_seconds_of_thread() - thread < 0.02)
        continue;
    cr_assert_geq(flow_seconds() - clock, 0.019);
    cr_assert_geq(flow_seconds_of_process() - process, 0.019);
}
