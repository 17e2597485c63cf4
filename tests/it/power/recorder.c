/*
 * Records what a process does to the files below one directory: which it opens, what it writes where, what it syncs,
 * renames and removes, and when each of these began and ended.
 *
 * Loaded with LD_PRELOAD. POSBELL_RECORD_BELOW names the directory, POSBELL_RECORD_INTO another one for the records, one
 * file for each process. A record is `struct head` and `length` bytes; what is done gets one before and a DONE after, so
 * that what was under way at any moment can be told from what had ended. Times are nanoseconds of CLOCK_MONOTONIC.
 *
 * POSBELL_RECORD_KILL_AT is the number of a step, from 1 on, before which the process is killed.
 *
 * sync_file_range is not here: it promises nothing.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OPEN = 1, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, LINK, DONE };

struct head {
    uint32_t kind;
    uint32_t handle;
    uint64_t id;
    uint64_t time;
    int64_t number; /* flags of OPEN, offset of WRITE, size of TRUNCATE, result or -errno of DONE */
    uint64_t length;
};

#define FDS 65536
#define PATHS (2 * PATH_MOST)
#define PATH_MOST 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t handles[FDS]; /* 0 where the file is none of ours */
static uint32_t last_handle;
static uint64_t last_id;
static uint64_t kill_at;
static int log_fd = -1;
static char below[PATH_MOST];
static size_t below_length;

#define REAL(name) ({                                                  \
    static __typeof__(&name) real;                                     \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);      \
    real; })

/* A record that is lost would make the replay lie, so nothing goes on without it. */
static void append(struct iovec *parts, int count)
{
    while (count > 0) {
        ssize_t wrote = syscall(SYS_writev, log_fd, parts, count);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) abort();
        while (count > 0 && (size_t)wrote >= parts->iov_len) {
            wrote -= (ssize_t)parts->iov_len;
            parts++;
            count--;
        }
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + wrote;
            parts->iov_len -= (size_t)wrote;
        }
    }
}

/* The caller has the lock. */
static uint64_t say(enum kind kind, uint32_t handle, uint64_t id, int64_t number, const void *data, size_t length)
{
    int before = errno;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct head head = {kind, handle, id ? id : ++last_id, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
                        number, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
    append(parts, length ? 2 : 1);
    if (kind != DONE && head.id == kill_at) kill(getpid(), SIGKILL);
    errno = before;
    return head.id;
}

static void done(uint64_t id, int64_t result)
{
    say(DONE, 0, id, result < 0 ? -errno : result, NULL, 0);
}

/* Before anything else of the process, so that no other thread runs yet. */
__attribute__((constructor)) static void begin(void)
{
    const char *what = getenv("POSBELL_RECORD_BELOW"), *into = getenv("POSBELL_RECORD_INTO");
    if (!what || !into) return;
    char path[PATHS];
    snprintf(below, sizeof below, "%s", what);
    below_length = strlen(below);
    snprintf(path, sizeof path, "%s/%d.log", into, (int)getpid());
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0) abort();
    const char *step = getenv("POSBELL_RECORD_KILL_AT");
    if (step) kill_at = strtoull(step, NULL, 10);
}

/* Whether `path` is the directory or something below it; then `out` is the path within. */
static int ours(int dir, const char *path, char out[PATHS])
{
    char whole[PATHS];
    if (log_fd < 0 || !path) return 0;
    if (path[0] == '/') {
        snprintf(whole, sizeof whole, "%s", path);
    } else {
        char base[PATH_MOST], link[64];
        ssize_t length;
        if (dir == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
            length = readlink(link, base, sizeof base - 1);
            if (length < 0) return 0;
            base[length] = 0;
        }
        if (snprintf(whole, sizeof whole, "%s/%s", base, path) >= (int)sizeof whole) return 0;
    }
    if (strncmp(whole, below, below_length) != 0) return 0;
    if (whole[below_length] != 0 && whole[below_length] != '/') return 0;
    snprintf(out, PATHS, "%s", whole + below_length);
    return 1;
}

