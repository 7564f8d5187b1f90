// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/tls_connection.h"

#include <openssl/bio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tls/tls_error.h"

namespace pingora::internal {
namespace {

// RFC 8446 §5.1: type, version, length.
constexpr std::uint8_t kHeaderSize = 5;

}  // namespace

Result<std::unique_ptr<TlsConnection>> TlsConnection::create(SSL_CTX& context) {
  bssl::UniquePtr<SSL> ssl(SSL_new(&context));
  bssl::UniquePtr<BIO> bio(BIO_new(&bio_method()));
  if (!ssl || !bio) return fail(take_tls_error(ErrorType::InternalError, "a new connection"));
  auto connection = std::make_unique<TlsConnection>(std::move(ssl));
  BIO_set_data(bio.get(), connection.get());
  BIO_set_init(bio.get(), 1);
  BIO* both = bio.release();
  SSL_set_bio(connection->ssl(), both, both);
  SSL_set_app_data(connection->ssl(), connection.get());
  return connection;
}

TlsConnection& TlsConnection::of(const SSL* ssl) noexcept {
  return *static_cast<TlsConnection*>(SSL_get_app_data(ssl));
}

const BIO_METHOD& TlsConnection::bio_method() {
  // One for the whole process, for ever.
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "pingora");
    BIO_meth_set_read(made, &on_bio_read);
    BIO_meth_set_write(made, &on_bio_write);
    BIO_meth_set_ctrl(made, &on_bio_ctrl);
    return made;
  }();
  return *method;
}

int TlsConnection::on_bio_read(BIO* bio, char* out, int size) {
  auto& self = *static_cast<TlsConnection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  std::size_t taken = std::min(static_cast<std::size_t>(size), self.input.size());
  if (taken == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(out, self.input.view().data(), taken);
  self.input.consume(taken);
  self.note_taken({out, taken});
  return static_cast<int>(taken);
}

// BoringSSL takes the header of a record, then its body, and never a byte of the next one.
void TlsConnection::note_taken(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (body_left_ != 0) {
      std::size_t size = std::min<std::size_t>(body_left_, bytes.size());
      body_left_ = static_cast<std::uint16_t>(body_left_ - size);
      bytes.remove_prefix(size);
      continue;
    }
    auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    ++header_size_;
    if (header_size_ == kHeaderSize - 1) high_length_ = byte;
    if (header_size_ == kHeaderSize) {
      body_left_ = static_cast<std::uint16_t>(high_length_ << 8 | byte);
      header_size_ = 0;
    }
  }
}

int TlsConnection::on_bio_write(BIO* bio, const char* data, int size) {
  auto& self = *static_cast<TlsConnection*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  std::string_view record(data, static_cast<std::size_t>(size));
  if (self.direct_ != nullptr) record.remove_prefix(self.write_direct(record));
  self.output.append(record);
  return size;
}

long TlsConnection::on_bio_ctrl(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

std::size_t TlsConnection::write_direct(std::string_view record) {
  std::string_view before = output.view();
  std::array<iovec, 2> pieces{{{const_cast<char*>(before.data()), before.size()},
                               {const_cast<char*>(record.data()), record.size()}}};
  auto result = direct_->try_write(std::span(pieces).subspan(before.empty() ? 1 : 0));
  if (!result) return 0;
  if (!*result) {
    write_error.emplace(std::move(result->error()));
    return 0;
  }
  std::size_t of_before = std::min(before.size(), **result);
  output.consume(of_before);
  return **result - of_before;
}

Result<void> TlsConnection::flush(Stream& stream, TryWrite try_write) {
  while (!output.empty()) {
    iovec piece{const_cast<char*>(output.view().data()), output.size()};
    auto result = (stream.*try_write)({&piece, 1});
    if (!result) return {};
    if (!*result) return fail(std::move(result->error()));
    output.consume(**result);
  }
  return {};
}

}  // namespace pingora::internal
