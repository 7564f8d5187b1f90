// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/head_decoder.h"

#include <cstring>
#include <limits>
#include <utility>

#include "h2/field_names.h"
#include "pingora/http/field_syntax.h"
#include "pingora/http/hop_by_hop.h"
#include "pingora/http/uri.h"

namespace pingora::h2 {
namespace {

// So many times over a limit ends the connection: what it costs us to decode on is more than what
// it costs to send.
constexpr std::size_t kFloodFactor = 4;
// What a field counts beyond its bytes (RFC 9113 §6.5.2).
constexpr std::size_t kFieldOverhead = 32;
constexpr std::string_view kLineEnd = "\r\n";
// Scratch memory beyond this is not kept for the next head.
constexpr std::size_t kTextKept = 512;

// RFC 9113 §8.2.2: these have no meaning in HTTP/2, and must not be sent.
constexpr HeaderIdSet kConnectionFields = {HeaderId::Connection, HeaderId::KeepAlive,
                                           HeaderId::ProxyConnection, HeaderId::TransferEncoding,
                                           HeaderId::Upgrade};

bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

bool is_valid_value(std::string_view value) noexcept {
  if (value.empty()) return true;
  return !is_blank(value.front()) && !is_blank(value.back()) && is_field_value(value);
}

std::optional<std::uint64_t> read_decimal(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    auto digit = static_cast<std::uint64_t>(c - '0');
    if (__builtin_mul_overflow(number, 10, &number)) return std::nullopt;
    if (__builtin_add_overflow(number, digit, &number)) return std::nullopt;
  }
  return number;
}

}  // namespace

void HeadDecoder::begin(HeadKind kind) {
  reset();
  kind_ = kind;
}

void HeadDecoder::trim() noexcept {
  if (!text_.empty() || !entries_.empty() || list_bytes_ != 0) return;
  std::string().swap(text_);
  std::string().swap(cookie_);
  std::vector<Field>().swap(entries_);
}

void HeadDecoder::reset() noexcept {
  has_regular_ = has_host_ = false;
  refusal_status_ = 0;
  fields_ = cookie_crumbs_ = 0;
  list_bytes_ = 0;
  reason_ = {};
  content_length_.reset();
  pseudo_ = {};
  text_.clear();
  cookie_.clear();
  entries_.clear();
  if (text_.capacity() > kTextKept) std::string().swap(text_);
  if (cookie_.capacity() > kTextKept) std::string().swap(cookie_);
  if (entries_.capacity() > kTextKept / sizeof(Field)) std::vector<Field>().swap(entries_);
}

Verdict HeadDecoder::too_large(std::uint16_t status, std::string_view reason) noexcept {
  refusal_status_ = status;
  reason_ = reason;
  return Verdict::TooLarge;
}

Verdict HeadDecoder::count(std::size_t name_size, std::size_t value_size, bool is_cookie) noexcept {
  std::size_t bytes_max =
      kind_ == HeadKind::Trailers ? options_.trailer_bytes_max : options_.header_list_bytes_max;
  std::size_t fields_max = is_cookie ? options_.cookie_crumbs_max : options_.fields_max;
  std::size_t fields = is_cookie ? ++cookie_crumbs_ : ++fields_;
  list_bytes_ += name_size + value_size + kFieldOverhead;
  if (list_bytes_ > bytes_max * kFloodFactor || fields > fields_max * kFloodFactor) {
    reason_ = "a header list many times too large";
    return Verdict::Flood;
  }
  if (list_bytes_ > bytes_max || name_size > std::numeric_limits<std::uint16_t>::max()) {
    return too_large(431, "a header list too large");
  }
  if (fields > fields_max) return too_large(431, "too many fields");
  return refusal_status_ != 0 ? Verdict::TooLarge : Verdict::Ok;
}

Verdict HeadDecoder::add(std::string_view name, std::string_view value) {
  if (!name.empty() && name.front() == ':') {
    // They are no fields to count, but bytes.
    --fields_;
    Verdict counted = count(name.size(), value.size(), false);
    return counted == Verdict::Ok ? add_pseudo(name, value) : counted;
  }
  HeaderId id = lower_name_id(name);
  Verdict counted = count(name.size(), value.size(), id == HeaderId::Cookie);
  if (counted != Verdict::Ok) return counted;
  if (id == HeaderId::Other && !is_lower_token(name)) {
    return malformed("a field name that is no token in lower case");
  }
  if (!is_valid_value(value)) return malformed("a field value with a control byte or blanks");
  has_regular_ = true;
  return add_regular(id, name, value);
}

