// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tls/tls_connection.h"
#include "tls/tls_error.h"

namespace pingora {
namespace {

using internal::TlsConnection;

// A read into less than this would cost more calls than moving the unread bytes does.
constexpr std::size_t kReadSizeMin = 512;
constexpr std::size_t kReadSizeMax = 1024 * 1024 * 1024;  // that an int holds
// RFC 8446 §5.1.
constexpr std::size_t kRecordSize = 16 * 1024;
// The first record behind a read if more follows than arrives in the first round trip anyway: the
// peer decrypts and handles it while the rest is on its way.
constexpr std::size_t kFirstRecordSize = 4 * 1024;
constexpr std::size_t kFirstFlight = 14 * 1024;
// Records in one write of the inner stream: all but the last are copied behind each other. One more
// would not fit into a segment of 64 KiB, the most that the system passes down at a time.
constexpr int kRecordsPerWrite = 3;
// What a record has beyond its bytes, at most (RFC 8446 §5.2, RFC 5246 §6.2.3).
constexpr std::size_t kRecordOverhead = 64;

std::size_t total_of(std::span<const iovec> pieces) {
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  return total;
}

/// Walks through the pieces of a write.
class Plaintext {
 public:
  explicit Plaintext(std::span<const iovec> pieces) : pieces_(pieces) {}
  void skip(std::size_t size) {
    while (size != 0) {
      std::size_t step = std::min(size, piece().size());
      advance(step);
      size -= step;
    }
  }
  /// The next `size` bytes in one place: where they are, or copied to `scratch`.
  std::string_view take(std::size_t size, Buffer& scratch) {
    while (piece().empty()) advance(0);
    if (std::string_view first = piece(); first.size() >= size) {
      advance(size);
      return first.substr(0, size);
    }
    scratch.reset();
    while (scratch.size() < size) {
      std::string_view part = piece().substr(0, size - scratch.size());
      scratch.append(part);
      advance(part.size());
    }
    return scratch.view();
  }

