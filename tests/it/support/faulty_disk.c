/*
 * A disk that fails or hangs as a test says, below one directory.
 *
 * Loaded with LD_PRELOAD. POSBELL_FAULT_BELOW names the directory, POSBELL_FAULT_CONTROL a file that says what is wrong
 * now, looked at before each call: absent, the disk works; `hang`, a sync does not return before that changes; a number,
 * whatever writes or syncs fails with that errno, and with `-` before it whatever reads does too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ({                                                  \
    static __typeof__(&name) real;                                     \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);      \
    real; })

/* What the control says; the raw calls, since the wrapped ones ask for it. */
static void control(char *word, size_t size)
{
    const char *path = getenv("POSBELL_FAULT_CONTROL");
    word[0] = 0;
    if (!path)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    long got = syscall(SYS_read, fd, word, size - 1);
    word[got > 0 ? got : 0] = 0;
    syscall(SYS_close, fd);
}

static int is_below(const char *path)
{
    const char *below = getenv("POSBELL_FAULT_BELOW");
    size_t length = below ? strlen(below) : 0;
    return length && !strncmp(path, below, length) && (path[length] == '/' || path[length] == 0);
}

static int is_ours(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return is_below(path);
}

/* The errno with which a call fails now, or 0. */
static int fault(int reads)
{
    char word[32];
    control(word, sizeof word);
    int number = atoi(word);
    if (number < 0)
        return -number;
    return reads ? 0 : number;
}

static int hangs(void)
{
    char word[32];
    control(word, sizeof word);
    return !strncmp(word, "hang", 4);
}

static int refused(int fd, int reads)
{
    int saved = errno, error = is_ours(fd) ? fault(reads) : 0;
    errno = error ? error : saved;
    return error;
}

static int synced(int fd)
{
    struct timespec moment = { 0, 20 * 1000 * 1000 };
    if (!is_ours(fd))
        return 0;
    while (hangs())
        nanosleep(&moment, NULL);
    return refused(fd, 0);
}

int fsync(int fd) { return synced(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return synced(fd) ? -1 : REAL(fdatasync)(fd); }
ssize_t write(int fd, const void *from, size_t size) { return refused(fd, 0) ? -1 : REAL(write)(fd, from, size); }

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at)
{
    return refused(fd, 0) ? -1 : REAL(pwrite64)(fd, from, size, at);
}

ssize_t pread64(int fd, void *into, size_t size, off64_t at)
{
    return refused(fd, 1) ? -1 : REAL(pread64)(fd, into, size, at);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
    int error = writes && is_below(path) ? fault(0) : 0;
    if (error) {
        errno = error;
        return -1;
    }
    return REAL(open64)(path, flags, mode);
}