Verdict HeadDecoder::add_regular(HeaderId id, std::string_view name, std::string_view value) {
  if (kConnectionFields.contains(id)) return malformed("a connection field");
  if (id == HeaderId::Te && !equals_ignoring_case(value, "trailers")) {
    return malformed("a TE field other than trailers");
  }
  if (kind_ == HeadKind::Trailers) {
    if (!is_forbidden_in_trailers(id)) push_field(id, name, value);
    return Verdict::Ok;
  }
  if (id == HeaderId::ContentLength) {
    if (Verdict verdict = add_content_length(value); verdict != Verdict::Ok) return verdict;
  }
  if (kind_ == HeadKind::Request) {
    if (id == HeaderId::Host) return add_host(value);
    if (id == HeaderId::Cookie) {
      if (!cookie_.empty()) cookie_.append("; ");
      cookie_.append(value);
      return Verdict::Ok;
    }
  }
  push_field(id, name, value);
  return Verdict::Ok;
}

Verdict HeadDecoder::add_content_length(std::string_view value) {
  if (content_length_) return malformed("a repeated Content-Length");
  content_length_ = read_decimal(value);
  return content_length_ ? Verdict::Ok : malformed("a Content-Length that is no number");
}

Verdict HeadDecoder::add_host(std::string_view value) {
  if (has_host_) return malformed("a repeated Host");
  has_host_ = true;
  if (pseudo_.authority.is_set) {
    if (equals_ignoring_case(view(pseudo_.authority), value)) return Verdict::Ok;
    return malformed("a Host that differs from :authority");
  }
  if (!is_host_and_port(value)) return malformed("a malformed Host");
  push_field(HeaderId::Host, {}, value);
  return Verdict::Ok;
}

Verdict HeadDecoder::set(Span& span, std::string_view value) {
  if (span.is_set) return malformed("a repeated pseudo-header field");
  span = {static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(value.size()), true};
  text_.append(value);
  return Verdict::Ok;
}

Verdict HeadDecoder::add_pseudo(std::string_view name, std::string_view value) {
  if (kind_ == HeadKind::Trailers) return malformed("a pseudo-header field in trailers");
  if (has_regular_) return malformed("a pseudo-header field behind a field");
  if (kind_ == HeadKind::Response) {
    if (name != ":status") return malformed("an unknown pseudo-header field");
    return set(pseudo_.status, value);
  }
  if (name == ":path") {
    if (value.size() > options_.target_bytes_max) return too_large(414, "a target too long");
    return set(pseudo_.path, value);
  }
  if (name == ":method") return set(pseudo_.method, value);
  if (name == ":scheme") return set(pseudo_.scheme, value);
  if (name == ":authority") return add_authority(value);
  if (name == ":protocol" && options_.extended_connect == ExtendedConnect::Yes) {
    return set(pseudo_.protocol, value);
  }
  return malformed("an unknown pseudo-header field");
}

bool HeadDecoder::is_host_and_port(std::string_view value) {
  if (!value.empty() && value == std::string_view(known_host_.data(), known_host_size_)) {
    return true;
  }
  if (!HostPort::parse(value)) return false;
  if (value.size() <= known_host_.size()) {
    value.copy(known_host_.data(), value.size());
    known_host_size_ = static_cast<std::uint8_t>(value.size());
  }
  return true;
}

// It is written as the Host field, and comes before all others.
Verdict HeadDecoder::add_authority(std::string_view value) {
  if (pseudo_.authority.is_set) return malformed("a repeated pseudo-header field");
  if (!is_host_and_port(value)) return malformed("a malformed :authority");
  push_field(HeaderId::Host, {}, value);
  pseudo_.authority = {static_cast<std::uint32_t>(text_.size() - kLineEnd.size() - value.size()),
                       static_cast<std::uint32_t>(value.size()), true};
  return Verdict::Ok;
}

void HeadDecoder::push_field(HeaderId id, std::string_view name, std::string_view value) {
  if (id != HeaderId::Other) name = header_name(id);
  entries_.push_back({static_cast<std::uint32_t>(text_.size()),
                      static_cast<std::uint32_t>(value.size()),
                      static_cast<std::uint16_t>(name.size()), id});
  const std::size_t begin = text_.size();
  const std::size_t end = begin + name.size() + 2 + value.size() + kLineEnd.size();
  // Some libraries hand more than was asked for to what writes.
  text_.resize_and_overwrite(end, [&](char* text, std::size_t /*room*/) {
    char* to = text + begin;
    to += name.copy(to, name.size());
    *to++ = ':';
    *to++ = ' ';
    to += value.copy(to, value.size());
    kLineEnd.copy(to, kLineEnd.size());
    return end;
  });
}

