// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/home.h"

#include <sys/mman.h>

#include <mutex>
#include <vector>

#include "base/address_sanitizer.h"

namespace pingora::h2 {
namespace {

constexpr std::size_t kMappedAtOnce = 64;
constexpr std::size_t kWarmMax = 64;

// Those that nobody lives in. Never unmapped: what is given back is only address space.
class Homes {
 public:
  Home take() noexcept {
    std::lock_guard lock(mutex_);
    if (!warm_.empty()) return {pop(warm_), false};
    if (cold_.empty() && !map_more()) return {};
    return {pop(cold_), true};
  }

  void give(char* begin) noexcept {
    {
      std::lock_guard lock(mutex_);
      if (warm_.size() < kWarmMax) return warm_.push_back(begin);
    }
    ::madvise(begin, Home::kSize, MADV_DONTNEED);
    std::lock_guard lock(mutex_);
    cold_.push_back(begin);
  }

 private:
  static char* pop(std::vector<char*>& homes) noexcept {
    char* begin = homes.back();
    homes.pop_back();
    return begin;
  }

  bool map_more() noexcept {
    constexpr std::size_t kSize = kMappedAtOnce * Home::kSize;
    void* memory =
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    // A huge page would be touched as a whole.
    ::madvise(memory, kSize, MADV_NOHUGEPAGE);
    mapped_ += kMappedAtOnce;
    // From here on, giving back never allocates.
    cold_.reserve(mapped_);
    warm_.reserve(kWarmMax);
    for (std::size_t i = kMappedAtOnce; i-- != 0;) {
      cold_.push_back(static_cast<char*>(memory) + i * Home::kSize);
    }
    return true;
  }

  std::mutex mutex_;
  std::vector<char*> warm_;
  std::vector<char*> cold_;
  std::size_t mapped_ = 0;
};

// Lives as long as the last connection, which may be a static object's.
Homes& homes() {
  static Homes& all = *new Homes;
  return all;
}

}  // namespace

Home take_home() noexcept {
  if constexpr (pingora::internal::kHasAddressSanitizer) return {};
  return homes().take();
}

void give_home(char* begin) noexcept { homes().give(begin); }

void forget_contents(char* begin) noexcept { ::madvise(begin, Home::kSize, MADV_DONTNEED); }

}  // namespace pingora::h2
