// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// An exchange has two sides that go on independently, one state each:
//
//   request:   head --> body --> done            a failed write makes it done, and is kept
//   response:  1xx heads --> final head --> body --> done | tunnel
//
// Invariant [reuse]: the connection may carry another exchange only if both sides are done, nothing
// was interrupted, cancelled or failed, and not a byte is left over.
#include "pingora/session/h1_client_session.h"

#include "session/h1_client_exchange.h"

namespace pingora {

H1ClientSession::H1ClientSession(std::unique_ptr<Stream> stream,
                                 const ClientSessionOptions& options)
    : transport_(std::move(stream), ErrorSource::Upstream),
      options_(&options),
      read_timeout_(options.read_timeout) {
  transport_.set_write_timeout(options.write_timeout);
}

H1ClientSession::~H1ClientSession() = default;

bool H1ClientSession::is_reusable() const noexcept {
  if (exchange_ == nullptr) return true;
  const Exchange& x = *exchange_;
  return x.keep_alive && !x.is_tunnel && is_body_done() && x.encoder.is_done() && !x.write_error &&
         transport_.is_writable() && transport_.output().empty() && transport_.input().empty();
}

void H1ClientSession::end_exchange() {
  exchange_.reset();
  response_ = nullptr;
  is_head_final_ = false;
}

void H1ClientSession::begin_reuse(const ClientSessionOptions& options) {
  options_ = &options;
  read_timeout_ = options.read_timeout;
  transport_.set_write_timeout(options.write_timeout);
  is_reused_ = true;
}

}  // namespace pingora
