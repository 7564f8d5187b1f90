// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <any>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pingora/base/log.h"
#include "pingora/proxy/proxy_http.h"
#include "pingora/runtime/timer.h"
#include "pingora/testing/origin_server.h"
#include "pingora/testing/proxy_under_test.h"
#include "pingora/testing/test_client.h"

namespace pingora {

using Events = std::vector<std::string>;

/// How a phase fails.
enum class Failure : std::uint8_t { Error, Throw, ThrowLater };

/// What a RecordingProxy does.
struct Behaviour {
  /// Of the first try, the second, and so on; the last for all beyond.
  std::vector<HttpPeer> peers;
  /// The phase that fails, and how; with a name, only requests for that path do.
  std::string failing{};
  Failure failure = Failure::Error;
  std::string failing_path{};
  bool answers_request = false;
  bool only_says_so = false;  // that it has answered
  bool goes_upstream = true;
  bool persists = false;
  /// What is said to failures, in place of the default.
  std::optional<bool> retries_connect{};
  std::optional<bool> retries_request{};
  bool replaces_trailers = false;
};

/// What a RecordingProxy and its test share.
class Recording {
 public:
  explicit Recording(Behaviour behaviour) : behaviour_(std::move(behaviour)) {}

  Behaviour behaviour() const {
    std::lock_guard lock(mutex_);
    return behaviour_;
  }
  void set_behaviour(Behaviour behaviour) {
    std::lock_guard lock(mutex_);
    behaviour_ = std::move(behaviour);
  }
  void add(std::string event) {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    has_changed_.notify_all();
  }
  /// A phase for pieces of a body: once for all of them, if nothing else comes between.
  void add_body(const std::string& phase, EndOfStream end) {
    std::lock_guard lock(mutex_);
    if (end == EndOfStream::Yes) ++ends_;
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
      if (*event == phase) return;
      if (!event->ends_with("body_filter")) break;
    }
    events_.push_back(phase);
    has_changed_.notify_all();
  }
  /// What there is once `last` is among it; all of it is forgotten then.
  Events take_until(std::string_view last) {
    std::unique_lock lock(mutex_);
    has_changed_.wait_for(lock, WireConnection::kPatience, [&] {
      return std::any_of(events_.begin(), events_.end(),
                         [&](const std::string& event) { return event.starts_with(last); });
    });
    return std::exchange(events_, {});
  }
  Events take() {
    std::lock_guard lock(mutex_);
    return std::exchange(events_, {});
  }
  /// Calls of body filters with `EndOfStream::Yes`.
  int ends() const {
    std::lock_guard lock(mutex_);
    return ends_;
  }

 private:
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable has_changed_;
  Behaviour behaviour_;
  Events events_;
  int ends_ = 0;
};

/// Overrides every phase, and records which are called.
class RecordingProxy : public ProxyHttp<std::string> {
 public:
  explicit RecordingProxy(std::shared_ptr<Recording> recording)
      : recording_(std::move(recording)) {}

