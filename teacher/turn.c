#include "teacher/turn.h"

#include <pthread.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

void turn_take(bool shared)
{
    if (!shared)
        pthread_mutex_lock(&one_at_a_time);
}

void turn_give(bool shared)
{
    if (!shared)
        pthread_mutex_unlock(&one_at_a_time);
}
