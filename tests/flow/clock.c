/* Clocks: what waiting is counted by. */
#define _POSIX_C_SOURCE 200809L
#include "flow/clock.h"

#include <criterion/criterion.h>
#include <time.h>

/* What waiting 50 ms costs by each clock, the least of many tries: threads of a library that was
   just loaded may spin for a while before they sleep. */
static void least_of_waits(int tries, double least[3])
{
    for (int i = 0; i < tries; i++) {
        double before[3] = {flow_seconds(), flow_seconds_of_thread(), flow_seconds_of_process()};
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        double after[3] = {flow_seconds(), flow_seconds_of_thread(), flow_seconds_of_process()};
        for (int k = 0; k < 3; k++)
            if (i == 0 || after[k] - before[k] < least[k])
                least[k] = after[k] - before[k];
    }
}

Test(clock, the_processors_do_not_count_waiting)
{
    double least[3];
    least_of_waits(20, least);
    cr_assert_geq(least[0], 0.05);
    cr_assert_lt(least[1], 0.025);
    cr_assert_lt(least[2], 0.025);
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
