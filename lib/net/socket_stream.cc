// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/socket_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "pingora/net/socket_options.h"

namespace pingora {
namespace {

// A read into less than this would cost more calls than moving the unread bytes does.
constexpr std::size_t kReadSizeMin = 512;

Error io_error(ErrorType type, int error_number) {
  if (error_number == EPIPE || error_number == ECONNRESET) type = ErrorType::ConnectionClosed;
  return Error::from_errno(type, error_number, "");
}

struct Received {
  ssize_t size = 0;
  bool may_have_more = false;
};

// Whether something is left in the socket, as the kernel tells along with the bytes: more bytes, or
// the end of the stream. Yes if it does not tell.
bool has_more(const msghdr& message) {
  if (message.msg_controllen < sizeof(cmsghdr)) return true;
  const cmsghdr* control = CMSG_FIRSTHDR(&message);
  if (control->cmsg_level != IPPROTO_TCP || control->cmsg_type != TCP_CM_INQ) return true;
  int left = 0;
  std::memcpy(&left, CMSG_DATA(control), sizeof(left));
  return left != 0;
}

// Where the reactor does not tell of the end of the stream: the kernel does, at a price.
Received receive_telling(int fd, std::span<char> room) {
  iovec piece{room.data(), room.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  ssize_t size = 0;
  do {
    message.msg_controllen = sizeof(control);
    size = ::recvmsg(fd, &message, MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  return {size, size > 0 && has_more(message)};
}

// What comes behind a read that does not fill the room raises an edge of its own; an end that came
// before it did so too, and is known.
Received receive(const Descriptor& descriptor, std::span<char> room) {
  ssize_t size = 0;
  do {
    size = ::recv(descriptor.fd(), room.data(), room.size(), MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  return {size, static_cast<std::size_t>(size) == room.size() || descriptor.has_ended()};
}

}  // namespace

SocketStream::SocketStream(Worker& worker, int fd, SocketAddress peer)
    : SocketStream(Descriptor(worker, fd), std::move(peer)) {}

SocketStream::SocketStream(Descriptor descriptor, SocketAddress peer)
    : descriptor_(std::move(descriptor)) {
  mutable_digest().peer_address = std::move(peer);
  mutable_digest().established = Clock::now();
  if (Descriptor::tells_end()) set_tells_failure();
}

Result<std::unique_ptr<SocketStream>> SocketStream::open(Worker& worker, UniqueFd fd,
                                                         SocketAddress peer) {
  auto stream = std::make_unique<SocketStream>(worker, fd.release(), std::move(peer));
  if (auto failure = stream->failure()) return fail(std::move(*failure));
  return stream;
}

// Why waiting is of no use, if so.
std::optional<Error> SocketStream::failure() const {
  if (descriptor_.failure() == 0) return std::nullopt;
  return Error::from_errno(ErrorType::SocketError, descriptor_.failure(), "watching a connection")
      .into_in();
}

Stream::ReadAttempt SocketStream::attempt_read(Buffer& into) {
  std::span<char> room = into.prepare(kReadSizeMin);
  Received received = Descriptor::tells_end() ? receive(descriptor_, room)
                                              : receive_telling(descriptor_.fd(), room);
  ssize_t size = received.size;
  if (size > 0) {
    into.commit(static_cast<std::size_t>(size));
    return {static_cast<std::size_t>(size), received.may_have_more};
  }
  int error = errno;
  into.release_if_empty();
  // The end of the stream stays: whoever reads again finds it again.
  if (size == 0) return {std::size_t{0}, true};
  if (error == EAGAIN || error == EWOULDBLOCK) {
    if (auto failure = this->failure()) return {fail(std::move(*failure)), true};
    return {std::nullopt, false};
  }
  return {fail(io_error(ErrorType::ReadError, error)), true};
}

std::optional<Result<std::size_t>> SocketStream::try_write(std::span<const iovec> pieces) {
  return send(pieces, MSG_NOSIGNAL | MSG_DONTWAIT);
}

std::optional<Result<std::size_t>> SocketStream::try_write_last(std::span<const iovec> pieces) {
  holds_back_ = true;
  return send(pieces, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE);
}

std::optional<Result<std::size_t>> SocketStream::send(std::span<const iovec> pieces, int flags) {
  ssize_t size = 0;
  do {
    if (pieces.size() == 1) {
      size = ::send(descriptor_.fd(), pieces[0].iov_base, pieces[0].iov_len, flags);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces.data());
      message.msg_iovlen = pieces.size();
      size = ::sendmsg(descriptor_.fd(), &message, flags);
    }
  } while (size < 0 && errno == EINTR);
  if (size >= 0) return static_cast<std::size_t>(size);
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    if (auto failure = this->failure()) return fail(std::move(*failure));
    return std::nullopt;
  }
  return fail(io_error(ErrorType::WriteError, errno));
}

void SocketStream::start_wait(Direction direction, Strand& strand, Job& job) {
  descriptor_.start_wait(direction, strand, job);
}

void SocketStream::cancel_wait(Direction direction, Strand& strand, Job& job) {
  descriptor_.cancel_wait(direction, strand, job);
}

// Setting TCP_NODELAY sends what is held back (tcp(7)), also where it was set before. A Unix socket
// knows neither.
void SocketStream::push() noexcept {
  if (!std::exchange(holds_back_, false)) return;
  int on = 1;
  ::setsockopt(descriptor_.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void SocketStream::shutdown_write() noexcept { ::shutdown(descriptor_.fd(), SHUT_WR); }

void SocketStream::abort_on_close() noexcept {
  linger option{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_.fd(), SOL_SOCKET, SO_LINGER, &option, sizeof(option));
}

bool SocketStream::start_idle_watch(IdleWatch& watch) {
  // What the reads left unsaid would raise no edge any more: ask.
  if (may_read()) {
    char byte = 0;
    if (::recv(descriptor_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN) {
      return false;
    }
    note_nothing_to_read();
  }
  return descriptor_.start_idle_watch(watch);
}

bool SocketStream::stop_idle_watch() { return descriptor_.stop_idle_watch(); }

Result<void> SocketStream::move_to(Worker& worker) {
  if (&worker != &descriptor_.worker()) {
    descriptor_ = Descriptor(worker, descriptor_.release());
    if (auto failure = this->failure()) return fail(std::move(*failure));
  }
  return {};
}

SocketAddress SocketStream::local_address() const { return local_address_of(descriptor_.fd()); }

}  // namespace pingora
