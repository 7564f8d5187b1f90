// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <any>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <type_traits>
#include <utility>

#include "pingora/proxy/proxy_http.h"
#include "pingora/runtime/frame_allocator.h"

/// How the compiled engine calls a program's phases, whose context type it does not know. A program
/// has no need of it.
namespace pingora::internal {

/// The phases that a program overrides, as bits: the engine skips the others.
enum class Phase : std::uint8_t {
  OnConnectionReuse,
  EarlyRequestFilter,
  RequestFilter,
  ProxyUpstreamFilter,
  ConnectedToUpstream,
  UpstreamRequestFilter,
  RequestBodyFilter,
  UpstreamResponseFilter,
  UpstreamResponseBodyFilter,
  UpstreamResponseTrailerFilter,
  ResponseFilter,
  ResponseBodyFilter,
  ResponseTrailerFilter,
  Logging,
  PersistConnectionContext,
};

class PhaseSet {
 public:
  constexpr PhaseSet() noexcept = default;
  constexpr PhaseSet(std::initializer_list<Phase> phases) noexcept {
    for (Phase phase : phases) insert(phase);
  }
  constexpr void insert(Phase phase) noexcept { bits_ |= 1U << static_cast<unsigned>(phase); }
  constexpr bool contains(Phase phase) const noexcept {
    return (bits_ >> static_cast<unsigned>(phase) & 1U) != 0;
  }
  constexpr bool intersects(PhaseSet other) const noexcept { return (bits_ & other.bits_) != 0; }

 private:
  std::uint32_t bits_ = 0;
};

/// A program's phases with the context's type erased. An exception that a phase throws is caught
/// here, in one place, and is an error of that request.
class Phases {
 public:
  explicit Phases(PhaseSet overridden) noexcept : overridden_(overridden) {}
  virtual ~Phases() = default;
  bool overrides(Phase phase) const noexcept { return overridden_.contains(phase); }
  bool overrides_any(PhaseSet phases) const noexcept { return overridden_.intersects(phases); }

  virtual Result<void*> new_ctx() = 0;
  virtual void delete_ctx(void* ctx) noexcept = 0;
  virtual void init_downstream_modules(HttpModules& modules) = 0;
  virtual Result<void> on_connection_reuse(Session& session, void* ctx, std::any& persisted) = 0;
  virtual Task<> early_request_filter(Session& session, void* ctx) = 0;
  virtual Task<bool> request_filter(Session& session, void* ctx) = 0;
  virtual Task<bool> proxy_upstream_filter(Session& session, void* ctx) = 0;
  virtual Task<HttpPeer> upstream_peer(Session& session, void* ctx) = 0;
  virtual Error fail_to_connect(Session& session, const HttpPeer& peer, void* ctx, Error error) = 0;
  virtual Task<> connected_to_upstream(Session& session, ConnectionReuse reuse,
                                       const HttpPeer& peer, int fd, const Digest& digest,
                                       void* ctx) = 0;
  virtual Task<> upstream_request_filter(Session& session, RequestHeader& request, void* ctx) = 0;
  virtual Task<> request_body_filter(Session& session, Bytes& body, EndOfStream end, void* ctx) = 0;
  virtual Task<> upstream_response_filter(Session& session, ResponseHeader& response,
                                          void* ctx) = 0;
  virtual Task<> upstream_response_body_filter(Session& session, Bytes& body, EndOfStream end,
                                               void* ctx) = 0;
  virtual Task<> upstream_response_trailer_filter(Session& session, HeaderMap& trailers,
                                                  void* ctx) = 0;
  virtual Task<> response_filter(Session& session, ResponseHeader& response, void* ctx) = 0;
  virtual Task<> response_body_filter(Session& session, Bytes& body, EndOfStream end,
                                      void* ctx) = 0;
  virtual Task<std::optional<Bytes>> response_trailer_filter(Session& session, HeaderMap& trailers,
                                                             void* ctx) = 0;
  virtual Error error_while_proxy(const HttpPeer& peer, Session& session, Error error, void* ctx,
                                  ConnectionReuse reuse, bool can_replay) = 0;
  virtual Task<FailToProxy> fail_to_proxy(Session& session, const Error& error, void* ctx) = 0;
  virtual bool suppress_error_log(const Session& session, const void* ctx, const Error& error) = 0;
  virtual std::string request_summary(const Session& session, const void* ctx) = 0;
  virtual Task<> logging(Session& session, const Error* error, void* ctx) = 0;
  virtual std::any persist_connection_context(const Session& session, const void* ctx) = 0;

