/* flow/clock.h -- seconds of a clock that only goes forward, from some beginning of its own. */
#ifndef FLOW_CLOCK_H
#define FLOW_CLOCK_H

double flow_seconds(void);

#endif
