// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "h1/field_line.h"
#include "pingora/h1/parse_error.h"
#include "pingora/http/request_header.h"
#include "pingora/http/response_header.h"

namespace pingora::h1 {

/// Reads the request line at `in.at`; on success `in.at` is behind it. `error` is set on Bad.
LineKind read_request_line(Input& in, const ParserOptions& options, RequestHeader& out,
                           ParseError& error);

/// Reads the status line at `in.at`. An absent reason phrase is an empty one.
LineKind read_status_line(Input& in, const ParserOptions& options, ResponseHeader& out,
                          ParseError& error);

}  // namespace pingora::h1
