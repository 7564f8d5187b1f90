// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/testing/test_client.h"

#include <sys/socket.h>

namespace pingora {
namespace {

int family_of(const SocketAddress& address) {
  switch (address.family()) {
    case SocketAddress::Family::Unix: return AF_UNIX;
    case SocketAddress::Family::Ipv6: return AF_INET6;
    default: return AF_INET;
  }
}

UniqueFd connect_to(const SocketAddress& address) {
  UniqueFd fd(::socket(family_of(address), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return fd;
  sockaddr_storage storage{};
  socklen_t size = address.to_sockaddr(storage);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0) return UniqueFd();
  return fd;
}

std::string head(std::string_view method, std::string_view target, std::string_view fields) {
  return std::string(method)
      .append(" ")
      .append(target)
      .append(" HTTP/1.1\r\nHost: test\r\n")
      .append(fields);
}

}  // namespace

TestClient::TestClient(const SocketAddress& address) : WireConnection(connect_to(address)) {}

WireMessage TestClient::get(std::string_view target, std::string_view fields) {
  send(head("GET", target, fields) + "\r\n");
  return receive_response();
}

WireMessage TestClient::post(std::string_view target, std::string_view body,
                             std::string_view fields) {
  std::string request = head("POST", target, fields);
  request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  send(request.append(body));
  return receive_response();
}

}  // namespace pingora
