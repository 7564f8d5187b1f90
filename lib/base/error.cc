// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/error.h"

#include <array>
#include <cstring>
#include <utility>

namespace pingora {

struct Error::Rep {
  ErrorType type = ErrorType::UnknownError;
  ErrorSource source = ErrorSource::Unset;
  RetryType retry = RetryType::No;
  int status = 0;
  std::string name;
  std::string context;
  std::string peer_text;
  std::optional<Error> cause;
};

namespace {

// As std::system_category() says it. That would need a descriptor under UBSan, to look at the
// category's type, and a process that is out of them is among those who ask.
std::string error_text(int error_number) {
  char buffer[256];
  return ::strerror_r(error_number, buffer, sizeof(buffer));
}

}  // namespace

std::string_view to_string(ErrorType type) noexcept {
  switch (type) {
    case ErrorType::ConnectTimedout: return "ConnectTimedout";
    case ErrorType::ConnectRefused: return "ConnectRefused";
    case ErrorType::ConnectNoRoute: return "ConnectNoRoute";
    case ErrorType::ConnectError: return "ConnectError";
    case ErrorType::ConnectProxyFailure: return "ConnectProxyFailure";
    case ErrorType::ResolveError: return "ResolveError";
    case ErrorType::TlsHandshakeFailure: return "TlsHandshakeFailure";
    case ErrorType::TlsHandshakeTimedout: return "TlsHandshakeTimedout";
    case ErrorType::InvalidCert: return "InvalidCert";
    case ErrorType::HandshakeError: return "HandshakeError";
    case ErrorType::BindError: return "BindError";
    case ErrorType::AcceptError: return "AcceptError";
    case ErrorType::SocketError: return "SocketError";
    case ErrorType::InvalidHttpHeader: return "InvalidHttpHeader";
    case ErrorType::H1Error: return "H1Error";
    case ErrorType::H2Error: return "H2Error";
    case ErrorType::H2Downgrade: return "H2Downgrade";
    case ErrorType::InvalidH2: return "InvalidH2";
    case ErrorType::ReadError: return "ReadError";
    case ErrorType::WriteError: return "WriteError";
    case ErrorType::ReadTimedout: return "ReadTimedout";
    case ErrorType::WriteTimedout: return "WriteTimedout";
    case ErrorType::ConnectionClosed: return "ConnectionClosed";
    case ErrorType::HttpStatus: return "HttpStatus";
    case ErrorType::FileOpenError: return "FileOpenError";
    case ErrorType::FileReadError: return "FileReadError";
    case ErrorType::ConfigError: return "ConfigError";
    case ErrorType::InternalError: return "InternalError";
    case ErrorType::Cancelled: return "Cancelled";
    case ErrorType::UnknownError: return "UnknownError";
    case ErrorType::Custom: return "Custom";
  }
  return "UnknownError";
}

std::string_view to_string(ErrorSource source) noexcept {
  switch (source) {
    case ErrorSource::Unset: return "";
    case ErrorSource::Upstream: return "Upstream";
    case ErrorSource::Downstream: return "Downstream";
    case ErrorSource::Internal: return "Internal";
  }
  return "";
}

Error::Error(std::unique_ptr<Rep> rep) noexcept : rep_(std::move(rep)) {}
Error::Error(Error&&) noexcept = default;
Error& Error::operator=(Error&&) noexcept = default;
Error::~Error() = default;

Error Error::explain(ErrorType type, std::string_view context) {
  auto rep = std::make_unique<Rep>();
  rep->type = type;
  rep->context = context;
  return Error(std::move(rep));
}

Error Error::because(ErrorType type, std::string_view context, Error cause) {
  Error error = explain(type, context);
  error.rep_->retry = cause.rep_->retry;
  error.rep_->source = cause.rep_->source;
  error.rep_->cause.emplace(std::move(cause));
  return error;
}

Error Error::internal(std::string_view context) {
  return explain(ErrorType::InternalError, context).into_in();
}

Error Error::http_status(int status, std::string_view context) {
  Error error = explain(ErrorType::HttpStatus, context);
  error.rep_->status = status;
  return error;
}

Error&& Error::with_status(int status) && {
  rep_->status = status;
  return std::move(*this);
}

Error Error::custom(std::string_view name, std::string_view context) {
  Error error = explain(ErrorType::Custom, context);
  error.rep_->name = name;
  return error;
}

Error Error::from_errno(ErrorType type, int error_number, std::string_view context) {
  Error error = explain(type, context);
  if (!context.empty()) error.rep_->context += ": ";
  error.rep_->context += error_text(error_number);
  return error;
}

ErrorType Error::type() const noexcept { return rep_->type; }
ErrorSource Error::source() const noexcept { return rep_->source; }
int Error::status() const noexcept { return rep_->status; }
std::string_view Error::context() const noexcept { return rep_->context; }
std::string_view Error::peer_text() const noexcept { return rep_->peer_text; }
RetryType Error::retry_type() const noexcept { return rep_->retry; }
bool Error::retry() const noexcept { return rep_->retry == RetryType::Yes; }
const Error* Error::cause() const noexcept { return rep_->cause ? &*rep_->cause : nullptr; }

std::string_view Error::type_name() const noexcept {
  return rep_->name.empty() ? pingora::to_string(rep_->type) : std::string_view(rep_->name);
}

const Error& Error::root_cause() const noexcept {
  const Error* error = this;
  while (error->cause() != nullptr) error = error->cause();
  return *error;
}

Error&& Error::with_peer_text(std::string_view text) && {
  rep_->peer_text = text;
  return std::move(*this);
}

void Error::add_context(std::string_view context) {
  if (rep_->context.empty()) {
    rep_->context = context;
  } else {
    rep_->context.insert(0, std::string(context) + ": ");
  }
}

Error&& Error::more_context(std::string_view context) && {
  add_context(context);
  return std::move(*this);
}

void Error::set_source(ErrorSource source) noexcept { rep_->source = source; }

Error&& Error::into_up() && {
  if (rep_->source == ErrorSource::Unset) rep_->source = ErrorSource::Upstream;
  return std::move(*this);
}
Error&& Error::into_down() && {
  if (rep_->source == ErrorSource::Unset) rep_->source = ErrorSource::Downstream;
  return std::move(*this);
}
Error&& Error::into_in() && {
  if (rep_->source == ErrorSource::Unset) rep_->source = ErrorSource::Internal;
  return std::move(*this);
}

void Error::set_retry_type(RetryType retry) noexcept { rep_->retry = retry; }
void Error::set_retry(bool retry) noexcept { rep_->retry = retry ? RetryType::Yes : RetryType::No; }
void Error::decide_reuse(bool reused) noexcept {
  if (rep_->retry == RetryType::ReusedOnly) set_retry(reused);
}

Error Error::clone() const {
  auto rep = std::make_unique<Rep>();
  rep->type = rep_->type;
  rep->source = rep_->source;
  rep->retry = rep_->retry;
  rep->status = rep_->status;
  rep->name = rep_->name;
  rep->context = rep_->context;
  rep->peer_text = rep_->peer_text;
  if (rep_->cause) rep->cause.emplace(rep_->cause->clone());
  return Error(std::move(rep));
}

std::string Error::to_string() const {
  std::string out;
  const Error* outer = nullptr;
  for (const Error* error = this; error != nullptr; outer = error, error = error->cause()) {
    if (outer != nullptr) out += " cause: ";
    std::string_view source = pingora::to_string(error->source());
    if (!source.empty() && (outer == nullptr || outer->source() != error->source())) {
      out += source;
      out += ' ';
    }
    append_escaped(out, error->type_name());
    if (error->status() != 0) {
      out += ' ';
      out += std::to_string(error->status());
    }
    if (!error->context().empty()) {
      out += " context: ";
      append_escaped(out, error->context());
    }
  }
  return out;
}

void append_escaped(std::string& out, std::string_view bytes, std::size_t bytes_max) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (char c : bytes.substr(0, bytes_max)) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '\\') {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  if (bytes.size() > bytes_max) out += "...";
}

}  // namespace pingora
