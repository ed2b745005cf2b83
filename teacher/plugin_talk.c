#include "teacher/plugin_talk.h"

#include "flow/clock.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <sys/socket.h>

enum { MOST_VALUES = 1 << 17 }; /* a megabyte of quantities, unless one row has more */

size_t plugin_room_rows(size_t derived)
{
    size_t rows = derived ? MOST_VALUES / derived : FLOW_SHARD;
    return rows < 1 ? 1 : rows < FLOW_SHARD ? rows : FLOW_SHARD;
}

size_t plugin_room_size(size_t dim, size_t derived)
{
    return FLOW_SHARD * ((2 * dim + 1) * sizeof(double) + sizeof(target_status)) +
           plugin_room_rows(derived) * derived * sizeof(double) + sizeof((flow_err *)0)->text;
}

plugin_room plugin_room_in(void *memory, size_t dim, size_t derived)
{
    plugin_room room = {.x = memory};
    room.grad = room.x + FLOW_SHARD * dim;
    room.logp = room.grad + FLOW_SHARD * dim;
    room.values = room.logp + FLOW_SHARD;
    room.status = (target_status *)(room.values + plugin_room_rows(derived) * derived);
    room.text = (char *)(room.status + FLOW_SHARD);
    return room;
}

/* Milliseconds that are left, rounded up; -1: for ever. */
static int left(double until)
{
    double ms = ceil(1e3 * (until - flow_seconds()));
    return isinf(until) ? -1 : ms < 0 ? 0 : ms < 1e9 ? (int)ms : (int)1e9;
}

static plugin_heard wait_for(int socket, double until)
{
    struct pollfd at = {.fd = socket, .events = POLLIN};
    for (;;) {
        int ready = poll(&at, 1, left(until));
        if (ready > 0)
            return PLUGIN_HEARD;
        if (ready < 0 && errno != EINTR)
            return PLUGIN_GONE;
        if (ready == 0 && left(until) == 0)
            return PLUGIN_LATE;
    }
}

plugin_heard plugin_read(int socket, void *to, size_t size, double until)
{
    char *at = to;
    while (size > 0) {
        plugin_heard heard = wait_for(socket, until);
        if (heard != PLUGIN_HEARD)
            return heard;
        ssize_t got = recv(socket, at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return PLUGIN_GONE;
        at += got;
        size -= (size_t)got;
    }
    return PLUGIN_HEARD;
}

/* So little is written that it never waits for a reader. */
plugin_heard plugin_write(int socket, const void *from, size_t size)
{
    const char *at = from;
    while (size > 0) {
        ssize_t done = send(socket, at, size, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return PLUGIN_GONE;
        at += done;
        size -= (size_t)done;
    }
    return PLUGIN_HEARD;
}
