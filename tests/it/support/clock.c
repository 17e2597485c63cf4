// The program's clock on the wall shows another time: as many seconds more as stand in the file that the environment
// names, at each look. What measures lengths of time (CLOCK_MONOTONIC) goes on as it does.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef int (*look)(clockid_t, struct timespec *);

static long ahead(void) {
    const char *path = getenv("POSBELL_TEST_CLOCK");
    FILE *file = path ? fopen(path, "re") : NULL;
    long seconds = 0;
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1) {
            seconds = 0;
        }
        fclose(file);
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static look real;
    if (!real) {
        real = (look)dlsym(RTLD_NEXT, "clock_gettime");
    }
    int done = real(clock, time);
    if (done == 0 && clock == CLOCK_REALTIME) {
        time->tv_sec += ahead();
    }
    return done;
}
