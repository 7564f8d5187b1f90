// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <concepts>
#include <optional>
#include <stdexcept>
#include <string>

#include "pingora/base/bytes.h"
#include "pingora/base/error.h"
#include "pingora/http/end_of_stream.h"
#include "pingora/modules/http_module.h"
#include "pingora/net/digest.h"
#include "pingora/proxy/session.h"
#include "pingora/runtime/task.h"
#include "pingora/upstream/http_peer.h"

namespace pingora {

/// The context of a program that needs none.
struct NoContext {};

/// Whether an upstream connection was used before.
enum class ConnectionReuse : bool { New, Reused };

/// What `fail_to_proxy` decided.
struct FailToProxy {
  /// The status that was answered, for the log; 0 if nothing was.
  int error_code = 0;
  /// Whether the client's connection may serve another request.
  bool can_reuse_downstream = false;
};

namespace internal {
int default_error_status(const Error& error) noexcept;
Task<FailToProxy> default_fail_to_proxy(Session& session, const Error& error);
std::string default_request_summary(const Session& session);
Error default_error_while_proxy(const HttpPeer& peer, Error error, ConnectionReuse reuse,
                                bool can_replay);
}  // namespace internal

/// A proxy, as a program writes it: a class that derives from this and overrides the phases that it
/// cares about. `Ctx` is the program's own state for one request.
///
/// One object serves all requests, from all workers at once: what it shares between requests it
/// must guard. The phases of one request run one after the other, in its strand, and may suspend. A
/// phase that has nothing to wait for is an ordinary function that returns a value or an Error; one
/// that waits is a coroutine. Phases that are not overridden cost nothing; an override must be
/// public. An error or an exception ends the request (and no other one) with `fail_to_proxy`,
/// unless said otherwise here. The order of the phases is in docs/LIFE_OF_A_REQUEST.md.
template <class Ctx = NoContext>
class ProxyHttp {
 public:
  using Context = Ctx;
  virtual ~ProxyHttp() = default;

  /// Makes the context of a request, before anything else. By default, `Ctx()`; a context that
  /// cannot be made so needs an override. If it throws, the request is answered 500 and no phase is
  /// called for it.
  virtual Ctx new_ctx() {
    if constexpr (std::default_initializable<Ctx>) {
      return Ctx();
    } else {
      throw std::logic_error("new_ctx is not overridden, and the context has no default");
    }
  }

  // Before an upstream is chosen.

  /// Adds modules to the service, once, when it is made. By default there are none.
  virtual void init_downstream_modules(HttpModules& /*modules*/) {}

  /// Called first on a connection that carried a request before, if that request's
  /// `persist_connection_context` kept something: `persisted`. By default this does nothing.
  virtual void on_connection_reuse(Session& /*session*/, Ctx& /*ctx*/, std::any& /*persisted*/) {}

  /// Called before any module: the place to configure modules. By default this does nothing.
  virtual Task<> early_request_filter(Session& /*session*/, Ctx& /*ctx*/) { return {}; }

  /// Looks at the request, may change it, and may answer it: true means that it did, and nothing
  /// but `logging` follows; where it did not, the request fails, with 500. By default this returns
  /// false.
  virtual Task<bool> request_filter(Session& /*session*/, Ctx& /*ctx*/) { return false; }

  /// Says whether to go upstream at all. On false the program has answered; if it has not, a 502 is
  /// sent. By default this returns true.
  virtual Task<bool> proxy_upstream_filter(Session& /*session*/, Ctx& /*ctx*/) { return true; }

  // Each of these runs once per try.

  /// Chooses where the request goes. Called again for each retry; `session.tries()` counts.
  virtual Task<HttpPeer> upstream_peer(Session& session, Ctx& ctx) = 0;

  /// Called when a connection to `peer` could not be made; nothing was sent. Returns the error, on
  /// which `set_retry(true)` asks for another try. Not called if the client left meanwhile. By
  /// default this returns `error` as it is.
  virtual Error fail_to_connect(Session& /*session*/, const HttpPeer& /*peer*/, Ctx& /*ctx*/,
                                Error error) {
    return error;
  }

  /// Called with the connection that will carry the request. `fd` is its socket, or -1. By default
  /// this does nothing.
  virtual Task<> connected_to_upstream(Session& /*session*/, ConnectionReuse /*reuse*/,
                                       const HttpPeer& /*peer*/, int /*fd*/,
                                       const Digest& /*digest*/, Ctx& /*ctx*/) {
    return {};
  }

