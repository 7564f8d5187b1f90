// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// An open-loop HTTP/1.1 client for `stuck`: requests fall due at random times (a Poisson process
// per connection) whether or not earlier ones are answered, and a latency counts from when its
// request was due. A proxy that stalls is thus charged for every request that waits behind the
// stall, where a closed loop would just send fewer (coordinated omission).
//
//   open_loop PORT SECONDS WARMUP_SECONDS FAST_RATE FAST_CONNECTIONS SLOW_RATE SLOW_CONNECTIONS
//
// Prints one line of JSON about the fast requests, GET /; the slow ones are GET /slow.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kDrainMax{5};

enum class Kind { Fast, Slow };

struct Connection {
  Connection(Kind kind_in, double rate, unsigned seed) : kind(kind_in), random(seed), gap(rate) {}

  Kind kind;
  int fd = -1;
  std::mt19937_64 random;
  std::exponential_distribution<double> gap;
  TimePoint next_due;
  // When the requests fell due that are not answered; the first one is on the wire.
  std::deque<TimePoint> waiting;
  std::string received;
};

struct Tally {
  std::vector<double> fast_ms;
  std::size_t slow = 0;
  std::size_t errors = 0;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(2);
}

int connect_to(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fail("connect");
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

TimePoint after(TimePoint time, double seconds) {
  return time + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
}

class Generator {
 public:
  Generator(int port, double seconds, double warmup) : port_(port) {
    begin_ = Clock::now();
    counted_from_ = after(begin_, warmup);
    end_ = after(counted_from_, seconds);
  }

  void add(Kind kind, double rate, int count) {
    for (int i = 0; i < count; ++i) {
      auto seed = static_cast<unsigned>(connections_.size() + 1);
      auto& connection =
          *connections_.emplace_back(std::make_unique<Connection>(kind, rate / count, seed));
      connection.fd = connect_to(port_);
      connection.next_due = after(begin_, connection.gap(connection.random));
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
      if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) fail("epoll_ctl");
    }
  }

  Tally run() {
    TimePoint last = after(end_, kDrainMax.count());
    while (Clock::now() < end_ || (has_waiting() && Clock::now() < last)) {
      TimePoint wake = send_due();
      receive(std::min(wake, Clock::now() + std::chrono::milliseconds(100)));
    }
    for (const auto& connection : connections_) tally_.errors += connection->waiting.size();
    return std::move(tally_);
  }

 private:
  bool has_waiting() const {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const auto& connection) { return !connection->waiting.empty(); });
  }

  // Sends what is due; returns when the next request is.
  TimePoint send_due() {
    TimePoint wake = TimePoint::max();
    TimePoint now = Clock::now();
    for (const auto& connection : connections_) {
      while (connection->next_due <= now && connection->next_due < end_) {
        connection->waiting.push_back(connection->next_due);
        if (connection->waiting.size() == 1) send_request(*connection);
        connection->next_due = after(connection->next_due, connection->gap(connection->random));
      }
      wake = std::min(wake, connection->next_due);
    }
    return wake;
  }

  static void send_request(Connection& connection) {
    std::string_view request = connection.kind == Kind::Fast
                                   ? "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
                                   : "GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    // One small request at a time always fits the socket's buffer. A lost connection shows when
    // it is read.
    [[maybe_unused]] auto sent = send(connection.fd, request.data(), request.size(), MSG_NOSIGNAL);
  }

  void receive(TimePoint until) {
    auto wait = std::max(Clock::duration::zero(), until - Clock::now());
    auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(wait).count();
    timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    epoll_event events[64];
    int count = epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    for (int i = 0; i < count; ++i) read_from(*static_cast<Connection*>(events[i].data.ptr));
  }

  void read_from(Connection& connection) {
    char block[4096];
    ssize_t size = recv(connection.fd, block, sizeof(block), MSG_DONTWAIT);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      // What waited on it stays in `waiting`, and is counted as errors at the end.
      ++tally_.errors;
      epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.fd, nullptr);
      connection.next_due = TimePoint::max();
      return;
    }
    connection.received.append(block, static_cast<std::size_t>(size));
    if (is_complete(connection.received)) take_answer(connection);
  }

  static bool is_complete(std::string_view answer) {
    constexpr std::string_view kLength = "Content-Length: ";
    auto head = answer.find("\r\n\r\n");
    if (head == std::string_view::npos) return false;
    auto field = std::search(answer.begin(), answer.end(), kLength.begin(), kLength.end(),
                             [](char a, char b) { return (a | 0x20) == (b | 0x20); });
    std::size_t length = 0;
    if (field != answer.end()) {
      std::from_chars(field + kLength.size(), answer.end(), length);
    }
    return answer.size() >= head + 4 + length;
  }

  void take_answer(Connection& connection) {
    if (!connection.received.starts_with("HTTP/1.1 200")) ++tally_.errors;
    connection.received.clear();
    if (connection.waiting.empty()) {  // an answer to nothing
      ++tally_.errors;
      return;
    }
    TimePoint due = connection.waiting.front();
    connection.waiting.pop_front();
    if (due >= counted_from_) {
      if (connection.kind == Kind::Fast) {
        tally_.fast_ms.push_back(Seconds(Clock::now() - due).count() * 1000);
      } else {
        ++tally_.slow;
      }
    }
    if (!connection.waiting.empty()) send_request(connection);
  }

  int port_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  TimePoint begin_;
  TimePoint counted_from_;
  TimePoint end_;
  std::vector<std::unique_ptr<Connection>> connections_;
  Tally tally_;
};

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr,
                 "usage: open_loop PORT SECONDS WARMUP FAST_RATE FAST_CONNECTIONS "
                 "SLOW_RATE SLOW_CONNECTIONS\n");
    return 2;
  }
  prctl(PR_SET_TIMERSLACK, 1);
  Generator generator(std::atoi(argv[1]), std::atof(argv[2]), std::atof(argv[3]));
  generator.add(Kind::Fast, std::atof(argv[4]), std::atoi(argv[5]));
  generator.add(Kind::Slow, std::atof(argv[6]), std::atoi(argv[7]));
  Tally tally = generator.run();
  std::sort(tally.fast_ms.begin(), tally.fast_ms.end());
  std::printf(
      "{\"fast\": %zu, \"slow\": %zu, \"errors\": %zu, \"p50_ms\": %.3f, \"p90_ms\": %.3f, "
      "\"p99_ms\": %.3f, \"p999_ms\": %.3f}\n",
      tally.fast_ms.size(), tally.slow, tally.errors, percentile(tally.fast_ms, 0.5),
      percentile(tally.fast_ms, 0.9), percentile(tally.fast_ms, 0.99),
      percentile(tally.fast_ms, 0.999));
}
