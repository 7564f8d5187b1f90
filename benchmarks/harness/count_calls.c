// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// An LD_PRELOAD library that counts a proxy's calls while it runs at its own speed, which strace
// does not let it do: under strace the next data is always there already, and EAGAIN is never seen.
// The counters are in a file that the harness maps; processes forked later share them. A call made
// with syscall(2) directly is not seen.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

// The order is that of COUNTERS in scenarios/calls.py.
enum counter {
  kRecv,
  kSend,
  kEagain,
  kEpollCtl,
  kEpollWait,
  kTimerfdSettime,
  kAllocations,
  kCounters
};

static unsigned long unshared_counters[kCounters];
static unsigned long* counters = unshared_counters;

__attribute__((constructor)) static void map_counters(void) {
  const char* path = getenv("COUNT_CALLS_FILE");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* shared = mmap(NULL, sizeof(unshared_counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared != MAP_FAILED) counters = shared;
  close(fd);
}

static void count(enum counter which) { __atomic_fetch_add(&counters[which], 1, __ATOMIC_RELAXED); }

static ssize_t counted(enum counter which, ssize_t result) {
  int saved = errno;
  count(which);
  if (result < 0 && (saved == EAGAIN || saved == EWOULDBLOCK)) count(kEagain);
  errno = saved;
  return result;
}

static int is_socket(int fd) {
  struct stat status;
  int saved = errno;
  int answer = fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
  errno = saved;
  return answer;
}

// Forwards to the next definition of the function, found on the first call.
#define NEXT(name)               \
  static __typeof__(name)* next; \
  if (!next) next = (__typeof__(name)*)dlsym(RTLD_NEXT, #name)

ssize_t recv(int fd, void* data, size_t size, int flags) {
  NEXT(recv);
  return counted(kRecv, next(fd, data, size, flags));
}

ssize_t recvfrom(int fd, void* data, size_t size, int flags, struct sockaddr* address,
                 socklen_t* length) {
  NEXT(recvfrom);
  return counted(kRecv, next(fd, data, size, flags, address, length));
}

ssize_t recvmsg(int fd, struct msghdr* message, int flags) {
  NEXT(recvmsg);
  return counted(kRecv, next(fd, message, flags));
}

ssize_t read(int fd, void* data, size_t size) {
  NEXT(read);
  ssize_t result = next(fd, data, size);
  return is_socket(fd) ? counted(kRecv, result) : result;
}

ssize_t readv(int fd, const struct iovec* parts, int count_of_parts) {
  NEXT(readv);
  ssize_t result = next(fd, parts, count_of_parts);
  return is_socket(fd) ? counted(kRecv, result) : result;
}

ssize_t send(int fd, const void* data, size_t size, int flags) {
  NEXT(send);
  return counted(kSend, next(fd, data, size, flags));
}

ssize_t sendto(int fd, const void* data, size_t size, int flags, const struct sockaddr* address,
               socklen_t length) {
  NEXT(sendto);
  return counted(kSend, next(fd, data, size, flags, address, length));
}

ssize_t sendmsg(int fd, const struct msghdr* message, int flags) {
  NEXT(sendmsg);
  return counted(kSend, next(fd, message, flags));
}

ssize_t write(int fd, const void* data, size_t size) {
  NEXT(write);
  ssize_t result = next(fd, data, size);
  return is_socket(fd) ? counted(kSend, result) : result;
}

ssize_t writev(int fd, const struct iovec* parts, int count_of_parts) {
  NEXT(writev);
  ssize_t result = next(fd, parts, count_of_parts);
  return is_socket(fd) ? counted(kSend, result) : result;
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event* event) {
  NEXT(epoll_ctl);
  count(kEpollCtl);
  return next(epoll, operation, fd, event);
}

int epoll_wait(int epoll, struct epoll_event* events, int events_max, int timeout) {
  NEXT(epoll_wait);
  count(kEpollWait);
  return next(epoll, events, events_max, timeout);
}

int epoll_pwait(int epoll, struct epoll_event* events, int events_max, int timeout,
                const sigset_t* mask) {
  NEXT(epoll_pwait);
  count(kEpollWait);
  return next(epoll, events, events_max, timeout, mask);
}

int timerfd_settime(int fd, int flags, const struct itimerspec* value, struct itimerspec* old) {
  NEXT(timerfd_settime);
  count(kTimerfdSettime);
  return next(fd, flags, value, old);
}

// glibc's own names: dlsym allocates, so that NEXT can not be used here.
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count_of_items, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  count(kAllocations);
  return __libc_malloc(size);
}

void* calloc(size_t count_of_items, size_t size) {
  count(kAllocations);
  return __libc_calloc(count_of_items, size);
}

void* realloc(void* block, size_t size) {
  count(kAllocations);
  return __libc_realloc(block, size);
}

void* memalign(size_t alignment, size_t size) {
  count(kAllocations);
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}