  /// Changes the request that goes upstream, a copy of the client's. Where `request_body_filter`
  /// changes the body's length, this removes Content-Length (the body is chunked then), or sets the
  /// right one. By default this does nothing.
  virtual Task<> upstream_request_filter(Session& /*session*/, RequestHeader& /*request*/,
                                         Ctx& /*ctx*/) {
    return {};
  }

  /// Looks at, changes or drops a piece of the request's body; `body` is empty when there is none.
  /// Called with `end` Yes once per try, also for a request without a body. A retry passes what was
  /// read before through here again. By default this does nothing.
  virtual Task<> request_body_filter(Session& /*session*/, Bytes& /*body*/, EndOfStream /*end*/,
                                     Ctx& /*ctx*/) {
    return {};
  }

  // The response. 1xx responses pass through the header filters too.

  /// Changes the response's head as it came from the upstream. By default this does nothing.
  virtual Task<> upstream_response_filter(Session& /*session*/, ResponseHeader& /*response*/,
                                          Ctx& /*ctx*/) {
    return {};
  }
  /// The same for a piece of the body. To slow a response down, await `sleep_for` here.
  virtual Task<> upstream_response_body_filter(Session& /*session*/, Bytes& /*body*/,
                                               EndOfStream /*end*/, Ctx& /*ctx*/) {
    return {};
  }
  /// The same for the trailers.
  virtual Task<> upstream_response_trailer_filter(Session& /*session*/, HeaderMap& /*trailers*/,
                                                  Ctx& /*ctx*/) {
    return {};
  }

  /// Changes the response's head on its way to the client, before the modules see it. Not called
  /// for responses of the program's own. By default this does nothing.
  virtual Task<> response_filter(Session& /*session*/, ResponseHeader& /*response*/, Ctx& /*ctx*/) {
    return {};
  }
  /// The same for a piece of the body.
  virtual Task<> response_body_filter(Session& /*session*/, Bytes& /*body*/, EndOfStream /*end*/,
                                      Ctx& /*ctx*/) {
    return {};
  }
  /// The same for the trailers. Bytes that are returned are sent in their place, as the last of the
  /// body. By default this returns nothing.
  virtual Task<std::optional<Bytes>> response_trailer_filter(Session& /*session*/,
                                                             HeaderMap& /*trailers*/,
                                                             Ctx& /*ctx*/) {
    return std::optional<Bytes>();
  }

  // Failures, and the end.

  /// Called when a request failed on a connection that stood. Returns the error, on which
  /// `set_retry` decides about another try. By default, a request that failed on a reused
  /// connection before any byte of a response is tried again, if that is safe: `can_replay` says
  /// that the request is idempotent, or none of it was sent, and that its body can be sent again
  /// whole.
  virtual Error error_while_proxy(const HttpPeer& peer, Session& /*session*/, Error error,
                                  Ctx& /*ctx*/, ConnectionReuse reuse, bool can_replay) {
    return internal::default_error_while_proxy(peer, std::move(error), reuse, can_replay);
  }

  /// Answers a request that failed for good. By default: the status of an `Error::http_status`; 502
  /// for upstream errors (504 for time-outs), 400 for the client's, nothing if the client's
  /// connection is broken, else 500.
  virtual Task<FailToProxy> fail_to_proxy(Session& session, const Error& error, Ctx& /*ctx*/) {
    return internal::default_fail_to_proxy(session, error);
  }

  /// Whether the error goes unlogged. By default this returns false.
  virtual bool suppress_error_log(const Session& /*session*/, const Ctx& /*ctx*/,
                                  const Error& /*error*/) {
    return false;
  }

  /// The request in a line, for the error log. By default "GET /path, Host: example.org".
  virtual std::string request_summary(const Session& session, const Ctx& /*ctx*/) {
    return internal::default_request_summary(session);
  }

  /// Called last, exactly once for every request whose head was read, refused ones included.
  /// `error` is null for a request that went well. By default this does nothing.
  virtual Task<> logging(Session& /*session*/, const Error* /*error*/, Ctx& /*ctx*/) { return {}; }

  /// Called behind `logging` if the connection will serve another request; what it returns goes to
  /// that request's `on_connection_reuse`. By default, nothing.
  virtual std::any persist_connection_context(const Session& /*session*/, const Ctx& /*ctx*/) {
    return {};
  }
};

}  // namespace pingora
