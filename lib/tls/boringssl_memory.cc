// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// Where BoringSSL has its memory from: a handshake takes and gives back some 450 small pieces, most
// of them for a moment, which the free lists of the thread serve in a third of malloc's time.
//
// The hooks are weak, so that a program may have its own. They are called from anywhere, the start
// and the end of the process and of threads included, and call nothing of BoringSSL.
#include "tls/boringssl_memory.h"

#include <openssl/base.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "pingora/runtime/frame_allocator.h"

// The declarations that BoringSSL has in its crypto/mem.c. Visible whatever the program is compiled
// with: a shared libcrypto finds them by name.
#define PINGORA_BORINGSSL_HOOK __attribute__((weak, visibility("default")))
extern "C" {
PINGORA_BORINGSSL_HOOK void* OPENSSL_memory_alloc(std::size_t size);
PINGORA_BORINGSSL_HOOK void OPENSSL_memory_free(void* memory);
PINGORA_BORINGSSL_HOOK std::size_t OPENSSL_memory_get_size(void* memory);
}

namespace pingora::internal {
namespace {

// The size is in front of a piece. Pieces are aligned as BoringSSL's own are, which does the same.
constexpr std::size_t kPrefix = sizeof(std::size_t);

std::size_t size_of(const void* piece) noexcept {
  std::size_t size = 0;
  std::memcpy(&size, static_cast<const char*>(piece) - kPrefix, kPrefix);
  return size;
}

}  // namespace

void link_boringssl_memory() noexcept {}

}  // namespace pingora::internal

void* OPENSSL_memory_alloc(std::size_t size) {
  using pingora::internal::kPrefix;
  if (size > SIZE_MAX / 2) return nullptr;
  try {
    char* block = static_cast<char*>(pingora::internal::frame_allocate(size + kPrefix));
    std::memcpy(block, &size, kPrefix);
    return block + kPrefix;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void OPENSSL_memory_free(void* memory) {
  using pingora::internal::kPrefix;
  std::size_t size = pingora::internal::size_of(memory);
  // It may have held a secret; what says so keeps the compiler from thinking that nobody will look.
  std::memset(memory, 0, size);
  __asm__ __volatile__("" : : "r"(memory) : "memory");
  pingora::internal::frame_deallocate(static_cast<char*>(memory) - kPrefix, size + kPrefix);
}

std::size_t OPENSSL_memory_get_size(void* memory) { return pingora::internal::size_of(memory); }