static uint32_t handle_of(int fd)
{
    return fd >= 0 && fd < FDS && log_fd >= 0 ? handles[fd] : 0;
}

static void keep(int fd, uint32_t handle)
{
    if (fd < 0 || log_fd < 0) return;
    if (fd >= FDS) abort();
    handles[fd] = handle;
}

static int opened(int dir, const char *path, int flags, mode_t mode)
{
    char within[PATHS];
    if (!ours(dir, path, within)) {
        int fd = REAL(openat)(dir, path, flags, mode);
        pthread_mutex_lock(&lock);
        keep(fd, 0);
        pthread_mutex_unlock(&lock);
        return fd;
    }
    pthread_mutex_lock(&lock);
    uint32_t handle = ++last_handle;
    uint64_t id = say(OPEN, handle, 0, flags, within, strlen(within));
    int fd = REAL(openat)(dir, path, flags, mode);
    done(id, fd);
    keep(fd, handle);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE(flags)                                                                    \
    mode_t mode = 0;                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                             \
        va_list list;                                                                  \
        va_start(list, flags);                                                         \
        mode = va_arg(list, mode_t);                                                   \
        va_end(list);                                                                  \
    }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { MODE(flags) return opened(dir, path, flags, mode); }

int close(int fd)
{
    pthread_mutex_lock(&lock);
    keep(fd, 0);
    int result = REAL(close)(fd);
    pthread_mutex_unlock(&lock);
    return result;
}

int closedir(DIR *dir)
{
    pthread_mutex_lock(&lock);
    keep(dirfd(dir), 0);
    int result = REAL(closedir)(dir);
    pthread_mutex_unlock(&lock);
    return result;
}

static int copied(int from, int to)
{
    pthread_mutex_lock(&lock);
    keep(to, handle_of(from));
    pthread_mutex_unlock(&lock);
    return to;
}

int dup(int fd) { return copied(fd, REAL(dup)(fd)); }
int dup2(int fd, int to) { return copied(fd, REAL(dup2)(fd, to)); }
int dup3(int fd, int to, int flags) { return copied(fd, REAL(dup3)(fd, to, flags)); }

int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    int result = REAL(fcntl)(fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(fd, result) : result;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    pthread_mutex_lock(&lock);
    uint32_t handle = handle_of(fd);
    uint64_t id = handle ? say(WRITE, handle, 0, offset, data, length) : 0;
    pthread_mutex_unlock(&lock);
    ssize_t wrote = REAL(pwrite64)(fd, data, length, offset);
    if (id) {
        pthread_mutex_lock(&lock);
        done(id, wrote);
        pthread_mutex_unlock(&lock);
    }
    return wrote;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

/* Where the next write without an offset goes; the lock is held through it, so that it stays true. */
static int64_t place(int fd)
{
    struct stat file;
    int flags = REAL(fcntl)(fd, F_GETFL, 0);
    if (flags >= 0 && flags & O_APPEND) return fstat(fd, &file) == 0 ? (int64_t)file.st_size : 0;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t length)
{
    pthread_mutex_lock(&lock);
    uint32_t handle = handle_of(fd);
    if (!handle) {
        pthread_mutex_unlock(&lock);
        return REAL(write)(fd, data, length);
    }
    uint64_t id = say(WRITE, handle, 0, place(fd), data, length);
    ssize_t wrote = REAL(write)(fd, data, length);
    done(id, wrote);
    pthread_mutex_unlock(&lock);
    return wrote;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    pthread_mutex_lock(&lock);
    uint32_t handle = handle_of(fd);
    pthread_mutex_unlock(&lock);
    /* A short write is allowed, and the caller goes on with the rest. */
    return handle && count > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len) : REAL(writev)(fd, parts, count);
}

