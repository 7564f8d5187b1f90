// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "pingora/net/socket_address.h"
#include "pingora/net/unique_fd.h"

namespace pingora {

/// A client that blocks the thread of its test.
class BlockingClient {
 public:
  explicit BlockingClient(const SocketAddress& address)
      : fd_(::socket(address.is_unix() ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage storage{};
    socklen_t size = address.to_sockaddr(storage);
    is_connected_ = ::connect(fd_.get(), reinterpret_cast<sockaddr*>(&storage), size) == 0;
  }
  bool is_connected() const { return is_connected_; }
  bool try_send(std::string_view text) {
    return ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  void send(std::string_view text) { REQUIRE(try_send(text)); }
  /// Everything up to and including `end`, or to the end of the stream.
  std::string receive_until(std::string_view end) {
    std::string text;
    while (!text.ends_with(end)) {
      std::string byte = receive(1);
      if (byte.empty()) break;
      text += byte;
    }
    return text;
  }
  /// The next `size` bytes, or fewer at the end of the stream.
  std::string receive(std::size_t size) {
    std::string text(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      ssize_t n = ::recv(fd_.get(), text.data() + done, size - done, 0);
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    text.resize(done);
    return text;
  }
  bool is_closed_by_peer() { return receive(1).empty(); }
  void close() { fd_ = UniqueFd(); }

 private:
  UniqueFd fd_;
  bool is_connected_ = false;
};

}  // namespace pingora
