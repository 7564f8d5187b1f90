// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/testing/wire_connection.h"

#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace pingora {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;

// The part of `head`'s first line between its spaces `from` and `from + 1`, counted from 0.
std::string word(const std::string& head, int index) {
  std::string_view line = std::string_view(head).substr(0, head.find("\r\n"));
  for (; index > 0; --index) {
    std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return {};
    line.remove_prefix(space + 1);
  }
  return std::string(line.substr(0, line.find(' ')));
}

template <class T>
T number(std::string_view text, int base) {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

int WireMessage::status() const {
  return head.starts_with("HTTP/") ? number<int>(word(head, 1), 10) : 0;
}
std::string WireMessage::method() const { return word(head, 0); }
std::string WireMessage::target() const { return word(head, 1); }

std::vector<std::string> WireMessage::get_all(std::string_view name) const {
  std::vector<std::string> values;
  std::string_view rest = head;
  for (;;) {
    std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return values;
    rest.remove_prefix(end + 2);
    std::string_view line = rest.substr(0, rest.find("\r\n"));
    bool is_it = line.size() > name.size() && line[name.size()] == ':' &&
                 ::strncasecmp(line.data(), name.data(), name.size()) == 0;
    if (!is_it) continue;
    line.remove_prefix(name.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    values.emplace_back(line);
  }
}

std::optional<std::string> WireMessage::get(std::string_view name) const {
  std::vector<std::string> values = get_all(name);
  if (values.empty()) return std::nullopt;
  return std::move(values.front());
}

bool WireConnection::wait(short events) {
  pollfd waiting{.fd = fd_.get(), .events = events, .revents = 0};
  auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready < 0 && errno == EINTR) continue;
    was_too_slow_ = ready == 0;
    return false;
  }
}

bool WireConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait(POLLOUT)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

// Receives something; false at the end of the stream.
bool WireConnection::fill() {
  std::size_t before = received_.size();
  for (;;) {
    received_.resize(before + kReadSize);
    ssize_t size = ::recv(fd_.get(), received_.data() + before, kReadSize, MSG_DONTWAIT);
    int error = errno;
    received_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    if (size > 0) return true;
    bool goes_on = size < 0 && (error == EINTR || (error == EAGAIN && wait(POLLIN)));
    if (!goes_on) return false;
  }
}

std::string WireConnection::take(std::size_t size) {
  std::string taken = received_.substr(0, size);
  received_.erase(0, size);
  return taken;
}

std::string WireConnection::receive(std::size_t size) {
  while (received_.size() < size && fill()) {
  }
  return take(size);
}

std::string WireConnection::receive_until(std::string_view end) {
  for (;;) {
    std::size_t found = received_.find(end);
    if (found != std::string::npos) return take(found + end.size());
    if (!fill()) return take(received_.size());
  }
}

std::string WireConnection::receive_all() {
  while (fill()) {
  }
  return take(received_.size());
}

bool WireConnection::receive_chunked(WireMessage& message) {
  for (;;) {
    std::string line = receive_until("\r\n");
    if (!line.ends_with("\r\n")) return false;
    auto size = number<std::size_t>(line, 16);
    if (size == 0) break;
    std::string chunk = receive(size);
    message.body += chunk;
    if (chunk.size() < size || receive(2) != "\r\n") return false;
  }
  for (;;) {
    std::string line = receive_until("\r\n");
    if (line == "\r\n") return true;
    if (!line.ends_with("\r\n")) return false;
    message.trailers += line;
  }
}

WireMessage WireConnection::receive_body(WireMessage message, bool ends_with_stream) {
  if (message.get("Transfer-Encoding").value_or("").ends_with("chunked")) {
    message.is_complete = receive_chunked(message);
  } else if (auto length = message.get("Content-Length")) {
    auto size = number<std::size_t>(*length, 10);
    message.body = receive(size);
    message.is_complete = message.body.size() == size;
  } else {
    if (ends_with_stream) message.body = receive_all();
    message.is_complete = true;
  }
  return message;
}

WireMessage WireConnection::receive_request() {
  WireMessage message{.head = receive_until("\r\n\r\n"), .body = {}, .trailers = {}};
  if (!message.head.ends_with("\r\n\r\n")) return message;
  return receive_body(std::move(message), false);
}

WireMessage WireConnection::receive_response(AnswerTo request) {
  WireMessage message{.head = receive_until("\r\n\r\n"), .body = {}, .trailers = {}};
  if (!message.head.ends_with("\r\n\r\n")) return message;
  int status = message.status();
  if (request == AnswerTo::Head || status < 200 || status == 204 || status == 304) {
    message.is_complete = true;
    return message;
  }
  return receive_body(std::move(message), true);
}

bool WireConnection::is_closed_by_peer() { return received_.empty() && !fill() && !was_too_slow_; }

void WireConnection::finish_sending() noexcept { ::shutdown(fd_.get(), SHUT_WR); }
void WireConnection::close() noexcept {
  std::lock_guard lock(*closing_);
  fd_ = UniqueFd();
}

void WireConnection::reset() noexcept {
  linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close();
}

void WireConnection::wake() noexcept {
  std::lock_guard lock(*closing_);
  ::shutdown(fd_.get(), SHUT_RDWR);
}

}  // namespace pingora
