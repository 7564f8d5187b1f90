// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/base/intrusive_list.h"

#include <catch2/catch.hpp>
#include <memory>
#include <string>

using pingora::IntrusiveList;
using pingora::ListHook;

namespace {

struct Item : ListHook {
  explicit Item(char name) : name(name) {}
  char name;
};

std::string names(IntrusiveList<Item>& list) {
  std::string out;
  for (Item* item = list.front(); item != nullptr; item = list.next(*item)) out += item->name;
  return out;
}

}  // namespace

TEST_CASE("IntrusiveList: keeps the order of insertion at both ends", "[intrusive_list]") {
  Item a('a'), b('b'), c('c');
  IntrusiveList<Item> list;
  CHECK(list.empty());
  CHECK(list.front() == nullptr);
  CHECK(list.back() == nullptr);
  CHECK(list.pop_front() == nullptr);
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  CHECK(names(list) == "abc");
  CHECK(list.front() == &a);
  CHECK(list.back() == &c);
  CHECK(list.pop_front() == &a);
  CHECK_FALSE(a.is_linked());
  CHECK(names(list) == "bc");
}

TEST_CASE("IntrusiveList: an element leaves from anywhere", "[intrusive_list]") {
  Item a('a'), b('b'), c('c');
  IntrusiveList<Item> list;
  for (Item* item : {&a, &b, &c}) list.push_back(*item);
  b.unlink();
  CHECK_FALSE(b.is_linked());
  CHECK(names(list) == "ac");
  c.unlink();
  a.unlink();
  CHECK(list.empty());
  list.push_back(b);
  CHECK(names(list) == "b");
}

TEST_CASE("IntrusiveList: splice_back moves all elements", "[intrusive_list]") {
  Item a('a'), b('b'), c('c');
  IntrusiveList<Item> list;
  IntrusiveList<Item> other;
  list.splice_back(other);
  CHECK(list.empty());
  list.push_back(a);
  other.push_back(b);
  other.push_back(c);
  list.splice_back(other);
  CHECK(names(list) == "abc");
  CHECK(other.empty());
  other.splice_back(list);
  CHECK(names(other) == "abc");
  CHECK(list.empty());
  b.unlink();
  CHECK(names(other) == "ac");
}

TEST_CASE("IntrusiveList: splicing a list into itself changes nothing", "[intrusive_list]") {
  Item a('a'), b('b');
  IntrusiveList<Item> list;
  list.push_back(a);
  list.push_back(b);
  list.splice_back(list);
  CHECK(names(list) == "ab");
}

TEST_CASE("IntrusiveList: elements may outlive it", "[intrusive_list]") {
  Item a('a');
  auto list = std::make_unique<IntrusiveList<Item>>();
  list->push_back(a);
  list.reset();
  CHECK_FALSE(a.is_linked());
}
