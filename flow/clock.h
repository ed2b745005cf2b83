/* flow/clock.h -- seconds of clocks that only go forward, from some beginning of their own. */
#ifndef FLOW_CLOCK_H
#define FLOW_CLOCK_H

double flow_seconds(void);

/* Of the processors: for this thread, and for all threads of the process together. What else the machine does, and
 * waiting, is not in them. */
double flow_seconds_of_thread(void);
double flow_seconds_of_process(void);

#endif
