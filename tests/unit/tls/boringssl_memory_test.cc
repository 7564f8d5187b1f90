// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include <openssl/mem.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

extern "C" {
void* OPENSSL_memory_alloc(std::size_t size);
void OPENSSL_memory_free(void* memory);
std::size_t OPENSSL_memory_get_size(void* memory);
}

namespace {

constexpr std::size_t kSizes[] = {0, 1, 8, 55, 56, 57, 120, 4023, 4024, 4025, 4088, 4096, 70'000};

}  // namespace

TEST_CASE("BoringSSL's memory: pieces of any size know it, and hold that much", "[tls]") {
  std::vector<void*> pieces;
  for (std::size_t size : kSizes) {
    void* piece = OPENSSL_memory_alloc(size);
    REQUIRE(piece != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(piece) % alignof(std::uint64_t) == 0);
    CHECK(OPENSSL_memory_get_size(piece) == size);
    std::memset(piece, 0xa5, size);
    pieces.push_back(piece);
  }
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    CHECK(OPENSSL_memory_get_size(pieces[i]) == kSizes[i]);
  }
  // Where another thread is the last to need them.
  std::thread([&] {
    for (void* piece : pieces) OPENSSL_memory_free(piece);
  }).join();
}

TEST_CASE("BoringSSL's memory: more than there can be is refused", "[tls]") {
  CHECK(OPENSSL_memory_alloc(SIZE_MAX) == nullptr);
  CHECK(OPENSSL_memory_alloc(SIZE_MAX - 8) == nullptr);
  CHECK(OPENSSL_malloc(SIZE_MAX / 2 + 1) == nullptr);
}

TEST_CASE("BoringSSL's memory: grows with what is in it", "[tls]") {
  auto* piece = static_cast<char*>(OPENSSL_malloc(10));
  REQUIRE(piece != nullptr);
  std::memcpy(piece, "0123456789", 10);
  for (std::size_t size : {60, 5000, 20}) {
    piece = static_cast<char*>(OPENSSL_realloc(piece, size));
    REQUIRE(piece != nullptr);
    CHECK(std::memcmp(piece, "0123456789", 10) == 0);
  }
  OPENSSL_free(piece);
}
