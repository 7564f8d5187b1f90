// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/x509_text.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <iterator>

namespace pingora::internal {
namespace {

std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void add_name(std::vector<std::string>& names, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  // 253 is what DNS can carry; a zero byte would end the name for others.
  if (name.empty() || name.size() > 253 || name.find('\0') != std::string_view::npos) return;
  std::string added = lower(name);
  if (std::find(names.begin(), names.end(), added) == names.end()) names.push_back(added);
}

}  // namespace

std::string name_text(const X509_NAME* name) {
  bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0 ||
      BIO_mem_contents(out.get(), &data, &size) != 1) {
    return {};
  }
  return {reinterpret_cast<const char*>(data), size};
}

std::string name_entry(const X509_NAME* name, int nid) {
  int index = X509_NAME_get_index_by_NID(const_cast<X509_NAME*>(name), nid, -1);
  if (index < 0) return {};
  const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, index);
  unsigned char* text = nullptr;
  int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) return {};
  std::string out(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return out;
}

std::string serial_text(const X509& certificate) {
  std::string out;
  for (char byte : bytes_of(X509_get0_serialNumber(&certificate))) {
    fmt::format_to(std::back_inserter(out), "{:02X}", static_cast<unsigned char>(byte));
  }
  return out;
}

std::vector<std::string> host_names(X509& certificate) {
  std::vector<std::string> names;
  bssl::UniquePtr<GENERAL_NAMES> alternatives(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!alternatives) {
    add_name(names, name_entry(X509_get_subject_name(&certificate), NID_commonName));
    return names;
  }
  for (const GENERAL_NAME* alternative : alternatives.get()) {
    if (alternative->type == GEN_DNS) add_name(names, bytes_of(alternative->d.dNSName));
  }
  return names;
}

std::string sha256_of(std::string_view der) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const std::uint8_t*>(der.data()), der.size(),
         reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

}  // namespace pingora::internal
