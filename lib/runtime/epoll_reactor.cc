// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Asio's epoll, of timers and wake-ups, is one descriptor in an epoll of our own, beside the
// sockets:
//
//   run: epoll_wait(ours) --> sockets' events --> the scheduler's queue --> Reactor::complete
//                         \-> Asio's epoll is readable --> asio::detail::epoll_reactor::run
//
// So the events of a socket come with all that the kernel says (EPOLLRDHUP, which Asio neither asks
// for nor passes on), and waiting for the next one is no operation of Asio's, with its lock and
// its count of work.
//
// Invariants:
//  [queue]  a Reactor is pushed into the scheduler's queue by `run` only, and the scheduler runs
//           `run` again only once all that it pushed was taken out: never is one pushed twice;
//  [life]   a Reactor lives as long as the io_context; an event is of the life that it was
//           registered in, and says so.
#include "reactor.h"

#if PINGORA_OWN_EPOLL

#include <sys/epoll.h>
#include <unistd.h>

#include <asio/detail/epoll_reactor.hpp>
#include <asio/detail/scheduler.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "pingora/base/assert.h"

namespace pingora::internal {
namespace {

using AsioReactor = asio::detail::epoll_reactor;

// Asio's epoll descriptor is the one thing of it that is needed and private. An explicit
// instantiation may name it (C++ [temp.spec.general]: access rules do not apply there).
int epoll_fd_of(const AsioReactor& reactor) noexcept;
template <int AsioReactor::* kMember>
struct RevealEpollFd {
  friend int epoll_fd_of(const AsioReactor& reactor) noexcept { return reactor.*kMember; }
};
template struct RevealEpollFd<&AsioReactor::epoll_fd_>;

constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t kEnded = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

// What the kernel gives back with an event, and the scheduler with an operation: the life beside
// the pointer, whose upper 16 bits are unused, and beside the flags, all of which are in the lower.
constexpr int kLifeInData = 48;
constexpr int kLifeInResult = 16;

}  // namespace

class EpollReactor final : public AsioReactor {
 public:
  explicit EpollReactor(asio::execution_context& context)
      : AsioReactor(context),
        scheduler_(asio::use_service<asio::detail::scheduler>(context)),
        epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = 0}};
    if (epoll_fd_ < 0 || ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, epoll_fd_of(*this), &event) != 0) {
      int error_number = errno;
      if (epoll_fd_ >= 0) ::close(epoll_fd_);
      throw std::system_error(error_number, std::generic_category(), "epoll");
    }
  }
  ~EpollReactor() override {
    while (Reactor* reactor = take_retired()) delete reactor;
    ::close(epoll_fd_);
  }

  static EpollReactor& of(asio::execution_context& context) {
    return static_cast<EpollReactor&>(asio::use_service<AsioReactor>(context));
  }

  void run(long microseconds, asio::detail::op_queue<asio::detail::operation>& ready) override;

  asio::detail::scheduler& scheduler() const noexcept { return scheduler_; }
  int epoll_fd() const noexcept { return epoll_fd_; }
  void put_retired(Reactor& reactor) noexcept {
    std::lock_guard lock(retired_mutex_);
    reactor.next_retired_ = std::exchange(retired_, &reactor);
  }
  Reactor* take_retired() noexcept {
    std::lock_guard lock(retired_mutex_);
    return retired_ == nullptr
               ? nullptr
               : std::exchange(retired_, std::exchange(retired_->next_retired_, nullptr));
  }

 private:
  asio::detail::scheduler& scheduler_;
  const int epoll_fd_;
  Mutex retired_mutex_;
  Reactor* retired_ = nullptr;
};

void EpollReactor::run(long microseconds, asio::detail::op_queue<asio::detail::operation>& ready) {
  constexpr int kEventsMax = 128;
  epoll_event events[kEventsMax];
  auto timeout = microseconds < 0 ? -1 : static_cast<int>((microseconds + 999) / 1000);
  int count = ::epoll_wait(epoll_fd_, events, kEventsMax, timeout);
  bool is_asio_ready = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[i];
    std::uint64_t address = event.data.u64 & ((std::uint64_t{1} << kLifeInData) - 1);
    if (address == 0) {
      is_asio_ready = true;
      continue;
    }
    auto* reactor = reinterpret_cast<Reactor*>(address);
    reactor->task_result_ = static_cast<unsigned>(event.data.u64 >> kLifeInData) << kLifeInResult |
                            (event.events & 0xffff);
    ready.push(reactor);
  }
  if (is_asio_ready) AsioReactor::run(0, ready);
}

asio::io_context& Reactor::prepare(asio::io_context& context) {
  asio::add_service<AsioReactor>(context, new EpollReactor(context));  // which owns it
  return context;
}

Reactor* Reactor::take_retired(asio::io_context& context) noexcept {
  return EpollReactor::of(context).take_retired();
}

Reactor::Reactor(asio::io_context& context)
    : scheduler_operation(&complete), reactor_(EpollReactor::of(context)) {}

void Reactor::complete(void* owner, asio::detail::scheduler_operation* operation,
                       const asio::error_code&, std::size_t result) {
  if (owner == nullptr) return;  // the io_context is going
  auto& self = *static_cast<Reactor*>(operation);
  // The scheduler takes one off its count of work behind every operation.
  self.reactor_.scheduler().compensating_work_started();
  auto events = static_cast<std::uint32_t>(result);
  std::unique_lock lock(self.mutex_);
  if (events >> kLifeInResult != self.life_) return;
  bool has_ended = (events & kEnded) != 0;
  self.on_edges({.is_readable = has_ended || (events & EPOLLIN) != 0,
                 .is_writable = (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0,
                 .has_ended = has_ended},
                lock);
}

// Returns 0 or an errno.
int Reactor::watch(int epoll_operation, std::uint32_t events) {
  auto address = reinterpret_cast<std::uint64_t>(this);
  PINGORA_ASSERT(address >> kLifeInData == 0);
  epoll_event event{.events = events,
                    .data = {.u64 = std::uint64_t{life_} << kLifeInData | address}};
  return ::epoll_ctl(reactor_.epoll_fd(), epoll_operation, fd_, &event) == 0 ? 0 : errno;
}

int Reactor::open(int fd) {
  std::lock_guard lock(mutex_);
  fd_ = fd;
  watches_writing_ = false;
  int failure = watch(EPOLL_CTL_ADD, kReading);
  is_watched_ = failure == 0;
  return failure;
}

// Reading is always asked for. Writing hardly ever has to wait; asked for, every acknowledgement of
// the peer would be an event.
void Reactor::request(Direction direction) {
  if (direction == Direction::Read || std::exchange(watches_writing_, true)) return;
  [[maybe_unused]] int failure = watch(EPOLL_CTL_MOD, kReading | EPOLLOUT);
  PINGORA_DEBUG_ASSERT(failure == 0);  // it takes nothing that was not taken when it was added
}

void Reactor::close() {
  std::lock_guard lock(mutex_);
  ++life_;
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

int Reactor::release() {
  std::lock_guard lock(mutex_);
  ++life_;
  if (is_watched_) ::epoll_ctl(reactor_.epoll_fd(), EPOLL_CTL_DEL, fd_, nullptr);
  return std::exchange(fd_, -1);
}

void Reactor::retire() { reactor_.put_retired(*this); }

}  // namespace pingora::internal

#endif
