// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/modules/http_module.h"

#include <algorithm>
#include <utility>

namespace pingora {

Task<> HttpModuleContext::request_header_filter(RequestHeader& request) {
  for (Entry& entry : modules_) co_await entry.module->request_header_filter(request);
}

Task<> HttpModuleContext::request_body_filter(Bytes& body, EndOfStream end) {
  for (Entry& entry : modules_) co_await entry.module->request_body_filter(body, end);
}

Task<> HttpModuleContext::response_header_filter(ResponseHeader& response, EndOfStream end) {
  for (Entry& entry : modules_) co_await entry.module->response_header_filter(response, end);
}

Result<void> HttpModuleContext::response_body_filter(Bytes& body, EndOfStream end) {
  for (Entry& entry : modules_) {
    if (auto result = entry.module->response_body_filter(body, end); !result) return result;
  }
  return {};
}

Result<std::optional<Bytes>> HttpModuleContext::response_trailer_filter(HeaderMap& trailers) {
  std::optional<Bytes> replacement;
  for (Entry& entry : modules_) {
    auto result = entry.module->response_trailer_filter(trailers);
    if (!result) return result;
    if (*result) replacement = std::move(*result);
  }
  return replacement;
}

Result<void> HttpModules::add(std::type_index type, std::unique_ptr<HttpModuleBuilder> builder) {
  if (std::ranges::any_of(builders_, [&](const Entry& entry) { return entry.type == type; })) {
    return fail(Error::internal(std::string("module added twice: ") + type.name()));
  }
  auto behind = std::ranges::find_if(
      builders_, [&](const Entry& entry) { return entry.builder->order() < builder->order(); });
  builders_.insert(behind, Entry{type, std::move(builder)});
  return {};
}

HttpModuleContext HttpModules::make_context() const {
  HttpModuleContext context;
  context.modules_.reserve(builders_.size());
  for (const Entry& entry : builders_) {
    context.modules_.push_back({entry.type, entry.builder->make()});
  }
  return context;
}

}  // namespace pingora
