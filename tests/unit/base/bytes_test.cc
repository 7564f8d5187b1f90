// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/bytes.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using pingora::Block;
using pingora::Bytes;

TEST_CASE("Bytes: nothing by default", "[bytes]") {
  Bytes bytes;
  CHECK(bytes.empty());
  CHECK(bytes.view().empty());
  CHECK(bytes.block() == nullptr);
  CHECK(bytes == "");
}

TEST_CASE("Bytes: copy_of owns its memory", "[bytes]") {
  std::string text = "hello";
  Bytes bytes = Bytes::copy_of(text);
  text.assign("HELLO");
  CHECK(bytes == "hello");
  CHECK(bytes.to_string() == "hello");
  CHECK(Bytes::copy_of("").block() == nullptr);
}

TEST_CASE("Bytes: from_static refers and copies nothing", "[bytes]") {
  static constexpr std::string_view kText = "static";
  Bytes bytes = Bytes::from_static(kText);
  CHECK(bytes.data() == kText.data());
  CHECK(bytes.block() == nullptr);
  Bytes part = bytes.slice(2, 2);
  CHECK(part == "at");
}

TEST_CASE("Bytes: copies share the memory and outlive the original", "[bytes]") {
  Bytes copy;
  {
    Bytes bytes = Bytes::copy_of("shared");
    copy = bytes;
    CHECK(copy.data() == bytes.data());
    CHECK_FALSE(bytes.block()->is_unshared());
  }
  CHECK(copy == "shared");
  CHECK(copy.block()->is_unshared());
}

TEST_CASE("Bytes: a moved-from one is empty", "[bytes]") {
  Bytes from = Bytes::copy_of("text");
  Bytes to = std::move(from);
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move): what is tested
  CHECK(from.block() == nullptr);
  CHECK(to.block()->is_unshared());
  from = std::move(to);
  CHECK(from == "text");
}

TEST_CASE("Bytes: survives assignment to itself", "[bytes]") {
  Bytes bytes = Bytes::copy_of("self");
  const Bytes& alias = bytes;
  bytes = alias;
  CHECK(bytes == "self");
  CHECK(bytes.block()->is_unshared());
}

TEST_CASE("Bytes: a slice is cut to what is there", "[bytes]") {
  Bytes bytes = Bytes::copy_of("0123456789");
  CHECK(bytes.slice(0) == "0123456789");
  CHECK(bytes.slice(3, 4) == "3456");
  CHECK(bytes.slice(8, 4) == "89");
  CHECK(bytes.slice(10) == "");
  CHECK(bytes.slice(11, 1) == "");
}

TEST_CASE("Bytes: split_to takes the front off", "[bytes]") {
  Bytes bytes = Bytes::copy_of("headbody");
  Bytes head = bytes.split_to(4);
  CHECK(head == "head");
  CHECK(bytes == "body");
  CHECK(bytes.split_to(0).empty());
  bytes.remove_prefix(1);
  CHECK(bytes == "ody");
  CHECK(bytes.split_to(3) == "ody");
  CHECK(bytes.empty());
}

TEST_CASE("Bytes: compares by content", "[bytes]") {
  CHECK(Bytes::copy_of("a") == Bytes::from_static("a"));
  CHECK_FALSE(Bytes::copy_of("a") == Bytes::copy_of("b"));
}

TEST_CASE("Block: a standard one is used again by its thread", "[bytes]") {
  Block* block = Block::allocate();
  std::size_t before = Block::free_blocks_of_this_thread();
  block->release();
  CHECK(Block::free_blocks_of_this_thread() == before + 1);
  Block* again = Block::allocate(Block::kStandardCapacity / 2);
  CHECK(again == block);
  CHECK(again->capacity() == Block::kStandardCapacity);
  CHECK(again->is_unshared());
  again->release();
}

TEST_CASE("Block: small and large ones are not among the standard ones that are kept", "[bytes]") {
  std::size_t before = Block::free_blocks_of_this_thread();
  for (std::size_t capacity : {std::size_t{0}, std::size_t{1}, Block::kStandardCapacity / 4,
                               Block::kStandardCapacity + 1, std::size_t{1} << 20}) {
    Block* block = Block::allocate(capacity);
    CHECK(block->capacity() >= capacity);
    CHECK(block->capacity() < capacity + 64);
    block->release();
  }
  CHECK(Block::free_blocks_of_this_thread() == before);
}

TEST_CASE("Block: the free list of a thread is bounded", "[bytes]") {
  std::vector<Block*> blocks;
  for (int i = 0; i < 300; ++i) blocks.push_back(Block::allocate());
  for (Block* block : blocks) block->release();
  CHECK(Block::free_blocks_of_this_thread() == 256);
}

TEST_CASE("Block: goes to the free list of the thread that releases it", "[bytes]") {
  Bytes bytes = Bytes::copy_of(std::string(8000, 'x'));
  std::size_t here = Block::free_blocks_of_this_thread();
  std::size_t there = 0;
  std::thread([moved = std::move(bytes), &there]() mutable {
    moved = {};
    there = Block::free_blocks_of_this_thread();
  }).join();
  CHECK(there == 1);
  CHECK(Block::free_blocks_of_this_thread() == here);
}

namespace {

// Allocates and releases while the thread-local objects of its thread are being destroyed.
struct UsesBlocksAtThreadExit {
  Bytes held;
  std::size_t* left;
  ~UsesBlocksAtThreadExit() {
    held = {};
    for (int i = 0; i < 3; ++i) {
      Bytes bytes = Bytes::copy_of(std::string(8000, 'y'));
      if (bytes.size() != 8000) std::abort();
    }
    *left = Block::free_blocks_of_this_thread();
  }
};

}  // namespace

TEST_CASE("Block: may be used until its thread is gone, and none is left behind", "[bytes]") {
  std::size_t left = 99;
  std::thread([&left] {
    // Constructed before the first release of a block, hence destroyed after the free list.
    thread_local UsesBlocksAtThreadExit late{{}, &left};
    late.held = Bytes::copy_of(std::string(8000, 'z'));
    Bytes::copy_of(std::string(8000, 'x'));
  }).join();
  CHECK(left == 0);
}

TEST_CASE("Bytes: copies may be dropped on many threads at once", "[bytes]") {
  Bytes bytes = Bytes::copy_of(std::string(9000, 'q'));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([copy = bytes] {
      for (int i = 0; i < 1000; ++i) {
        Bytes part = copy.slice(static_cast<std::size_t>(i), 10);
        if (part.view() != "qqqqqqqqqq") std::abort();
      }
    });
  }
  bytes = {};
  for (std::thread& thread : threads) thread.join();
}
