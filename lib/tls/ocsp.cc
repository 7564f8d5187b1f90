// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/ocsp.h"

#include <openssl/bytestring.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "pingora/base/log.h"
#include "tls/certificate_data.h"

namespace pingora::internal {
namespace {

constexpr unsigned kTagged0 = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 0;
constexpr unsigned kByName = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 1;
constexpr unsigned kByKey = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED | 2;
constexpr auto kNever = Certificate::Time::max();

bool skip(CBS& from, unsigned tag) { return CBS_get_asn1(&from, nullptr, tag) == 1; }

// "YYYYMMDDHHMMSSZ", as RFC 5280 §4.1.2.5.2 has it.
std::optional<Certificate::Time> to_time(const CBS& text) {
  std::string_view digits(reinterpret_cast<const char*>(CBS_data(&text)), CBS_len(&text));
  if (digits.size() != 15 || digits.back() != 'Z') return std::nullopt;
  auto number = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (char c : digits.substr(at, size)) value = value * 10 + (c - '0');
    return value;
  };
  if (!std::all_of(digits.begin(), digits.end() - 1, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  using namespace std::chrono;
  // The clock of the system ends in 2262.
  if (number(0, 4) > 2261) return kNever;
  year_month_day date(year(number(0, 4)), month(static_cast<unsigned>(number(4, 2))),
                      day(static_cast<unsigned>(number(6, 2))));
  int hour = number(8, 2);
  int minute = number(10, 2);
  int second = number(12, 2);
  if (!date.ok() || number(0, 4) < 1970 || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

// SingleResponse: certID, certStatus, thisUpdate, [0] nextUpdate.
std::optional<Certificate::Time> next_update(CBS single) {
  CBS status;
  unsigned tag = 0;
  CBS tagged;
  CBS time;
  int is_there = 0;
  if (!skip(single, CBS_ASN1_SEQUENCE) || CBS_get_any_asn1(&single, &status, &tag) != 1 ||
      !skip(single, CBS_ASN1_GENERALIZEDTIME) ||
      CBS_get_optional_asn1(&single, &tagged, &is_there, kTagged0) != 1) {
    return std::nullopt;
  }
  if (is_there == 0) return kNever;
  if (CBS_get_asn1(&tagged, &time, CBS_ASN1_GENERALIZEDTIME) != 1) return std::nullopt;
  return to_time(time);
}

// Of a BasicOCSPResponse: the responses in its ResponseData.
bool get_responses(CBS tagged, CBS& responses) {
  CBS bytes;
  CBS octets;
  CBS basic;
  CBS data;
  if (CBS_get_asn1(&tagged, &bytes, CBS_ASN1_SEQUENCE) != 1 || !skip(bytes, CBS_ASN1_OBJECT) ||
      CBS_get_asn1(&bytes, &octets, CBS_ASN1_OCTETSTRING) != 1 ||
      CBS_get_asn1(&octets, &basic, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&basic, &data, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_optional_asn1(&data, nullptr, nullptr, kTagged0) != 1) {
    return false;
  }
  bool is_by_name = CBS_peek_asn1_tag(&data, kByName) == 1;
  return skip(data, is_by_name ? kByName : kByKey) && skip(data, CBS_ASN1_GENERALIZEDTIME) &&
         CBS_get_asn1(&data, &responses, CBS_ASN1_SEQUENCE) == 1;
}

}  // namespace

Result<Certificate::Time> ocsp_good_until(std::string_view der) {
  auto refused = [](std::string_view why) { return fail(ErrorType::InvalidCert, why); };
  CBS whole;
  CBS response;
  CBS status;
  CBS bytes;
  CBS_init(&whole, reinterpret_cast<const std::uint8_t*>(der.data()), der.size());
  if (CBS_get_asn1(&whole, &response, CBS_ASN1_SEQUENCE) != 1 || CBS_len(&whole) != 0 ||
      CBS_get_asn1(&response, &status, CBS_ASN1_ENUMERATED) != 1 || CBS_len(&status) != 1) {
    return refused("is no OCSP response (DER)");
  }
  if (CBS_data(&status)[0] != 0) return refused("is an OCSP response that reports a failure");
  CBS responses;
  auto until = kNever;
  if (CBS_get_asn1(&response, &bytes, kTagged0) != 1 || !get_responses(bytes, responses)) {
    return until;
  }
  CBS single;
  while (CBS_get_asn1(&responses, &single, CBS_ASN1_SEQUENCE) == 1) {
    until = std::min(until, next_update(single).value_or(kNever));
  }
  return until;
}

const CRYPTO_BUFFER* ocsp_to_staple(const CertificateData& certificate, Certificate::Time now) {
  if (certificate.ocsp == nullptr || now < certificate.ocsp_until) return certificate.ocsp.get();
  if (!certificate.has_told_of_ocsp.exchange(true, std::memory_order_relaxed)) {
    log_warn("certificate {}: the OCSP response has expired, and is not stapled any more",
             certificate.subject);
  }
  return nullptr;
}

}  // namespace pingora::internal
