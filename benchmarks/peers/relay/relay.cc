// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The floor below every proxy's cost: passes requests on to one origin and responses back, with
// the system calls that this takes and next to nothing else. It trusts both sides: a request comes
// in one read, and a response says by Content-Length where it ends; while a client does not read,
// everybody waits.
//
//   relay PORT ORIGIN_PORT

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
#include <vector>

namespace {

struct Connection {
  int fd;
  bool is_upstream;
  Connection* other = nullptr;  // during an exchange
  std::size_t left = 0;         // of the response's body; upstream
};

class Relay {
 public:
  Relay(int port, int origin_port) : epoll_(::epoll_create1(0)), origin_(loopback(origin_port)) {
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
    listener_ = watch(fd, EPOLLIN);
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<epoll_event, 128> events;
      int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[i].data.ptr);
        if (&connection == listener_) {
          int fd = ::accept4(connection.fd, nullptr, nullptr, 0);  // to block in a send
          if (fd >= 0) watch(fd, EPOLLIN | EPOLLRDHUP | EPOLLET);
        } else {
          pass_on(connection);
        }
      }
    }
  }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  Connection* watch(int fd, std::uint32_t events, bool is_upstream = false) {
    auto* connection = new Connection{fd, is_upstream};
    epoll_event event{.events = events, .data = {.ptr = connection}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    return connection;
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
    return watch(fd, EPOLLIN | EPOLLRDHUP | EPOLLET, true);
  }

  // Reads until a read does not fill the buffer: the end of a stream comes alone.
  void pass_on(Connection& from) {
    ssize_t size = 0;
    do {
      size = ::recv(from.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size <= 0) break;
      std::string_view bytes(buffer_.data(), static_cast<std::size_t>(size));
      if (!from.is_upstream && from.other == nullptr) {
        from.other = upstream();
        from.other->other = &from;
      }
      if (from.other == nullptr) return end(from);  // nobody asked
      send_all(from.other->fd, bytes);
      if (from.is_upstream) note_response(from, bytes);
    } while (static_cast<std::size_t>(size) == buffer_.size());
    if (size == 0) end(from);
  }

  static void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent <= 0) return;
    }
  }

  void note_response(Connection& upstream, std::string_view bytes) {
    if (upstream.left == 0) {
      constexpr std::string_view kLength = "Content-Length: ";
      std::size_t at = bytes.find(kLength);
      if (at != std::string_view::npos) {
        upstream.left = std::strtoull(bytes.data() + at + kLength.size(), nullptr, 10);
      }
      bytes.remove_prefix(std::min(bytes.find("\r\n\r\n"), bytes.size() - 4) + 4);
    }
    upstream.left -= std::min(upstream.left, bytes.size());
    if (upstream.left != 0) return;
    upstream.other->other = nullptr;
    upstream.other = nullptr;
    idle_.push_back(&upstream);
  }

  // Events of one turn may name it still: its memory is kept, for there are few.
  void end(Connection& connection) {
    std::erase(idle_, &connection);
    if (connection.other != nullptr) connection.other->other = nullptr;
    connection.other = nullptr;
    ::close(connection.fd);
  }

  int epoll_;
  sockaddr_in origin_;
  Connection* listener_ = nullptr;
  std::vector<Connection*> idle_;
  std::array<char, 18 * 1024> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  Relay(std::atoi(argv[1]), std::atoi(argv[2])).run();
}
