/* teacher/turn.h -- code that one thread at a time may be in waits for its turn: there is one in the whole process, since
 * what cannot be shared is often a library's own state. */
#ifndef TEACHER_TURN_H
#define TEACHER_TURN_H

#include <stdbool.h>

/* shared: several threads may be in it, and nothing is waited for. */
void turn_take(bool shared);
void turn_give(bool shared);

#endif
