// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "server/control_events.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "pingora/base/assert.h"

namespace pingora::internal {
namespace {

constexpr std::array<int, 4> kSignals{SIGTERM, SIGQUIT, SIGINT, SIGHUP};
std::atomic<ControlEvents*> signalled{nullptr};

void on_signal(int number) {
  int saved = errno;
  if (ControlEvents* events = signalled.load()) {
    switch (number) {
      case SIGINT: events->request_fast(); break;
      case SIGHUP: events->request_reload(); break;
      default: events->request_graceful();
    }
  }
  errno = saved;
}

}  // namespace

ControlEvents::ControlEvents() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void ControlEvents::request_graceful() noexcept {
  requests_.fetch_add(1);
  notify();
}

void ControlEvents::request_fast() noexcept {
  is_fast_requested_.store(true);
  request_graceful();
}

void ControlEvents::request_reload() noexcept {
  is_reload_requested_.store(true);
  notify();
}

// It fails only when the counter is full: the waiting thread is being woken already.
void ControlEvents::notify() noexcept {
  std::uint64_t one = 1;
  [[maybe_unused]] ssize_t written = ::write(fd_.get(), &one, sizeof(one));
}

void ControlEvents::wait_until(TimePoint deadline) {
  for (;;) {
    int timeout = -1;
    if (deadline != kNever) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      timeout = static_cast<int>(std::clamp<long>(left, 0, 3'600'000));
    }
    pollfd waited{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    int ready = ::poll(&waited, 1, timeout);
    if (ready > 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] ssize_t read = ::read(fd_.get(), &count, sizeof(count));
      return;
    }
    if (ready == 0 && Clock::now() >= deadline) return;
  }
}

ControlSignals::ControlSignals(ControlEvents& events) {
  ControlEvents* none = nullptr;
  PINGORA_ASSERT(signalled.compare_exchange_strong(none, &events));
  struct sigaction action{};
  action.sa_handler = &on_signal;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &action, &before_[i]);
  }
}

ControlSignals::~ControlSignals() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &before_[i], nullptr);
  }
  signalled.store(nullptr);
}

}  // namespace pingora::internal