int ftruncate64(int fd, off64_t size)
{
    pthread_mutex_lock(&lock);
    uint32_t handle = handle_of(fd);
    uint64_t id = handle ? say(TRUNCATE, handle, 0, size, NULL, 0) : 0;
    int result = REAL(ftruncate64)(fd, size);
    if (id) done(id, result);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int synced(int fd, int (*sync)(int))
{
    pthread_mutex_lock(&lock);
    uint32_t handle = handle_of(fd);
    uint64_t id = handle ? say(SYNC, handle, 0, 0, NULL, 0) : 0;
    pthread_mutex_unlock(&lock);
    int result = sync(fd);
    if (id) {
        pthread_mutex_lock(&lock);
        done(id, result);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

/* Names that change: the order of the records is the order in which they changed. */
#define NAMED(kind, dir, path, call)                                                   \
    char within[PATHS];                                                                \
    if (!ours(dir, path, within)) return call;                                         \
    pthread_mutex_lock(&lock);                                                         \
    uint64_t id = say(kind, 0, 0, 0, within, strlen(within));                          \
    int result = call;                                                                 \
    done(id, result);                                                                  \
    pthread_mutex_unlock(&lock);                                                       \
    return result;

int unlink(const char *path) { NAMED(UNLINK, AT_FDCWD, path, REAL(unlink)(path)) }
int rmdir(const char *path) { NAMED(RMDIR, AT_FDCWD, path, REAL(rmdir)(path)) }
int mkdir(const char *path, mode_t mode) { NAMED(MKDIR, AT_FDCWD, path, REAL(mkdir)(path, mode)) }
int mkdirat(int dir, const char *path, mode_t mode) { NAMED(MKDIR, dir, path, REAL(mkdirat)(dir, path, mode)) }
int unlinkat(int dir, const char *path, int flags)
{
    NAMED(flags & AT_REMOVEDIR ? RMDIR : UNLINK, dir, path, REAL(unlinkat)(dir, path, flags))
}

/* Of two names, both are told, with a zero between them. One of them alone would be another way out of here. */
#define NAMED_TWICE(kind, dir, path, to_dir, to_path, call)                            \
    char within[2 * PATHS], to[PATHS];                                                 \
    int from_here = ours(dir, path, within), to_here = ours(to_dir, to_path, to);      \
    if (!from_here && !to_here) return call;                                           \
    if (!from_here || !to_here) abort();                                               \
    size_t length = strlen(within), to_length = strlen(to);                            \
    memcpy(within + length + 1, to, to_length);                                        \
    pthread_mutex_lock(&lock);                                                         \
    uint64_t id = say(kind, 0, 0, 0, within, length + 1 + to_length);                  \
    int result = call;                                                                 \
    done(id, result);                                                                  \
    pthread_mutex_unlock(&lock);                                                       \
    return result;

int rename(const char *from, const char *to_path)
{
    NAMED_TWICE(RENAME, AT_FDCWD, from, AT_FDCWD, to_path, REAL(rename)(from, to_path))
}
int renameat(int dir, const char *from, int to_dir, const char *to_path)
{
    NAMED_TWICE(RENAME, dir, from, to_dir, to_path, REAL(renameat)(dir, from, to_dir, to_path))
}
int renameat2(int dir, const char *from, int to_dir, const char *to_path, unsigned int flags)
{
    NAMED_TWICE(RENAME, dir, from, to_dir, to_path, REAL(renameat2)(dir, from, to_dir, to_path, flags))
}
int link(const char *from, const char *to_path)
{
    NAMED_TWICE(LINK, AT_FDCWD, from, AT_FDCWD, to_path, REAL(link)(from, to_path))
}
int linkat(int dir, const char *from, int to_dir, const char *to_path, int flags)
{
    NAMED_TWICE(LINK, dir, from, to_dir, to_path, REAL(linkat)(dir, from, to_dir, to_path, flags))
}
