/* teacher/plugin_talk.h -- what a process and its workers (plugin_workers.h) say to each other: short messages over a
 * socket, rows in memory that both have.
 *
 *   at first     worker: plugin_hello, then hello.names bytes, hello.support numbers and hello.derived.names bytes
 *   ask          plugin_ask; worker: an int32_t, a flow_code, whose text is then in the room
 *
 * The library may write anywhere in a worker, so nothing in the room is believed. */
#ifndef TEACHER_PLUGIN_TALK_H
#define TEACHER_PLUGIN_TALK_H

#include "teacher/plugin.h"

/* The hidden verb of a program that can be a worker, and where it finds socket and memory. */
#define PLUGIN_WORKER_VERB "plugin-worker"
enum { PLUGIN_SOCKET = 3, PLUGIN_MEMORY = 4 };
/* The exit code of a worker whose library closed what was not its own. */
enum { PLUGIN_CUT_OFF = 113 };

typedef struct plugin_hello {
    int32_t code; /* a flow_code; not 0: the library could not be opened, and text says why */
    uint32_t flags;
    uint64_t dim, names, support;
    double log_z;
    struct {
        uint64_t count, usual, names;
        uint32_t flags;
    } derived; /* as plugin_derived */
    char text[sizeof((flow_err *)0)->text];
} plugin_hello;

/* Of rows: their densities, without or with gradients, or their quantities, the usual or all. */
typedef enum plugin_what { PLUGIN_DENSITY, PLUGIN_SLOPES, PLUGIN_USUAL, PLUGIN_ALL } plugin_what;

typedef struct plugin_ask {
    uint64_t dim, derived; /* the room is for */
    uint32_t n, what;
} plugin_ask;

/* For FLOW_SHARD rows of D numbers. Quantities, of which there may be very many, are for fewer rows if need be. */
typedef struct plugin_room {
    double *x, *grad, *logp; /* (FLOW_SHARD, D) twice, (FLOW_SHARD) */
    double *values;          /* (plugin_room_rows(K), K) */
    target_status *status;   /* (FLOW_SHARD) */
    char *text; /* (sizeof of flow_err.text) of a failure, or why the first row has no quantities */
} plugin_room;

size_t plugin_room_rows(size_t derived); /* 1 .. FLOW_SHARD */
size_t plugin_room_size(size_t dim, size_t derived);
plugin_room plugin_room_in(void *memory, size_t dim, size_t derived);

typedef enum plugin_heard { PLUGIN_HEARD, PLUGIN_GONE, PLUGIN_LATE } plugin_heard;

/* All size bytes, or what became of the other side. until: of flow_seconds; INFINITY: for ever. */
plugin_heard plugin_read(int socket, void *to, size_t size, double until);
plugin_heard plugin_write(int socket, const void *from, size_t size);

#endif
