/* Kills a process at one change of a file. Loaded before the C library (LD_PRELOAD).

   CRASH_IN     what a file's path must contain to be meant
   CRASH_ARM    a file; calls count from when it is there
   CRASH_AT     the number of the call that is not made: the process is killed in its place
   CRASH_TRACE  a file that gets a line for every call: number, name, path

   A process that was forked is left alone: it has walls of its own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *within, *arm;
static atomic_int counted, armed, at, trace = -1, forked;

static void child(void) { forked = 1; }

__attribute__((constructor)) static void begin(void) {
    const char *number = getenv("CRASH_AT"), *file = getenv("CRASH_TRACE");
    within = getenv("CRASH_IN");
    arm = getenv("CRASH_ARM");
    at = number ? atoi(number) : 0;
    if (file) trace = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pthread_atfork(NULL, NULL, child);
}

static void change(const char *call, const char *path) {
    if (forked || !within || !path || !strstr(path, within)) return;
    if (!armed && arm && syscall(SYS_faccessat, AT_FDCWD, arm, F_OK) != 0) return;
    armed = 1;
    int number = atomic_fetch_add(&counted, 1) + 1;
    if (trace >= 0) {
        char line[PATH_MAX + 64];
        int length = snprintf(line, sizeof line, "%d %s %s\n", number, call, path);
        syscall(SYS_write, trace, line, (size_t)length);
    }
    if (number == at) raise(SIGKILL);
}

static void change_of(const char *call, int fd) {
    if (forked || !within) return;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    change(call, path);
}

/* A path beside an open folder: the folder's own path goes before it. */
static void change_at(const char *call, int dir, const char *path) {
    char whole[PATH_MAX], link[64];
    if (forked || !within) return;
    if (dir == AT_FDCWD || path[0] == '/') { change(call, path); return; }
    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, whole, sizeof whole - 1);
    if (length <= 0) return;
    snprintf(whole + length, sizeof whole - (size_t)length, "/%s", path);
    change(call, whole);
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *b, size_t n) { REAL(write); change_of("write", fd); return real(fd, b, n); }
ssize_t writev(int fd, const struct iovec *v, int n) { REAL(writev); change_of("write", fd); return real(fd, v, n); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { REAL(pwrite); change_of("write", fd); return real(fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { REAL(pwrite64); change_of("write", fd); return real(fd, b, n, o); }
ssize_t copy_file_range(int i, off64_t *io, int o, off64_t *oo, size_t n, unsigned f) { REAL(copy_file_range); change_of("copy", o); return real(i, io, o, oo, n, f); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); change_of("truncate", fd); return real(fd, n); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); change_of("truncate", fd); return real(fd, n); }
int fsync(int fd) { REAL(fsync); change_of("sync", fd); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); change_of("sync", fd); return real(fd); }
int unlink(const char *p) { REAL(unlink); change("unlink", p); return real(p); }
int unlinkat(int d, const char *p, int f) { REAL(unlinkat); change_at("unlink", d, p); return real(d, p, f); }
int rmdir(const char *p) { REAL(rmdir); change("unlink", p); return real(p); }
int mkdir(const char *p, mode_t m) { REAL(mkdir); change("mkdir", p); return real(p, m); }
int rename(const char *a, const char *b) { REAL(rename); change("rename", b); return real(a, b); }
int renameat(int d, const char *a, int e, const char *b) { REAL(renameat); change_at("rename", e, b); return real(d, a, e, b); }
int link(const char *a, const char *b) { REAL(link); change("link", b); return real(a, b); }
int linkat(int d, const char *a, int e, const char *b, int f) { REAL(linkat); change_at("link", e, b); return real(d, a, e, b, f); }

static int mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; }
#define OPENED(name) \
    int name(const char *p, int flags, ...) { \
        va_list rest; va_start(rest, flags); int mode = mode_of(flags, rest); va_end(rest); \
        REAL(name); if (flags & (O_CREAT | O_TRUNC)) change("create", p); return real(p, flags, mode); }
OPENED(open)
OPENED(open64)
#define OPENED_AT(name) \
    int name(int d, const char *p, int flags, ...) { \
        va_list rest; va_start(rest, flags); int mode = mode_of(flags, rest); va_end(rest); \
        REAL(name); if (flags & (O_CREAT | O_TRUNC)) change_at("create", d, p); return real(d, p, flags, mode); }
OPENED_AT(openat)
OPENED_AT(openat64)
