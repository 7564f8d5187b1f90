// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <typeindex>
#include <vector>

#include "pingora/base/bytes.h"
#include "pingora/base/error.h"
#include "pingora/http/end_of_stream.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"
#include "pingora/runtime/task.h"

namespace pingora {

/// A filter over the requests and responses between the client and the program's own phases, such
/// as compression. One object serves one request. By default every function does nothing.
///
/// An error ends the request, as one of the program's own filters would. Called in the request's
/// strand, in the order of `HttpModuleBuilder::order`.
class HttpModule {
 public:
  virtual ~HttpModule() = default;

  virtual Task<> request_header_filter(RequestHeader& /*request*/) { return {}; }
  /// `body` is the next piece, empty if there is none; it may be replaced, also by nothing.
  virtual Task<> request_body_filter(Bytes& /*body*/, EndOfStream /*end*/) { return {}; }
  /// `end` Yes: no body follows.
  virtual Task<> response_header_filter(ResponseHeader& /*response*/, EndOfStream /*end*/) {
    return {};
  }
  virtual Result<void> response_body_filter(Bytes& /*body*/, EndOfStream /*end*/) { return {}; }
  /// Bytes that are returned are sent as the last of the body, in place of the trailers.
  virtual Result<std::optional<Bytes>> response_trailer_filter(HeaderMap& /*trailers*/) {
    return std::nullopt;
  }
};

/// Makes a module for each request.
class HttpModuleBuilder {
 public:
  virtual ~HttpModuleBuilder() = default;
  /// Modules of a higher order see requests and responses first; among equals, in the order of
  /// adding. Default: 0.
  virtual std::int16_t order() const { return 0; }
  virtual std::unique_ptr<HttpModule> make() const = 0;
};

/// The modules of a request.
class HttpModuleContext {
 public:
  HttpModuleContext() = default;

  /// The module of type M, for a phase to configure it; null if it was not added. Valid until the
  /// request ends.
  template <class M>
  M* get() noexcept {
    for (Entry& entry : modules_) {
      if (entry.type == std::type_index(typeid(M))) return static_cast<M*>(entry.module.get());
    }
    return nullptr;
  }
  bool empty() const noexcept { return modules_.empty(); }

  // What the proxy calls: each passes through all modules, and ends at the first error.
  Task<> request_header_filter(RequestHeader& request);
  Task<> request_body_filter(Bytes& body, EndOfStream end);
  Task<> response_header_filter(ResponseHeader& response, EndOfStream end);
  Result<void> response_body_filter(Bytes& body, EndOfStream end);
  Result<std::optional<Bytes>> response_trailer_filter(HeaderMap& trailers);

 private:
  friend class HttpModules;
  struct Entry {
    std::type_index type;
    std::unique_ptr<HttpModule> module;
  };
  std::vector<Entry> modules_;
};

/// The modules of a service. Filled once, before it serves; then shared by all requests.
class HttpModules {
 public:
  /// Adds modules of type M, as `builder` makes them. Each type once: a second is an error.
  template <class M>
  Result<void> add_module(std::unique_ptr<HttpModuleBuilder> builder) {
    return add(std::type_index(typeid(M)), std::move(builder));
  }
  bool empty() const noexcept { return builders_.empty(); }
  /// A module of each type, in order.
  HttpModuleContext make_context() const;

 private:
  struct Entry {
    std::type_index type;
    std::unique_ptr<HttpModuleBuilder> builder;
  };
  Result<void> add(std::type_index type, std::unique_ptr<HttpModuleBuilder> builder);
  std::vector<Entry> builders_;
};

}  // namespace pingora