  std::string new_ctx() override {
    recording_->add("new_ctx");
    if (recording_->behaviour().failing == "new_ctx") throw std::runtime_error("part of the test");
    return "made";
  }
  void on_connection_reuse(Session& session, std::string& ctx, std::any& kept) override {
    ctx = std::any_cast<std::string>(kept);
    recording_->add("on_connection_reuse " + ctx);
    if (fails("on_connection_reuse", session)) throw std::runtime_error("part of the test");
  }
  Task<> early_request_filter(Session& session, std::string& ctx) override {
    if (ctx != "made" && ctx != "kept") recording_->add("a context that was not made");
    return pass("early_request_filter", session);
  }
  Task<bool> request_filter(Session& session, std::string&) override {
    recording_->add("request_filter");
    if (fails("request_filter", session)) return fail_with<bool>();
    if (recording_->behaviour().only_says_so) return true;
    if (!recording_->behaviour().answers_request) return false;
    return [](Session& answering) -> Task<bool> {
      co_await answering.respond_error_with_body(403, Bytes::from_static("no"));
      co_return true;
    }(session);
  }
  Task<bool> proxy_upstream_filter(Session& session, std::string&) override {
    recording_->add("proxy_upstream_filter");
    if (fails("proxy_upstream_filter", session)) return fail_with<bool>();
    return recording_->behaviour().goes_upstream;
  }
  Task<HttpPeer> upstream_peer(Session& session, std::string&) override {
    recording_->add("upstream_peer " + std::to_string(session.tries()));
    if (fails("upstream_peer", session)) return fail_with<HttpPeer>();
    std::vector<HttpPeer> peers = recording_->behaviour().peers;
    return peers[std::min<std::size_t>(session.tries(), peers.size()) - 1];
  }
  Error fail_to_connect(Session& session, const HttpPeer&, std::string&, Error error) override {
    recording_->add("fail_to_connect " + std::string(error.type_name()));
    if (fails("fail_to_connect", session)) throw std::runtime_error("part of the test");
    if (auto retries = recording_->behaviour().retries_connect) error.set_retry(*retries);
    return error;
  }
  Task<> connected_to_upstream(Session& session, ConnectionReuse reuse, const HttpPeer&, int fd,
                               const Digest&, std::string&) override {
    if (fd < 0) recording_->add("no descriptor");
    bool is_new = reuse == ConnectionReuse::New;
    recording_->add(is_new ? "connected_to_upstream new" : "connected_to_upstream reused");
    if (fails("connected_to_upstream", session)) return fail_with<void>();
    return {};
  }
  Task<> upstream_request_filter(Session& session, RequestHeader& request, std::string&) override {
    (void)request.insert_header("X-Try", std::to_string(session.tries()));
    return pass("upstream_request_filter", session);
  }
  Task<> request_body_filter(Session& session, Bytes&, EndOfStream end, std::string&) override {
    return pass_body("request_body_filter", session, end);
  }
  Task<> upstream_response_filter(Session& session, ResponseHeader& response,
                                  std::string&) override {
    return pass("upstream_response_filter", session, response.status());
  }
  Task<> upstream_response_body_filter(Session& session, Bytes&, EndOfStream end,
                                       std::string&) override {
    return pass_body("upstream_response_body_filter", session, end);
  }
  Task<> upstream_response_trailer_filter(Session& session, HeaderMap&, std::string&) override {
    return pass("upstream_response_trailer_filter", session);
  }
  Task<> response_filter(Session& session, ResponseHeader& response, std::string&) override {
    return pass("response_filter", session, response.status());
  }
  Task<> response_body_filter(Session& session, Bytes&, EndOfStream end, std::string&) override {
    return pass_body("response_body_filter", session, end);
  }
  Task<std::optional<Bytes>> response_trailer_filter(Session& session, HeaderMap&,
                                                     std::string&) override {
    recording_->add("response_trailer_filter");
    if (fails("response_trailer_filter", session)) return fail_with<std::optional<Bytes>>();
    if (!recording_->behaviour().replaces_trailers) return std::optional<Bytes>();
    return std::optional<Bytes>(Bytes::from_static("replaced"));
  }
  Error error_while_proxy(const HttpPeer& peer, Session& session, Error error, std::string& ctx,
                          ConnectionReuse reuse, bool can_replay) override {
    recording_->add("error_while_proxy " + std::string(error.type_name()));
    if (fails("error_while_proxy", session)) throw std::runtime_error("part of the test");
    Error decided =
        ProxyHttp::error_while_proxy(peer, session, std::move(error), ctx, reuse, can_replay);
    if (auto retries = recording_->behaviour().retries_request) decided.set_retry(*retries);
    return decided;
  }
  Task<FailToProxy> fail_to_proxy(Session& session, const Error& error, std::string& ctx) override {
    recording_->add("fail_to_proxy");
    if (fails("fail_to_proxy", session)) return fail_with<FailToProxy>();
    return ProxyHttp::fail_to_proxy(session, error, ctx);
  }
  bool suppress_error_log(const Session& session, const std::string&, const Error&) override {
    recording_->add("suppress_error_log");
    if (fails("suppress_error_log", session)) throw std::runtime_error("part of the test");
    return false;
  }
  std::string request_summary(const Session& session, const std::string& ctx) override {
    recording_->add("request_summary");
    if (fails("request_summary", session)) throw std::runtime_error("part of the test");
    return ProxyHttp::request_summary(session, ctx);
  }
  Task<> logging(Session& session, const Error* error, std::string&) override {
    const ResponseHeader* written = session.response_written();
    std::string status = written == nullptr ? "-" : std::to_string(written->status());
    std::string type = error == nullptr ? "ok" : std::string(error->type_name());
    return pass("logging " + status + " " + type, session);
  }
  std::any persist_connection_context(const Session& session, const std::string&) override {
    recording_->add("persist_connection_context");
    if (fails("persist_connection_context", session)) throw std::runtime_error("part of the test");
    if (!recording_->behaviour().persists) return {};
    return std::string("kept");
  }

 private:
  bool fails(std::string_view phase, const Session& session) const {
    Behaviour behaviour = recording_->behaviour();
    return behaviour.failing == phase && (behaviour.failing_path.empty() ||
                                          session.req_header().path() == behaviour.failing_path);
  }
  template <class T>
  Task<T> fail_with() const {
    Failure failure = recording_->behaviour().failure;
    if (failure == Failure::Throw) throw std::runtime_error("part of the test");
    if (failure == Failure::Error) return Error::internal("part of the test");
    return []() -> Task<T> {
      co_await sleep_for(std::chrono::milliseconds(1));
      throw std::runtime_error("part of the test");
    }();
  }
  Task<> pass(std::string event, const Session& session) const {
    recording_->add(event);
    if (fails(event.substr(0, event.find(' ')), session)) return fail_with<void>();
    return {};
  }
  Task<> pass(std::string phase, const Session& session, int status) const {
    return pass(phase + " " + std::to_string(status), session);
  }
  Task<> pass_body(const std::string& phase, const Session& session, EndOfStream end) const {
    recording_->add_body(phase, end);
    if (fails(phase, session)) return fail_with<void>();
    return {};
  }

  std::shared_ptr<Recording> recording_;
};

/// Keeps the log's lines, which tests of failures would fill the terminal with.
class KeptLog final : public LogSink {
 public:
  KeptLog() { set_log_sink(this); }
  ~KeptLog() { set_log_sink(nullptr); }
  KeptLog(const KeptLog&) = delete;
  KeptLog& operator=(const KeptLog&) = delete;
  void write(LogLevel, std::string_view line) noexcept override {
    std::lock_guard lock(mutex_);
    text_.append(line).append("\n");
  }
  std::string text() const {
    std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

/// A RecordingProxy that serves.
struct RecordedProxy {
  explicit RecordedProxy(Behaviour behaviour, ProxyUnderTestOptions options = {})
      : recording(std::make_shared<Recording>(std::move(behaviour))),
        proxy(RecordingProxy(recording), with_two_threads(std::move(options))) {}
  static ProxyUnderTestOptions with_two_threads(ProxyUnderTestOptions options) {
    options.configuration.threads = 2;
    return options;
  }
  TestClient client() const { return TestClient(proxy.address()); }

  KeptLog log;
  std::shared_ptr<Recording> recording;
  ProxyUnderTest proxy;
};

}  // namespace pingora
