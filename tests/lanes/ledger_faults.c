/* Makes one call on a ledger's file go wrong. Loaded before the C library (LD_PRELOAD).

   FAULT_IN     what a file's path must contain to be meant
   FAULT_AT     call:number:kind; the kinds are eio, enospc, short, kill (before), after (kill after it was done)
   FAULT_COUNT  a file that gets how often each call was made, at the end */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PWRITE, WRITE, FDATASYNC, FSYNC, FTRUNCATE, OPEN, UNLINK, FALLOCATE, MMAP, FCNTL, CLOSE, CALLS };
static const char *names[CALLS] = {"pwrite", "write", "fdatasync", "fsync", "ftruncate", "open", "unlink", "fallocate", "mmap", "fcntl", "close"};
static atomic_int made[CALLS];
static const char *within;
static int at_call = -1, at_number;
static char kind[16];

__attribute__((constructor)) static void begin(void) {
    char call[16];
    const char *at = getenv("FAULT_AT");
    within = getenv("FAULT_IN");
    if (at && sscanf(at, "%15[^:]:%d:%15s", call, &at_number, kind) == 3)
        for (int i = 0; i < CALLS; i++) if (!strcmp(call, names[i])) at_call = i;
}

__attribute__((destructor)) static void end(void) {
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    for (int i = 0; i < CALLS; i++) fprintf(file, "%s %d\n", names[i], made[i]);
    fclose(file);
}

static int meant_path(const char *path) { return within && path && strstr(path, within) != NULL; }

static int meant(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return meant_path(path);
}

/* 0: go on; 1: fail with errno; 2: do half; 3: do it, then die. */
static int fault(int call) {
    if (atomic_fetch_add(&made[call], 1) + 1 != at_number || call != at_call) return 0;
    if (!strcmp(kind, "kill")) raise(SIGKILL);
    if (!strcmp(kind, "short")) return 2;
    if (!strcmp(kind, "after")) return 3;
    errno = !strcmp(kind, "enospc") ? ENOSPC : EIO;
    return 1;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define DO(call, mine, whole, half) do { \
    int what = (mine) ? fault(call) : 0; \
    if (what == 1) return -1; \
    if (what == 2) return (half); \
    __typeof__(whole) result = (whole); \
    if (what == 3) raise(SIGKILL); \
    return result; } while (0)

ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { REAL(pwrite); DO(PWRITE, meant(fd), real(fd, b, n, o), real(fd, b, n / 2, o)); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { REAL(pwrite64); DO(PWRITE, meant(fd), real(fd, b, n, o), real(fd, b, n / 2, o)); }
ssize_t write(int fd, const void *b, size_t n) { REAL(write); DO(WRITE, meant(fd), real(fd, b, n), real(fd, b, n / 2)); }
int fdatasync(int fd) { REAL(fdatasync); DO(FDATASYNC, meant(fd), real(fd), real(fd)); }
int fsync(int fd) { REAL(fsync); DO(FSYNC, meant(fd), real(fd), real(fd)); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); DO(FTRUNCATE, meant(fd), real(fd, n), real(fd, n)); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); DO(FTRUNCATE, meant(fd), real(fd, n), real(fd, n)); }
int unlink(const char *p) { REAL(unlink); DO(UNLINK, meant_path(p), real(p), real(p)); }
int close(int fd) { REAL(close); DO(CLOSE, meant(fd), real(fd), real(fd)); }
int posix_fallocate(int fd, off_t o, off_t n) { REAL(posix_fallocate); int what = meant(fd) ? fault(FALLOCATE) : 0; return what == 1 ? errno : real(fd, o, n); }

void *mmap(void *a, size_t n, int p, int f, int fd, off_t o) {
    REAL(mmap);
    int what = fd >= 0 && meant(fd) ? fault(MMAP) : 0;
    if (what == 1) return MAP_FAILED;
    void *result = real(a, n, p, f, fd, o);
    if (what == 3) raise(SIGKILL);
    return result;
}
void *mmap64(void *a, size_t n, int p, int f, int fd, off64_t o) { return mmap(a, n, p, f, fd, o); }

static int mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0; }
#define OPENED(name) \
    int name(const char *p, int flags, ...) { \
        va_list rest; va_start(rest, flags); int mode = mode_of(flags, rest); va_end(rest); \
        REAL(name); DO(OPEN, meant_path(p), real(p, flags, mode), real(p, flags, mode)); }
OPENED(open)
OPENED(open64)
int openat(int d, const char *p, int flags, ...) {
    va_list rest; va_start(rest, flags); int mode = mode_of(flags, rest); va_end(rest);
    REAL(openat); DO(OPEN, meant_path(p), real(d, p, flags, mode), real(d, p, flags, mode));
}
