// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/http/http_date.h"

#include <array>
#include <cstring>
#include <ctime>

namespace pingora {
namespace {

using std::chrono::sys_days;

constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

void put_digits(char* at, unsigned number, int digits) {
  while (digits-- > 0) {
    at[digits] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
}

// Reads a date from left to right; the first thing that does not fit makes it fail for good.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Reader& text(std::string_view expected) {
    ok_ = ok_ && rest_.starts_with(expected);
    if (ok_) rest_.remove_prefix(expected.size());
    return *this;
  }
  // One of the three-letter names in `names`, as its index.
  Reader& name(std::string_view names, unsigned& index) {
    ok_ = ok_ && rest_.size() >= 3;
    if (!ok_) return *this;
    for (index = 0; index * 3 < names.size(); ++index) {
      if (rest_.starts_with(names.substr(std::size_t{index} * 3, 3))) {
        rest_.remove_prefix(3);
        return *this;
      }
    }
    ok_ = false;
    return *this;
  }
  Reader& long_day() {
    for (std::string_view day : kLongDays) {
      if (rest_.starts_with(day)) return text(day);
    }
    ok_ = false;
    return *this;
  }
  Reader& number(int digits, unsigned& value) {
    value = 0;
    for (; digits > 0 && ok_; --digits) {
      ok_ = !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9';
      if (!ok_) break;
      value = value * 10 + static_cast<unsigned>(rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return *this;
  }
  // Two places, the first of which may be a space.
  Reader& padded_number(unsigned& value) {
    if (ok_ && rest_.starts_with(' ')) return text(" ").number(1, value);
    return number(2, value);
  }
  bool is_done() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Fields {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;

  Reader& time(Reader& reader) {
    return reader.number(2, hour).text(":").number(2, minute).text(":").number(2, second);
  }
};

std::optional<HttpDate::Seconds> to_time(const Fields& fields) {
  std::chrono::year_month_day date{std::chrono::year(static_cast<int>(fields.year)),
                                   std::chrono::month(fields.month + 1),
                                   std::chrono::day(fields.day)};
  // 60 is a leap second, which is counted as the one after it.
  if (!date.ok() || fields.hour > 23 || fields.minute > 59 || fields.second > 60) {
    return std::nullopt;
  }
  return sys_days(date) + std::chrono::hours(fields.hour) + std::chrono::minutes(fields.minute) +
         std::chrono::seconds(fields.second);
}

HttpDate::Seconds present() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

// RFC 9110 §5.6.7: more than 50 years in the future means the past century.
unsigned year_of_two_digits(unsigned year) {
  std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(present()));
  unsigned this_year = static_cast<unsigned>(int{today.year()});
  year += this_year / 100 * 100;
  if (year > this_year + 50) return year - 100;
  if (year + 50 <= this_year) return year + 100;
  return year;
}

}  // namespace

HttpDate::HttpDate(Seconds time) noexcept {
  auto days = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day date(days);
  std::chrono::hh_mm_ss clock(time - days);
  std::memcpy(text_, "Sun, 06 Nov 1994 08:49:37 GMT", sizeof text_);
  std::memcpy(text_, kDays.data() + std::chrono::weekday(days).c_encoding() * 3, 3);
  put_digits(text_ + 5, unsigned{date.day()}, 2);
  std::memcpy(text_ + 8, kMonths.data() + (unsigned{date.month()} - 1) * 3, 3);
  put_digits(text_ + 12, static_cast<unsigned>(int{date.year()}), 4);
  put_digits(text_ + 17, static_cast<unsigned>(clock.hours().count()), 2);
  put_digits(text_ + 20, static_cast<unsigned>(clock.minutes().count()), 2);
  put_digits(text_ + 23, static_cast<unsigned>(clock.seconds().count()), 2);
}

HttpDate HttpDate::now() noexcept {
  struct Cached {
    Seconds time{};
    HttpDate date{Seconds{}};
  };
  thread_local Cached cached;
  timespec coarse{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
  Seconds time{std::chrono::seconds(coarse.tv_sec)};
  if (cached.time != time) cached = {time, HttpDate(time)};
  return cached.date;
}

std::optional<HttpDate::Seconds> HttpDate::parse(std::string_view text) noexcept {
  Fields fields;
  unsigned weekday = 0;
  std::size_t comma = text.find(',');
  Reader reader(text);
  if (comma == 3) {
    reader.name(kDays, weekday).text(", ").number(2, fields.day).text(" ");
    reader.name(kMonths, fields.month).text(" ").number(4, fields.year).text(" ");
    fields.time(reader).text(" GMT");
  } else if (comma != std::string_view::npos) {
    reader.long_day().text(", ").number(2, fields.day).text("-");
    reader.name(kMonths, fields.month).text("-").number(2, fields.year).text(" ");
    fields.time(reader).text(" GMT");
    fields.year = year_of_two_digits(fields.year);
  } else {
    reader.name(kDays, weekday).text(" ").name(kMonths, fields.month).text(" ");
    reader.padded_number(fields.day).text(" ");
    fields.time(reader).text(" ").number(4, fields.year);
  }
  return reader.is_done() ? to_time(fields) : std::nullopt;
}

}  // namespace pingora
