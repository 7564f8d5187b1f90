// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/testing/origin_server.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace pingora {
namespace {

constexpr int kBacklog = 1024;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// A socket bound to a free port, and its address.
UniqueFd bind_loopback(SocketAddress& address) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) throw_errno("socket");
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)) != 0) throw_errno("bind");
  socklen_t size = sizeof(any);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&any), &size);
  address = SocketAddress::from_sockaddr(reinterpret_cast<sockaddr*>(&any), size);
  return fd;
}

}  // namespace

WireMessage OriginConnection::read_request() {
  WireMessage request = receive_request();
  if (!request.head.empty()) server_.record(request, number_);
  return request;
}

OriginServer::OriginServer(Script script)
    : script_(std::move(script)), listener_(bind_loopback(address_)) {
  if (::listen(listener_.get(), kBacklog) != 0) throw_errno("listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

OriginServer::~OriginServer() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
    for (Running& running : running_) running.connection.wake();
  }
  ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept
  acceptor_.join();
  for (Running& running : running_) running.thread.join();
}

void OriginServer::accept_all() {
  for (;;) {
    UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::lock_guard lock(mutex_);
    if (is_ending_) return;
    if (fd.get() < 0) continue;
    Running& running = running_.emplace_back(OriginConnection(*this, ++connections_, std::move(fd)),
                                             std::thread());
    running.thread = std::thread([this, &connection = running.connection] {
      try {
        script_(connection);
      } catch (const std::exception&) {
        // The other side finds the connection closed.
      }
      connection.close();
    });
  }
}

void OriginServer::record(const WireMessage& request, int connection) {
  std::lock_guard lock(mutex_);
  requests_.push_back({request, connection});
  has_changed_.notify_all();
}

int OriginServer::connections() const {
  std::lock_guard lock(mutex_);
  return connections_;
}

std::vector<OriginServer::Request> OriginServer::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

bool OriginServer::wait_for_requests(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return has_changed_.wait_for(lock, WireConnection::kPatience,
                               [&] { return requests_.size() >= count; });
}

OriginServer::Script OriginServer::answer_with(Handler handler) {
  return [handler = std::move(handler)](OriginConnection& connection) {
    for (;;) {
      WireMessage request = connection.read_request();
      if (!request.is_complete || !connection.send(handler(request))) return;
    }
  };
}

OriginServer::Script OriginServer::answer_all(std::string response) {
  return answer_with([response = std::move(response)](const WireMessage&) { return response; });
}

OriginServer::Script OriginServer::in_turn(std::vector<Script> scripts) {
  return [scripts = std::move(scripts)](OriginConnection& connection) {
    auto index = static_cast<std::size_t>(connection.number() - 1);
    scripts[std::min(index, scripts.size() - 1)](connection);
  };
}

std::string OriginServer::ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

RefusingAddress::RefusingAddress() : bound_(bind_loopback(address_)) {}

}  // namespace pingora
