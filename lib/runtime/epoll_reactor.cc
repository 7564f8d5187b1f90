// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Asio's epoll, of timers and wake-ups, is one descriptor in an epoll of our own, beside the
// sockets:
//
//   run: epoll_wait(ours) --> sockets' events --> ready list --> drain: Reactor::report each
//                         \-> Asio's epoll is readable --> asio::detail::epoll_reactor::run
//
// So the events of a socket come with all that the kernel says (EPOLLRDHUP, which Asio neither asks
// for nor passes on), and neither they nor waiting for the next ones are operations of Asio's, with
// its locks and its count of work: `drain` is one for all of them. A thread that gets stuck in it
// leaves the rest of the list to whoever helps: `run` has them drained before it waits.
//
// Invariants:
//  [queue]  the operation `drain` is pushed into the scheduler's queue by `run` only, and the
//           scheduler runs `run` again only once it was taken out: never is it in there twice;
//  [life]   a Reactor lives as long as the io_context; an event is of the life that it was
//           registered in, and says so.
#include "reactor.h"

#if PINGORA_OWN_EPOLL

#include <sys/epoll.h>
#include <unistd.h>

#include <asio/detail/epoll_reactor.hpp>
#include <asio/detail/scheduler.hpp>
#include <bit>
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

// What the kernel gives back with an event: the pointer, and in its unused upper bits the life.
constexpr int kLifeInData = 48;

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
  struct Drain : asio::detail::scheduler_operation {
    explicit Drain(EpollReactor& owner) : scheduler_operation(&run), reactor(owner) {}
    static void run(void* owner, scheduler_operation* self, const asio::error_code&, std::size_t) {
      if (owner != nullptr) static_cast<Drain*>(self)->reactor.drain();  // else: it is going
    }
    EpollReactor& reactor;
  };
  bool has_ready() noexcept {
    std::lock_guard lock(ready_mutex_);
    return first_ready_ != nullptr;
  }
  void add_ready(const epoll_event& event);
  void drain();

  Drain drain_{*this};
  Mutex ready_mutex_;  // guards the two below
  Reactor* first_ready_ = nullptr;
  Reactor* last_ready_ = nullptr;
  Mutex retired_mutex_;
  Reactor* retired_ = nullptr;
};

void EpollReactor::run(long microseconds, asio::detail::op_queue<asio::detail::operation>& ready) {
  constexpr int kEventsMax = 128;
  epoll_event events[kEventsMax];
  auto timeout = microseconds < 0 ? -1 : static_cast<int>((microseconds + 999) / 1000);
  bool has_left = has_ready();
  int count = ::epoll_wait(epoll_fd_, events, kEventsMax, has_left ? 0 : timeout);
  bool is_asio_ready = false;
  bool has_new = false;
  {
    std::lock_guard lock(ready_mutex_);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == 0) {
        is_asio_ready = true;
      } else {
        add_ready(events[i]);
        has_new = true;
      }
    }
  }
  if (has_left || has_new) ready.push(&drain_);
  if (is_asio_ready) AsioReactor::run(0, ready);
}

// Under the mutex.
void EpollReactor::add_ready(const epoll_event& event) {
  auto* reactor = std::bit_cast<Reactor*>(event.data.u64 & ((std::uint64_t{1} << kLifeInData) - 1));
  auto life = static_cast<std::uint16_t>(event.data.u64 >> kLifeInData);
  if (reactor->ready_events_ == 0) {
    (first_ready_ == nullptr ? first_ready_ : last_ready_->next_ready_) = reactor;
    last_ready_ = reactor;
  } else if (reactor->ready_life_ == life) {
    reactor->ready_events_ |= event.events;
    return;
  }
  reactor->ready_events_ = event.events;
  reactor->ready_life_ = life;
}

void EpollReactor::drain() {
  // The scheduler takes one off its count of work behind every operation.
  scheduler_.compensating_work_started();
  for (;;) {
    ready_mutex_.lock();
    Reactor* reactor = first_ready_;
    if (reactor == nullptr) break;
    first_ready_ = std::exchange(reactor->next_ready_, nullptr);
    std::uint32_t events = std::exchange(reactor->ready_events_, 0);
    std::uint16_t life = reactor->ready_life_;
    ready_mutex_.unlock();
    reactor->report(events, life);
  }
  ready_mutex_.unlock();
}

asio::io_context& Reactor::prepare(asio::io_context& context) {
  asio::add_service<AsioReactor>(context, new EpollReactor(context));  // which owns it
  return context;
}

Reactor* Reactor::take_retired(asio::io_context& context) noexcept {
  return EpollReactor::of(context).take_retired();
}

Reactor::Reactor(asio::io_context& context) : reactor_(EpollReactor::of(context)) {}

void Reactor::report(std::uint32_t events, std::uint16_t life) {
  std::unique_lock lock(mutex_);
  if (life != life_) return;
  bool has_ended = (events & kEnded) != 0;
  on_edges({.is_readable = has_ended || (events & EPOLLIN) != 0,
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