// Moves the text to a block of its own and the fields into `out`. Gives that block.
Bytes HeadDecoder::move_into(HeaderMap& out, HeadFacts& facts) {
  if (!cookie_.empty()) push_field(HeaderId::Cookie, {}, cookie_);
  facts.content_length = content_length_;
  facts.memory = text_.size();
  if (text_.empty()) return {};
  Bytes kept = Bytes::copy_of(text_);
  out.retain(kept);
  for (const Field& field : entries_) {
    const char* name = kept.data() + field.name;
    out.push_received({.name = name,
                       .value = name + field.name_size + 2,
                       .value_size = field.value_size,
                       .name_size = field.name_size,
                       .id = field.id,
                       .flags = HeaderMap::kVerbatim});
  }
  return kept;
}

namespace {

std::optional<Scheme> read_scheme(std::string_view text) noexcept {
  if (equals_ignoring_case(text, "http")) return Scheme::Http;
  if (equals_ignoring_case(text, "https")) return Scheme::Https;
  return std::nullopt;
}

}  // namespace

Verdict HeadDecoder::finish(RequestHeader& out, HeadFacts& facts) {
  if (refusal_status_ != 0) return Verdict::TooLarge;
  if (!pseudo_.method.is_set) return malformed("no :method");
  Method method = Method::from(view(pseudo_.method));
  if (method == Method::Other && !is_token(method.text())) return malformed("a malformed :method");
  if (!pseudo_.authority.is_set && !has_host_) return malformed("neither :authority nor Host");
  bool is_connect = method == Method::Connect && !pseudo_.protocol.is_set;
  if (is_connect) {
    // RFC 9113 §8.5.
    if (pseudo_.scheme.is_set || pseudo_.path.is_set || !pseudo_.authority.is_set) {
      return malformed("a CONNECT with other than :method and :authority");
    }
    if (!Uri::parse_target(method, view(pseudo_.authority))) return malformed("a CONNECT target");
  } else {
    if (!pseudo_.scheme.is_set || !pseudo_.path.is_set) return malformed("no :scheme or :path");
    if (pseudo_.protocol.is_set && (method != Method::Connect || !pseudo_.authority.is_set ||
                                    !is_token(view(pseudo_.protocol)))) {
      return malformed("a :protocol without CONNECT");
    }
    auto scheme = read_scheme(view(pseudo_.scheme));
    if (!scheme) return malformed("an unknown :scheme");
    facts.scheme = *scheme;
  }
  TargetForm form = is_connect ? TargetForm::Authority : TargetForm::Origin;
  if (!is_connect && !view(pseudo_.path).starts_with('/')) {
    if (method != Method::Options || view(pseudo_.path) != "*")
      return malformed("a malformed :path");
    form = TargetForm::Asterisk;
  }
  if (form == TargetForm::Origin && !is_target_text(view(pseudo_.path))) {
    return malformed("a malformed :path");
  }
  Span target_span = is_connect ? pseudo_.authority : pseudo_.path;
  std::string_view kept = move_into(out.headers(), facts).view();
  auto place = [kept](const Span& span) { return kept.substr(span.offset, span.size); };
  if (method == Method::Other) method = Method::from(place(pseudo_.method));
  std::string_view target = place(target_span);
  out.set_received(method, target, form, is_connect ? target.substr(target.size()) : target,
                   Version::Http2);
  facts.protocol = place(pseudo_.protocol);
  reset();
  return Verdict::Ok;
}

void HeadDecoder::finish_refused(RequestHeader& out, HeadFacts& facts) {
  Span path = pseudo_.path;
  Span method_text = pseudo_.method;
  bool is_path_good = view(path).starts_with('/') && is_target_text(view(path));
  bool is_method_good = is_token(view(method_text));
  std::string_view kept = move_into(out.headers(), facts).view();
  auto place = [kept](const Span& span) { return kept.substr(span.offset, span.size); };
  std::string_view target = is_path_good ? place(path) : "/";
  Method method = is_method_good ? Method::from(place(method_text)) : Method(Method::Get);
  out.set_received(method, target, TargetForm::Origin, target, Version::Http2);
  reset();
}

Verdict HeadDecoder::finish(ResponseHeader& out, HeadFacts& facts) {
  if (refusal_status_ != 0) return Verdict::TooLarge;
  std::string_view text = view(pseudo_.status);
  std::optional<std::uint64_t> number = read_decimal(text);
  if (text.size() != 3 || !number) return malformed("no :status, or a malformed one");
  std::optional<StatusCode> status = StatusCode::from(static_cast<int>(*number));
  // RFC 9113 §8.6: there is no 101.
  if (!status || *status == 101) return malformed("a malformed :status");
  move_into(out.headers(), facts);
  out.set_status(*status);
  out.set_version(Version::Http2);
  reset();
  return Verdict::Ok;
}

Verdict HeadDecoder::finish(HeaderMap& out, HeadFacts& facts) {
  if (refusal_status_ != 0) return Verdict::TooLarge;
  move_into(out, facts);
  reset();
  return Verdict::Ok;
}

}  // namespace pingora::h2
