// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/http_date.h"

#include <catch2/catch.hpp>

namespace pingora {
namespace {

using std::chrono::seconds;

HttpDate::Seconds at(std::int64_t unix_time) { return HttpDate::Seconds(seconds(unix_time)); }

}  // namespace

TEST_CASE("HttpDate: formats as RFC 9110 wants it", "[http]") {
  CHECK(HttpDate(at(784111777)).view() == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(HttpDate(at(0)).view() == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(HttpDate(at(951782399)).view() == "Mon, 28 Feb 2000 23:59:59 GMT");
  CHECK(HttpDate(at(951782400)).view() == "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST_CASE("HttpDate: reads all three forms", "[http]") {
  CHECK(HttpDate::parse("Sun, 06 Nov 1994 08:49:37 GMT") == at(784111777));
  CHECK(HttpDate::parse("Sunday, 06-Nov-94 08:49:37 GMT") == at(784111777));
  CHECK(HttpDate::parse("Sun Nov  6 08:49:37 1994") == at(784111777));
  CHECK(HttpDate::parse("Sun Nov 16 08:49:37 1994") == at(784111777 + 10 * 86400));
  CHECK(HttpDate::parse("Fri, 31 Dec 1999 23:59:60 GMT") == at(946684800));
}

TEST_CASE("HttpDate: what it formats it reads", "[http]") {
  for (std::int64_t time = -3000000000; time < 5000000000; time += 12345678) {
    REQUIRE(HttpDate::parse(HttpDate(at(time)).view()) == at(time));
  }
  std::optional<HttpDate::Seconds> now = HttpDate::parse(HttpDate::now().view());
  REQUIRE(now.has_value());
  CHECK(HttpDate(*now).view().size() == 29);
}

TEST_CASE("HttpDate: refuses what is no date", "[http]") {
  for (std::string_view text :
       {"", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Someday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994", "Sun, 06 Nov 94 08:49:37 GMT"}) {
    INFO(text);
    CHECK_FALSE(HttpDate::parse(text).has_value());
  }
}

}  // namespace pingora
