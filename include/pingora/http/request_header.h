// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "pingora/base/error.h"
#include "pingora/http/message_header.h"
#include "pingora/http/method.h"
#include "pingora/http/uri.h"

namespace pingora {

/// The head of a request: method, target, version and fields (see MessageHeader).
///
/// Views that it gives stay valid until that part is changed, or the header is moved or destroyed.
/// Moves; `clone` copies, sharing the block that it was received in. Belongs to one strand.
class RequestHeader : public MessageHeader {
 public:
  /// `GET / HTTP/1.1` without fields.
  RequestHeader() noexcept = default;
  /// A header with that method and target (see `set_uri`) and no fields.
  static Result<RequestHeader> build(Method method, std::string_view target,
                                     Version version = Version::Http11);

  RequestHeader(RequestHeader&& other) noexcept;
  RequestHeader& operator=(RequestHeader&& other) noexcept;
  RequestHeader clone() const;
  void copy_from(const RequestHeader& other);

  Method method() const noexcept { return method_; }
  /// InvalidHttpHeader if the text of an unknown method is not a token.
  Result<void> set_method(Method method);

  /// The target exactly as received or set.
  std::string_view raw_target() const noexcept { return target_; }
  TargetForm target_form() const noexcept { return form_; }
  /// Path and query: what an origin server is sent. "/" if an absolute-form target has no path, "*"
  /// for `OPTIONS *`, empty for CONNECT.
  std::string_view path_and_query() const noexcept { return path_and_query_; }
  /// The path as written, not decoded.
  std::string_view path() const noexcept { return path_of(path_and_query_); }
  /// What is behind the first '?', or nothing.
  std::optional<std::string_view> query() const noexcept { return query_of(path_and_query_); }
  /// What is behind the last '.' of the last segment of the path, or nothing.
  std::optional<std::string_view> uri_file_extension() const noexcept;
  /// The parts of the target.
  Uri uri() const noexcept;

  /// Sets the target: a path with or without a query, an absolute URI, or what the method in force
  /// calls for ("*", "host:port"). InvalidHttpHeader if it is malformed. An absolute URI does not
  /// change the Host field.
  Result<void> set_uri(std::string_view target);
  /// As `set_uri` for a path and query, and lets bytes from 0x80 up pass.
  Result<void> set_raw_path(std::string_view path_and_query);

  /// Host and port that the request is for: of the target if it names them, else the Host field;
  /// empty if there is neither.
  std::string_view authority() const noexcept;
  /// The host of `authority`, an IPv6 address with its brackets.
  std::string_view host() const noexcept;

  // What codecs use.

  /// Drops everything and gives the memory back.
  void clear() noexcept;
  /// Sets the start line from validated text that the caller keeps alive (see HeaderMap::retain).
  /// `path_and_query` may be empty or begin with '?', as in an absolute-form target.
  void set_received(Method method, std::string_view target, TargetForm form,
                    std::string_view path_and_query, Version version) {
    method_ = method;
    version_ = version;
    form_ = form;
    target_ = target;
    path_and_query_ = path_and_query;
    if (form != TargetForm::Origin) set_path(path_and_query);
  }
  /// The memory that the start line and the fields were received in has moved.
  void relocate_received(const char* old_base, const char* new_base) noexcept;

 private:
  void set_path(std::string_view path_and_query);
  void adopt(const RequestHeader& other) noexcept;

  Method method_ = Method::Get;
  TargetForm form_ = TargetForm::Origin;
  std::string_view target_ = "/";
  std::string_view path_and_query_ = "/";
};

}  // namespace pingora
