/* teacher/streams.h -- who draws random numbers, above flow/: the stages of the streams of flow/pcg.h. */
#ifndef TEACHER_STREAMS_H
#define TEACHER_STREAMS_H

/* Part of the reproducibility promise: append, never renumber. 6 and 7 are taken by pcg.h. */
typedef enum stream_stage {
    STREAM_DATA = 1,
    STREAM_TEACHER = 2,
    STREAM_STUDENT = 3,
    STREAM_VALIDATE = 4,
    STREAM_EXPORT = 5,
    STREAM_RULER = 8,
    STREAM_LAYERS = 9,
    STREAM_ENERGY = 10, /* of random numbers that are part of a target */
    STREAM_OWN_ROWS = 11,
    STREAM_PILOT = 12, /* and up to 18: rounds */
    STREAM_FILL = 19,
    STREAM_PILOT_END = 20,
    STREAM_CHAINS = 21,
    STREAM_LONG_CHAIN = 22,
    STREAM_PROBE = 23,
    STREAM_HUNT = 24,
    STREAM_HUNT_EDGE = 25,
    STREAM_HUNT_WIDE = 26,
    STREAM_SKETCH = 27, /* and up to 33: rounds */
    STREAM_NORMAL_FIT = 34
} stream_stage;

#endif
