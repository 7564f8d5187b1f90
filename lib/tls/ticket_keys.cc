// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/tls/ticket_keys.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "tls/read_file.h"
#include "tls/ticket_keys_impl.h"

namespace pingora {
namespace {

using internal::TicketKey;
using internal::TicketKeySet;

constexpr std::size_t kKeySize = TicketKeys::kNameSize + TicketKeys::kSecretSize;

std::shared_ptr<const TicketKey> make_key(std::string_view bytes) {
  auto key = std::make_shared<TicketKey>();
  key->name = bytes.substr(0, TicketKeys::kNameSize);
  std::string_view secret = bytes.substr(TicketKeys::kNameSize);
  key->aead.reset(EVP_AEAD_CTX_new(EVP_aead_aes_256_gcm(),
                                   reinterpret_cast<const std::uint8_t*>(secret.data()),
                                   secret.size(), TicketKeys::Impl::kTagSize));
  return key;
}

std::shared_ptr<const TicketKey> random_key() {
  std::array<std::uint8_t, kKeySize> bytes{};
  RAND_bytes(bytes.data(), bytes.size());
  auto key = make_key({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return key;
}

std::unique_ptr<const TicketKeySet> first_keys() {
  auto keys = std::make_unique<TicketKeySet>();
  keys->push_back(random_key());
  return keys;
}

}  // namespace

TicketKeys::Impl::Impl(Options chosen) : options(chosen), keys(first_keys()) {
  set_next_rotation(coarse_now());
}

void TicketKeys::Impl::set_next_rotation(TimePoint now) {
  TimePoint next = options.rotate_after.count() <= 0 ? kNever : now + options.rotate_after;
  next_rotation.store(next.time_since_epoch().count(), std::memory_order_relaxed);
}

bool TicketKeys::Impl::seal(std::span<std::uint8_t> out, std::size_t& out_size,
                            std::span<const std::uint8_t> in) const {
  if (out.size() < in.size() + kOverhead) return false;
  auto reading = keys.read();
  const TicketKey& key = *reading->front();
  // `in` may lie in `out`: first out of the way of the name and the nonce.
  std::memmove(out.data() + kNameSize + kNonceSize, in.data(), in.size());
  std::memcpy(out.data(), key.name.data(), kNameSize);
  std::uint8_t* nonce = out.data() + kNameSize;
  RAND_bytes(nonce, kNonceSize);
  std::uint8_t* text = nonce + kNonceSize;
  std::size_t sealed = 0;
  if (EVP_AEAD_CTX_seal(key.aead.get(), text, &sealed, in.size() + kTagSize, nonce, kNonceSize,
                        text, in.size(), out.data(), kNameSize) == 0) {
    return false;
  }
  out_size = kNameSize + kNonceSize + sealed;
  return true;
}

bool TicketKeys::Impl::open(std::span<std::uint8_t> out, std::size_t& out_size,
                            std::span<const std::uint8_t> in) const {
  if (in.size() < kOverhead) return false;
  auto reading = keys.read();
  for (const auto& key : *reading) {
    if (std::memcmp(key->name.data(), in.data(), kNameSize) != 0) continue;
    std::span<const std::uint8_t> sealed = in.subspan(kNameSize + kNonceSize);
    return EVP_AEAD_CTX_open(key->aead.get(), out.data(), &out_size, out.size(),
                             in.data() + kNameSize, kNonceSize, sealed.data(), sealed.size(),
                             in.data(), kNameSize) != 0;
  }
  return false;
}

void TicketKeys::Impl::rotate_locked(TimePoint now) {
  auto next = std::make_unique<TicketKeySet>();
  next->push_back(random_key());
  {
    auto reading = keys.read();
    std::size_t kept = std::clamp<std::size_t>(options.kept, 1, kKeysMax) - 1;
    for (const auto& key : *reading) {
      if (kept-- == 0) break;
      next->push_back(key);
    }
  }
  keys.replace(std::move(next));
  set_next_rotation(now);
}

TicketKeys::TicketKeys() : TicketKeys(Options()) {}
TicketKeys::TicketKeys(Options options) : impl_(std::make_unique<Impl>(options)) {}
TicketKeys::~TicketKeys() = default;

Result<void> TicketKeys::set(std::span<const std::string> keys) {
  if (keys.empty() || keys.size() > kKeysMax) {
    return fail(ErrorType::ConfigError, "1 to 8 ticket keys are needed");
  }
  auto next = std::make_unique<TicketKeySet>();
  for (const std::string& bytes : keys) {
    if (bytes.size() != kKeySize) {
      return fail(ErrorType::ConfigError, "a ticket key has 48 bytes: 16 of name, 32 of secret");
    }
    for (const auto& other : *next) {
      if (bytes.starts_with(other->name)) {
        return fail(ErrorType::ConfigError, "two ticket keys have the same name");
      }
    }
    next->push_back(make_key(bytes));
  }
  std::lock_guard lock(impl_->mutex);
  impl_->keys.replace(std::move(next));
  impl_->next_rotation.store(kNever.time_since_epoch().count(), std::memory_order_relaxed);
  return {};
}

Result<void> TicketKeys::load(const std::string& file) {
  auto content = internal::read_file(file);
  if (!content) return fail(std::move(content.error()));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < content->size(); i += kKeySize) {
    keys.push_back(content->substr(i, kKeySize));
  }
  auto result = set(keys);
  if (!result) result.error().add_context(file);
  return result;
}

void TicketKeys::rotate() {
  std::lock_guard lock(impl_->mutex);
  impl_->rotate_locked(coarse_now());
}

void TicketKeys::rotate_if_due(TimePoint now) {
  auto is_due = [&] {
    return now.time_since_epoch().count() >= impl_->next_rotation.load(std::memory_order_relaxed);
  };
  if (!is_due()) return;
  std::lock_guard lock(impl_->mutex);
  if (is_due()) impl_->rotate_locked(now);
}

}  // namespace pingora
