// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/request_header.h"

#include <string>

#include "pingora/http/field_syntax.h"

namespace pingora {

Result<RequestHeader> RequestHeader::build(Method method, std::string_view target,
                                           Version version) {
  RequestHeader header;
  header.version_ = version;
  if (Result<void> set = header.set_method(method); !set) {
    return std::unexpected(std::move(set.error()));
  }
  if (Result<void> set = header.set_uri(target); !set) {
    return std::unexpected(std::move(set.error()));
  }
  return header;
}

RequestHeader::RequestHeader(RequestHeader&& other) noexcept
    : MessageHeader(std::move(other.headers_)) {
  adopt(other);
  other.clear();
}

RequestHeader& RequestHeader::operator=(RequestHeader&& other) noexcept {
  if (this != &other) {
    headers_ = std::move(other.headers_);
    adopt(other);
    other.clear();
  }
  return *this;
}

// Takes the start line of `other`, whose fields were moved here before.
void RequestHeader::adopt(const RequestHeader& other) noexcept {
  method_ = other.method_;
  if (method_ == Method::Other) {
    method_ = Method::from(headers_.moved_view(other.method_.text(), other.headers_));
  }
  version_ = other.version_;
  form_ = other.form_;
  target_ = headers_.moved_view(other.target_, other.headers_);
  path_and_query_ = headers_.moved_view(other.path_and_query_, other.headers_);
}

RequestHeader RequestHeader::clone() const {
  RequestHeader copy;
  copy.copy_from(*this);
  return copy;
}

void RequestHeader::copy_from(const RequestHeader& other) {
  if (this == &other) return;
  headers_.copy_from(other.headers_);
  const Bytes& received = headers_.received();
  // What lies in the received block is shared; the rest is static or in the other's arena.
  auto kept = [&](std::string_view text) {
    auto offset = reinterpret_cast<std::uintptr_t>(text.data()) -
                  reinterpret_cast<std::uintptr_t>(received.data());
    return offset < received.size() ? text : headers_.keep(text);
  };
  method_ = other.method_;
  if (method_ == Method::Other) method_ = Method::from(kept(other.method_.text()));
  version_ = other.version_;
  form_ = other.form_;
  target_ = kept(other.target_);
  path_and_query_ = other.path_and_query_.data() == other.target_.data() &&
                            other.path_and_query_.size() == other.target_.size()
                        ? target_
                        : kept(other.path_and_query_);
}

void RequestHeader::clear() noexcept {
  method_ = Method::Get;
  version_ = Version::Http11;
  form_ = TargetForm::Origin;
  target_ = path_and_query_ = "/";
  headers_.clear();
}

Result<void> RequestHeader::set_method(Method method) {
  if (method == Method::Other) {
    if (!is_token(method.text())) {
      return fail(ErrorType::InvalidHttpHeader, "a method is not a token");
    }
    method = Method::from(headers_.keep(method.text()));
  }
  method_ = method;
  return {};
}

std::optional<std::string_view> RequestHeader::uri_file_extension() const noexcept {
  std::string_view name = path();
  name.remove_prefix(name.rfind('/') + 1);
  std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  return name.substr(dot + 1);
}

Uri RequestHeader::uri() const noexcept {
  return Uri::parse_target(method_, target_, RawBytes::Allow).value_or(Uri());
}

Result<void> RequestHeader::set_uri(std::string_view target) {
  std::optional<Uri> uri = Uri::parse_target(method_, target);
  if (!uri) return fail(ErrorType::InvalidHttpHeader, "a request target is malformed");
  target_ = headers_.keep(target);
  form_ = uri->form();
  // Wherever there is a path, it is the end of the target.
  set_path(target_.substr(target_.size() - uri->path_and_query().size()));
  return {};
}

Result<void> RequestHeader::set_raw_path(std::string_view path_and_query) {
  if (!path_and_query.starts_with('/') || !is_target_text(path_and_query, RawBytes::Allow)) {
    return fail(ErrorType::InvalidHttpHeader, "a path is malformed");
  }
  target_ = path_and_query_ = headers_.keep(path_and_query);
  form_ = TargetForm::Origin;
  return {};
}

// `path_and_query` lies in `target_` or in memory that lives as long, or begins no path.
void RequestHeader::set_path(std::string_view path_and_query) {
  if (form_ == TargetForm::Absolute && path_and_query.empty()) {
    // RFC 9112 §3.2.4: the last proxy turns `OPTIONS http://host` into `OPTIONS *`.
    path_and_query_ = method_ == Method::Options ? "*" : "/";
  } else if (path_and_query.starts_with('?')) {
    std::string path = "/";
    path_and_query_ = headers_.keep(path.append(path_and_query));
  } else {
    path_and_query_ = path_and_query;
  }
}

void RequestHeader::relocate_received(const char* old_base, const char* new_base) noexcept {
  auto distance = [](const char* from, const char* to) {
    return reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
  };
  auto moved = [&](std::string_view text) {
    return std::string_view(new_base + distance(old_base, text.data()), text.size());
  };
  if (method_ == Method::Other) method_ = Method::from(moved(method_.text()));
  // A path that is no part of the target is static or in the arena.
  if (distance(target_.data(), path_and_query_.data()) < target_.size()) {
    path_and_query_ = moved(path_and_query_);
  }
  target_ = moved(target_);
  headers_.relocate_received(old_base, new_base);
}

std::string_view RequestHeader::authority() const noexcept {
  if (form_ == TargetForm::Absolute || form_ == TargetForm::Authority) return uri().authority();
  return headers_.get(HeaderId::Host).value_or(std::string_view());
}

std::string_view RequestHeader::host() const noexcept {
  std::optional<HostPort> parsed = HostPort::parse(authority());
  return parsed ? parsed->host : std::string_view();
}

}  // namespace pingora
