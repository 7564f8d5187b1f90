// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/buffer.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <utility>

using pingora::Block;
using pingora::Buffer;
using pingora::Bytes;

namespace {

void fill(Buffer& buffer, std::size_t size, char c) {
  std::span<char> room = buffer.prepare(size);
  std::memset(room.data(), c, size);
  buffer.commit(size);
}

}  // namespace

TEST_CASE("Buffer: holds no memory while it is empty", "[buffer]") {
  std::size_t free_before = 0;
  {
    Block* block = Block::allocate();  // makes sure that there is one to take
    block->release();
    free_before = Block::free_blocks_of_this_thread();
  }
  Buffer buffer;
  CHECK(buffer.empty());
  CHECK(buffer.prepare().size() == Block::kStandardCapacity);
  CHECK(Block::free_blocks_of_this_thread() == free_before - 1);
  buffer.release_if_empty();
  CHECK(Block::free_blocks_of_this_thread() == free_before);
  buffer.append("abc");
  buffer.release_if_empty();
  CHECK(buffer.view() == "abc");
  buffer.consume(3);
  CHECK(Block::free_blocks_of_this_thread() == free_before);
}

TEST_CASE("Buffer: append, consume, view", "[buffer]") {
  Buffer buffer;
  buffer.append("");
  CHECK(buffer.view().empty());
  buffer.append("hello ");
  buffer.append("world");
  CHECK(buffer.view() == "hello world");
  buffer.consume(0);
  buffer.consume(6);
  CHECK(buffer.view() == "world");
  CHECK(buffer.size() == 5);
}

TEST_CASE("Buffer: commits less than was prepared", "[buffer]") {
  Buffer buffer;
  std::span<char> room = buffer.prepare();
  room[0] = 'a';
  buffer.commit(1);
  buffer.commit(0);
  CHECK(buffer.view() == "a");
  CHECK(buffer.prepare().size() == Block::kStandardCapacity - 1);
  CHECK(buffer.prepare().data() == buffer.view().data() + 1);
}

TEST_CASE("Buffer: grows past a block and keeps what is in it", "[buffer]") {
  Buffer buffer;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    std::string piece(static_cast<std::size_t>(i % 97), static_cast<char>('a' + i % 26));
    buffer.append(piece);
    expected += piece;
    REQUIRE(buffer.view() == expected);
  }
  CHECK(buffer.size() > 5 * Block::kStandardCapacity);
}

TEST_CASE("Buffer: prepare gives at least what is asked for", "[buffer]") {
  Buffer buffer;
  for (std::size_t size : {std::size_t{1}, Block::kStandardCapacity, Block::kStandardCapacity + 1,
                           std::size_t{100'000}}) {
    CHECK(buffer.prepare(size).size() >= size);
    buffer.reset();
    buffer.append("x");
    CHECK(buffer.prepare(size).size() >= size);
    CHECK(buffer.view() == "x");
    buffer.reset();
  }
}

TEST_CASE("Buffer: moves few unread bytes to the front of its own block", "[buffer]") {
  Buffer buffer;
  fill(buffer, Block::kStandardCapacity - 3, 'a');
  const char* front = buffer.view().data();
  buffer.append("end");
  buffer.consume(Block::kStandardCapacity - 3);
  CHECK(buffer.prepare(100).size() == Block::kStandardCapacity - 3);
  CHECK(buffer.view() == "end");
  CHECK(buffer.view().data() == front);
}

TEST_CASE("Buffer: never moves bytes under a slice", "[buffer]") {
  Buffer buffer;
  fill(buffer, Block::kStandardCapacity - 3, 'a');
  buffer.append("end");
  Bytes taken = buffer.take(Block::kStandardCapacity - 3);
  std::string before = taken.to_string();
  fill(buffer, 1000, 'b');
  CHECK(buffer.view().substr(0, 4) == "endb");
  CHECK(taken == before);
}

TEST_CASE("Buffer: take of everything hands the block over", "[buffer]") {
  Buffer buffer;
  buffer.append("all of it");
  const char* data = buffer.view().data();
  Bytes all = buffer.take(9);
  CHECK(all == "all of it");
  CHECK(all.data() == data);
  CHECK(all.block()->is_unshared());
  CHECK(buffer.empty());
  buffer.append("next");
  CHECK(all == "all of it");
  CHECK(buffer.view() == "next");
}

TEST_CASE("Buffer: take of a part leaves the rest", "[buffer]") {
  Buffer buffer;
  buffer.append("headbody");
  CHECK(buffer.take(0).empty());
  Bytes head = buffer.take(4);
  CHECK(head == "head");
  CHECK(buffer.view() == "body");
  buffer.reset();
  CHECK(head == "head");
  CHECK(head.block()->is_unshared());
}

TEST_CASE("Buffer: share leaves the bytes where they are", "[buffer]") {
  Buffer buffer;
  buffer.append("shared");
  CHECK(buffer.share(0).empty());
  Bytes bytes = buffer.share(6);
  CHECK(bytes.data() == buffer.view().data());
  buffer.append(" more");
  CHECK(buffer.view() == "shared more");
  CHECK(bytes == "shared");
}

TEST_CASE("Buffer: moves", "[buffer]") {
  Buffer from;
  from.append("text");
  Buffer to = std::move(from);
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move): what is tested
  CHECK(to.view() == "text");
  Buffer third;
  third.append("old");
  third = std::move(to);
  CHECK(third.view() == "text");
  from.append("again");
  CHECK(from.view() == "again");
}