 private:
  const PhaseSet overridden_;
};

/// Calls a phase; what it throws becomes its error.
template <class F>
auto call_phase(F&& call) -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    return error_from_current_exception();
  }
}

/// Phases of the program type P, an object of which it owns.
template <class P>
class PhasesOf final : public Phases {
 public:
  using Ctx = typename P::Context;
  using Base = ProxyHttp<Ctx>;
  static_assert(std::is_base_of_v<Base, P>, "a proxy derives from pingora::ProxyHttp");

  explicit PhasesOf(P program) : Phases(overridden()), program_(std::move(program)) {}

  Result<void*> new_ctx() override {
    if constexpr (std::is_same_v<Ctx, NoContext>) {
      return static_cast<void*>(&no_context_);
    } else {
      try {
        void* memory = frame_allocate(sizeof(Ctx));
        try {
          return static_cast<void*>(new (memory) Ctx(program_.new_ctx()));
        } catch (...) {
          frame_deallocate(memory, sizeof(Ctx));
          throw;
        }
      } catch (...) {
        return fail(error_from_current_exception());
      }
    }
  }
  void delete_ctx(void* ctx) noexcept override {
    if constexpr (!std::is_same_v<Ctx, NoContext>) {
      if (ctx == nullptr) return;
      static_cast<Ctx*>(ctx)->~Ctx();
      frame_deallocate(ctx, sizeof(Ctx));
    }
  }
  void init_downstream_modules(HttpModules& modules) override {
    program_.init_downstream_modules(modules);
  }
  Result<void> on_connection_reuse(Session& session, void* ctx, std::any& persisted) override {
    try {
      program_.on_connection_reuse(session, as_ctx(ctx), persisted);
      return {};
    } catch (...) {
      return fail(error_from_current_exception());
    }
  }
  Task<> early_request_filter(Session& session, void* ctx) override {
    return call_phase([&] { return program_.early_request_filter(session, as_ctx(ctx)); });
  }
  Task<bool> request_filter(Session& session, void* ctx) override {
    return call_phase([&] { return program_.request_filter(session, as_ctx(ctx)); });
  }
  Task<bool> proxy_upstream_filter(Session& session, void* ctx) override {
    return call_phase([&] { return program_.proxy_upstream_filter(session, as_ctx(ctx)); });
  }
  Task<HttpPeer> upstream_peer(Session& session, void* ctx) override {
    return call_phase([&] { return program_.upstream_peer(session, as_ctx(ctx)); });
  }
  Error fail_to_connect(Session& session, const HttpPeer& peer, void* ctx, Error error) override {
    return call_phase(
        [&] { return program_.fail_to_connect(session, peer, as_ctx(ctx), std::move(error)); });
  }
  Task<> connected_to_upstream(Session& session, ConnectionReuse reuse, const HttpPeer& peer,
                               int fd, const Digest& digest, void* ctx) override {
    return call_phase([&] {
      return program_.connected_to_upstream(session, reuse, peer, fd, digest, as_ctx(ctx));
    });
  }
  Task<> upstream_request_filter(Session& session, RequestHeader& request, void* ctx) override {
    return call_phase(
        [&] { return program_.upstream_request_filter(session, request, as_ctx(ctx)); });
  }
  Task<> request_body_filter(Session& session, Bytes& body, EndOfStream end, void* ctx) override {
    return call_phase(
        [&] { return program_.request_body_filter(session, body, end, as_ctx(ctx)); });
  }
  Task<> upstream_response_filter(Session& session, ResponseHeader& response, void* ctx) override {
    return call_phase(
        [&] { return program_.upstream_response_filter(session, response, as_ctx(ctx)); });
  }
  Task<> upstream_response_body_filter(Session& session, Bytes& body, EndOfStream end,
                                       void* ctx) override {
    return call_phase(
        [&] { return program_.upstream_response_body_filter(session, body, end, as_ctx(ctx)); });
  }
  Task<> upstream_response_trailer_filter(Session& session, HeaderMap& trailers,
                                          void* ctx) override {
    return call_phase(
        [&] { return program_.upstream_response_trailer_filter(session, trailers, as_ctx(ctx)); });
  }
  Task<> response_filter(Session& session, ResponseHeader& response, void* ctx) override {
    return call_phase([&] { return program_.response_filter(session, response, as_ctx(ctx)); });
  }
  Task<> response_body_filter(Session& session, Bytes& body, EndOfStream end, void* ctx) override {
    return call_phase(
        [&] { return program_.response_body_filter(session, body, end, as_ctx(ctx)); });
  }
  Task<std::optional<Bytes>> response_trailer_filter(Session& session, HeaderMap& trailers,
                                                     void* ctx) override {
    return call_phase(
        [&] { return program_.response_trailer_filter(session, trailers, as_ctx(ctx)); });
  }
  Error error_while_proxy(const HttpPeer& peer, Session& session, Error error, void* ctx,
                          ConnectionReuse reuse, bool can_replay) override {
    return call_phase([&] {
      return program_.error_while_proxy(peer, session, std::move(error), as_ctx(ctx), reuse,
                                        can_replay);
    });
  }
  Task<FailToProxy> fail_to_proxy(Session& session, const Error& error, void* ctx) override {
    return call_phase([&] { return program_.fail_to_proxy(session, error, as_ctx(ctx)); });
  }
  bool suppress_error_log(const Session& session, const void* ctx, const Error& error) override {
    try {
      return program_.suppress_error_log(session, as_ctx(ctx), error);
    } catch (...) {
      return false;
    }
  }
  std::string request_summary(const Session& session, const void* ctx) override {
    try {
      return program_.request_summary(session, as_ctx(ctx));
    } catch (...) {
      return default_request_summary(session);
    }
  }
  Task<> logging(Session& session, const Error* error, void* ctx) override {
    return call_phase([&] { return program_.logging(session, error, as_ctx(ctx)); });
  }
  std::any persist_connection_context(const Session& session, const void* ctx) override {
    try {
      return program_.persist_connection_context(session, as_ctx(ctx));
    } catch (...) {
      return {};
    }
  }

