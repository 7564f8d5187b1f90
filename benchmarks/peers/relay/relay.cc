// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The floor below every proxy's cost: passes requests on to one origin and responses back, with
// the system calls that this takes and next to nothing else. It trusts both sides: a request comes
// in one read, and a response says by Content-Length where it ends; while a client does not read,
// everybody waits.
//
//   relay PORT ORIGIN_PORT        connections of clients are kept
//   relay PORT ORIGIN_PORT close  each has one exchange; then it is closed
//
// The second way, a client whose request is there already is not watched: the relay does not notice
// one that leaves before its response is there. The end leaves together with the response, behind
// which nothing is expected.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace {

enum class Clients { Stay, Close };

struct Connection {
  int fd;
  bool is_upstream;
  Connection* other = nullptr;  // during an exchange
  std::size_t left = 0;         // of the response's body; upstream
};

class Relay {
 public:
  Relay(int port, int origin_port, Clients clients)
      : epoll_(::epoll_create1(0)), origin_(loopback(origin_port)), clients_(clients) {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address = loopback(port);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(fd, 4096) != 0) {
      std::perror("relay");
      std::exit(1);
    }
    listener_ = make(fd);
    watch(*listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<epoll_event, 128> events;
      int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[i].data.ptr);
        if (&connection == listener_) {
          accept_all();
        } else if (connection.fd >= 0) {
          pass_on(connection);
        }
      }
      // None of their events is left.
      unused_.insert(unused_.end(), ended_.begin(), ended_.end());
      ended_.clear();
    }
  }

 private:
  static constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  Connection* make(int fd, bool is_upstream = false) {
    if (unused_.empty()) return new Connection{fd, is_upstream};
    Connection* connection = unused_.back();
    unused_.pop_back();
    *connection = {fd, is_upstream};
    return connection;
  }

  void watch(Connection& connection, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.ptr = &connection}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  // They block in a send.
  void accept_all() {
    for (int fd = 0; (fd = ::accept4(listener_->fd, nullptr, nullptr, 0)) >= 0;) {
      Connection& client = *make(fd);
      if (clients_ == Clients::Stay || !pass_on(client)) watch(client, kReading);
    }
  }

  Connection* upstream() {
    if (!idle_.empty()) {
      Connection* last = idle_.back();
      idle_.pop_back();
      return last;
    }
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::connect(fd, reinterpret_cast<sockaddr*>(&origin_), sizeof(origin_));
    Connection* made = make(fd, true);
    watch(*made, kReading);
    return made;
  }

  // Reads until a read does not fill the buffer: the end of a stream comes alone. Returns false if
  // there was nothing.
  bool pass_on(Connection& from) {
    ssize_t size = 0;
    do {
      size = ::recv(from.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size <= 0) break;
      auto bytes = static_cast<std::size_t>(size);
      if (from.is_upstream) {
        if (!pass_on_response(from, bytes)) break;
      } else if (from.other == nullptr) {
        pass_on_request(from, bytes);
      }
    } while (static_cast<std::size_t>(size) == buffer_.size());
    if (size == 0) end(from);
    return size >= 0;
  }

  void pass_on_request(Connection& client, std::size_t size) {
    if (clients_ == Clients::Close) replace(size, "Connection: close", "X");
    client.other = upstream();
    client.other->other = &client;
    send_all(client.other->fd, {buffer_.data(), size}, 0);
  }

  // Returns false if nobody asked, or has asked no more.
  bool pass_on_response(Connection& upstream, std::size_t size) {
    Connection* client = upstream.other;
    if (client == nullptr) {
      end(upstream);
      return false;
    }
    bool is_first = upstream.left == 0;
    note_response(upstream, {buffer_.data(), size});
    bool is_last = upstream.left == 0;
    bool closes = clients_ == Clients::Close;
    if (closes && is_first) replace(size, "Connection: keep-alive", "Connection: close     ");
    send_all(client->fd, {buffer_.data(), size}, closes && is_last ? MSG_MORE : 0);
    if (!is_last) return true;
    upstream.other = nullptr;
    client->other = nullptr;
    idle_.push_back(&upstream);
    if (closes) end(*client);
    return true;
  }

  // Writes `by` where `text` begins in what was read.
  void replace(std::size_t size, std::string_view text, std::string_view by) {
    std::size_t at = std::string_view(buffer_.data(), size).find(text);
    if (at != std::string_view::npos) std::ranges::copy(by, buffer_.data() + at);
  }

  static void send_all(int fd, std::string_view bytes, int flags) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | flags);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent <= 0) return;
    }
  }

  static void note_response(Connection& upstream, std::string_view bytes) {
    if (upstream.left == 0) {
      constexpr std::string_view kLength = "Content-Length: ";
      std::size_t at = bytes.find(kLength);
      if (at != std::string_view::npos) {
        upstream.left = std::strtoull(bytes.data() + at + kLength.size(), nullptr, 10);
      }
      bytes.remove_prefix(std::min(bytes.find("\r\n\r\n"), bytes.size() - 4) + 4);
    }
    upstream.left -= std::min(upstream.left, bytes.size());
  }

  void end(Connection& connection) {
    std::erase(idle_, &connection);
    if (connection.other != nullptr) connection.other->other = nullptr;
    connection.other = nullptr;
    ::close(std::exchange(connection.fd, -1));
    ended_.push_back(&connection);
  }

  int epoll_;
  sockaddr_in origin_;
  Clients clients_;
  Connection* listener_ = nullptr;
  std::vector<Connection*> idle_;
  std::vector<Connection*> ended_;   // in this turn, whose events may name them
  std::vector<Connection*> unused_;  // to be used again
  std::array<char, 18 * 1024> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  bool closes = argc == 4 && std::string_view(argv[3]) == "close";
  if (argc != 3 && !closes) return 2;
  Relay(std::atoi(argv[1]), std::atoi(argv[2]), closes ? Clients::Close : Clients::Stay).run();
}