 private:
  std::string_view piece() const {
    const iovec& piece = pieces_.front();
    return {static_cast<const char*>(piece.iov_base) + offset_, piece.iov_len - offset_};
  }
  void advance(std::size_t size) {
    offset_ += size;
    if (offset_ == pieces_.front().iov_len) {
      pieces_ = pieces_.subspan(1);
      offset_ = 0;
    }
  }
  std::span<const iovec> pieces_;
  std::size_t offset_ = 0;
};

}  // namespace

TlsStream::TlsStream(std::unique_ptr<Stream> inner, std::unique_ptr<TlsConnection> connection)
    : StreamLayer(std::move(inner)), connection_(std::move(connection)) {
  if (!connection_->input.empty() || connection_->has_plaintext()) {
    may_decrypt_ = true;
    note_readable();
  }
}

TlsStream::~TlsStream() {
  // Who sends a FIN without close_notify hardly listens for ours.
  if (!is_cut_) send_close_notify();
}

void TlsStream::send_close_notify() noexcept {
  if (is_write_over_) return;
  [[maybe_unused]] auto best_effort = end_with_close_notify();
}

void TlsStream::shutdown_write() noexcept {
  send_close_notify();
  if (connection_->output.empty()) inner().shutdown_write();
}

void TlsStream::abort_on_close() noexcept {
  is_write_over_ = true;
  inner().abort_on_close();
}

bool TlsStream::start_idle_watch(IdleWatch& watch) {
  if (may_decrypt_ || read_error_ || owed_ != 0 || !connection_->is_between_records()) return false;
  if (!connection_->flush(inner()) || !connection_->output.empty()) return false;
  return inner().start_idle_watch(watch);
}

bool TlsStream::may_be_replayed() const noexcept {
  return SSL_in_early_data(connection_->ssl()) != 0;
}

Stream::ReadAttempt TlsStream::attempt_read(Buffer& into) {
  if (read_error_) return {fail(read_error_->clone()), true};
  // Where nothing was left, it is a wait that is over; and it was the inner stream's.
  if (!std::exchange(may_decrypt_, false) && !inner_may_read()) note_inner_readable();
  while (true) {
    std::size_t size = 0;
    switch (decrypt(into, size)) {
      case Decrypted::Everything: break;
      case Decrypted::UntilFull: may_decrypt_ = true; return {size, true};
      case Decrypted::End:
        may_decrypt_ = true;  // the end of the stream stays
        if (size == 0) into.release_if_empty();
        return {size, true};
      case Decrypted::Failed: return end_reading(into, size);
    }
    if (size != 0) return {size, inner_may_read()};
    into.release_if_empty();
    auto received = inner().try_read(connection_->input);
    if (!received) return {std::nullopt, false};
    if (!*received) {
      read_error_.emplace(std::move(received->error()));
    } else if (**received == 0) {
      is_cut_ = true;
      read_error_.emplace(Error::explain(ErrorType::ConnectionClosed,
                                         connection_->is_between_records()
                                             ? "closed without close_notify"
                                             : "closed in the middle of a TLS record"));
    }
    if (read_error_) return end_reading(into, 0);
  }
}

// What was decrypted before the failure comes first.
Stream::ReadAttempt TlsStream::end_reading(Buffer& into, std::size_t size) {
  if (size != 0) return {size, true};
  into.release_if_empty();
  return {fail(read_error_->clone()), true};
}

// Decrypts what has arrived as far as there is room for it, and adds up its size.
TlsStream::Decrypted TlsStream::decrypt(Buffer& into, std::size_t& size) {
  SSL* ssl = connection_->ssl();
  std::span<char> room;
  while (!connection_->input.empty() || connection_->has_plaintext() || is_read_over_) {
    if (room.size() < kReadSizeMin) {
      if (size != 0) return Decrypted::UntilFull;
      room = into.prepare(kReadSizeMin);
    }
    int read = SSL_read(ssl, room.data(),
                        static_cast<int>(std::min<std::size_t>(room.size(), kReadSizeMax)));
    if (read > 0) {
      into.commit(static_cast<std::size_t>(read));
      size += static_cast<std::size_t>(read);
      room = room.subspan(static_cast<std::size_t>(read));
      is_first_record_ = true;
      continue;
    }
    int error = SSL_get_error(ssl, read);
    if (error == SSL_ERROR_WANT_READ) continue;  // all that has arrived is taken
    if (error == SSL_ERROR_ZERO_RETURN) {
      is_read_over_ = true;
      return Decrypted::End;
    }
    read_error_.emplace(internal::take_tls_error(ErrorType::ReadError, "TLS"));
    is_write_over_ = true;
    [[maybe_unused]] auto alert = connection_->flush(inner());
    return Decrypted::Failed;
  }
  return Decrypted::Everything;
}

std::optional<Result<std::size_t>> TlsStream::try_write(std::span<const iovec> pieces) {
  return write_now(pieces, Behind::More);
}

std::optional<Result<std::size_t>> TlsStream::try_write_last(std::span<const iovec> pieces) {
  return write_now(pieces, Behind::CloseNotify);
}

std::optional<Result<std::size_t>> TlsStream::write_now(std::span<const iovec> pieces,
                                                        Behind behind) {
  // What was sealed before the end is still to be reported.
  if (is_write_over_ && owed_ == 0) {
    return fail(ErrorType::ConnectionClosed, "TLS was closed for writing");
  }
  if (auto flushed = connection_->flush(inner()); !flushed) {
    return fail(std::move(flushed.error()));
  }
  if (!connection_->output.empty()) return std::nullopt;
  std::size_t total = total_of(pieces);
  if (owed_ < total && !is_write_over_) {
    if (auto sealed = seal(pieces, total, behind); !sealed) return fail(std::move(sealed.error()));
    // What the inner stream did not take stays with us, and with the writer: it comes again with
    // the same bytes when there is room.
    if (!connection_->output.empty()) return std::nullopt;
  }
  std::size_t written = std::min(owed_, total);
  owed_ -= written;
  return written;
}

// The first of the records that `left` bytes are sealed in. Where two are needed, the full one
// comes last, which is copied nowhere; a response's head is then most often the first.
std::size_t TlsStream::first_record_size(std::size_t left) const noexcept {
  if (left > kRecordSize && left <= 2 * kRecordSize) return left - kRecordSize;
  return is_first_record_ && left > kFirstFlight ? kFirstRecordSize : kRecordSize;
}

// Seals what is not sealed yet, up to `kRecordsPerWrite` records, and writes them as far as that
// goes. The last of them goes to the inner stream from where BoringSSL has sealed it.
Result<void> TlsStream::seal(std::span<const iovec> pieces, std::size_t total, Behind behind) {
  Plaintext text(pieces);
  text.skip(owed_);
  std::size_t left = total - owed_;
  Buffer scratch;
  if (left > 2 * kRecordSize) {
    connection_->output.prepare((kRecordsPerWrite - 1) * (kRecordSize + kRecordOverhead));
  }
  for (int i = 1; left != 0 && i <= kRecordsPerWrite; ++i) {
    std::size_t size = std::min(left, i == 1 ? first_record_size(left) : kRecordSize);
    is_first_record_ = false;
    std::string_view record = text.take(size, scratch);
    left -= size;
    bool is_end = left == 0 && behind == Behind::CloseNotify;
    if (!is_end && (left == 0 || i == kRecordsPerWrite)) connection_->set_direct(&inner());
    auto sealed = seal_record(record);
    connection_->set_direct(nullptr);
    if (!sealed) return sealed;
    owed_ += size;
    if (is_end) return end_with_close_notify();
  }
  return {};
}

Result<void> TlsStream::seal_record(std::string_view text) {
  int sealed = SSL_write(connection_->ssl(), text.data(), static_cast<int>(text.size()));
  if (sealed > 0 && !connection_->write_error) return {};
  is_write_over_ = true;
  if (sealed <= 0) return fail(internal::take_tls_error(ErrorType::WriteError, "TLS"));
  return fail(std::move(*std::exchange(connection_->write_error, std::nullopt)));
}

// Behind what lies sealed in `output`.
Result<void> TlsStream::end_with_close_notify() {
  is_write_over_ = true;
  SSL_shutdown(connection_->ssl());
  ERR_clear_error();
  return connection_->flush_last(inner());
}

}  // namespace pingora