 private:
  static Ctx& as_ctx(void* ctx) noexcept { return *static_cast<Ctx*>(ctx); }
  static const Ctx& as_ctx(const void* ctx) noexcept { return *static_cast<const Ctx*>(ctx); }

  // A member that P or a class between overrides has another class in its pointer's type.
  template <auto kOfProgram, auto kOfBase>
  static constexpr bool kOverrides = !std::is_same_v<decltype(kOfProgram), decltype(kOfBase)>;

  static constexpr PhaseSet overridden() noexcept {
    PhaseSet set;
    auto add = [&set](bool overrides, Phase phase) {
      if (overrides) set.insert(phase);
    };
    add(kOverrides<&P::on_connection_reuse, &Base::on_connection_reuse>, Phase::OnConnectionReuse);
    add(kOverrides<&P::early_request_filter, &Base::early_request_filter>,
        Phase::EarlyRequestFilter);
    add(kOverrides<&P::request_filter, &Base::request_filter>, Phase::RequestFilter);
    add(kOverrides<&P::proxy_upstream_filter, &Base::proxy_upstream_filter>,
        Phase::ProxyUpstreamFilter);
    add(kOverrides<&P::connected_to_upstream, &Base::connected_to_upstream>,
        Phase::ConnectedToUpstream);
    add(kOverrides<&P::upstream_request_filter, &Base::upstream_request_filter>,
        Phase::UpstreamRequestFilter);
    add(kOverrides<&P::request_body_filter, &Base::request_body_filter>, Phase::RequestBodyFilter);
    add(kOverrides<&P::upstream_response_filter, &Base::upstream_response_filter>,
        Phase::UpstreamResponseFilter);
    add(kOverrides<&P::upstream_response_body_filter, &Base::upstream_response_body_filter>,
        Phase::UpstreamResponseBodyFilter);
    add(kOverrides<&P::upstream_response_trailer_filter, &Base::upstream_response_trailer_filter>,
        Phase::UpstreamResponseTrailerFilter);
    add(kOverrides<&P::response_filter, &Base::response_filter>, Phase::ResponseFilter);
    add(kOverrides<&P::response_body_filter, &Base::response_body_filter>,
        Phase::ResponseBodyFilter);
    add(kOverrides<&P::response_trailer_filter, &Base::response_trailer_filter>,
        Phase::ResponseTrailerFilter);
    add(kOverrides<&P::logging, &Base::logging>, Phase::Logging);
    add(kOverrides<&P::persist_connection_context, &Base::persist_connection_context>,
        Phase::PersistConnectionContext);
    return set;
  }

  P program_;
  static inline NoContext no_context_;
};

}  // namespace pingora::internal
