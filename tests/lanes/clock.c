/* The wall clock of one process, so many seconds ahead: LD_PRELOAD with BONDED_AHEAD_SECONDS. Timers are not moved. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at) {
    int ended = (int)syscall(SYS_clock_gettime, clock, at);
    const char *ahead = getenv("BONDED_AHEAD_SECONDS");
    if (ended == 0 && clock == CLOCK_REALTIME && ahead) at->tv_sec += atol(ahead);
    return ended;
}
