/* Kills the process at the n-th call that changes files, before the call is made: n is in KILL_AT. With TORN_WRITES defined,
 * writes count too, and at every second such moment half of what was to be written is written first. Tests of several
 * programs use it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int calls = 0;

static int is_time(void) {
    const char *limit = getenv("KILL_AT");
    return limit && __sync_add_and_fetch(&calls, 1) == atoi(limit);
}

static void end(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void count(void) {
    if (is_time()) end();
}

#define ORIGINAL(name) __typeof__(&name) original = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#ifdef TORN_WRITES
ssize_t write(int file, const void *bytes, size_t length) {
    ORIGINAL(write);
    if (file > 2 && length > 1 && is_time()) {
        if (atoi(getenv("KILL_AT")) % 2) original(file, bytes, length / 2);
        end();
    }
    return original(file, bytes, length);
}

int ftruncate64(int file, off64_t length) {
    count();
    ORIGINAL(ftruncate64);
    return original(file, length);
}
#endif

int rename(const char *from, const char *to) {
    count();
    ORIGINAL(rename);
    return original(from, to);
}

int unlink(const char *path) {
    count();
    ORIGINAL(unlink);
    return original(path);
}

int unlinkat(int folder, const char *path, int flags) {
    count();
    ORIGINAL(unlinkat);
    return original(folder, path, flags);
}

int rmdir(const char *path) {
    count();
    ORIGINAL(rmdir);
    return original(path);
}

int mkdir(const char *path, mode_t mode) {
    count();
    ORIGINAL(mkdir);
    return original(path, mode);
}

int fsync(int file) {
    count();
    ORIGINAL(fsync);
    return original(file);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (flags & O_CREAT) count();
    ORIGINAL(open64);
    return original(path, flags, mode);
}
