// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A race of attempts, each of them beside what follows it:
//
//   race(0) = any of: attempt(0)
//                     race(1), 250 ms later or when attempt(0) has failed = any of: attempt(1), ...
//
// An attempt that fails lets the next begin and then waits for nothing, unless it was the last that
// was running: its error ends the race. So whatever comes out of any race ends all, and what still
// runs is cancelled on the way out.
#include "pingora/net/happy_eyeballs.h"

#include <algorithm>
#include <deque>

#include "pingora/runtime/combinators.h"
#include "pingora/runtime/event.h"
#include "pingora/runtime/timer.h"

namespace pingora {
namespace {

using StreamPtr = std::unique_ptr<Stream>;

// What the attempts share; lives in the frame of happy_eyeballs_connect.
struct Race {
  Race(std::vector<SocketAddress> of, const ConnectOptions& with, Duration delay)
      : addresses(std::move(of)), options(with), attempt_delay(delay), failed(addresses.size()) {}

  // All errors in one, of the first one's type.
  Error merged() {
    Error error = std::move(errors.front());
    std::string others;
    for (std::size_t i = 1; i < errors.size(); ++i) {
      others += "; ";
      others += errors[i].context();
    }
    if (others.empty()) return error;
    return Error::explain(error.type(), std::string(error.context()) + others);
  }

  std::vector<SocketAddress> addresses;
  const ConnectOptions& options;
  Duration attempt_delay;
  std::deque<Event> failed;  // of each attempt
  std::vector<Error> errors;
  Event never;
};

Task<StreamPtr> attempt(Race& race, std::size_t index) {
  auto result = co_await connect(race.addresses[index], race.options).as_result();
  if (result) co_return std::move(*result);
  race.errors.push_back(std::move(result.error()));
  if (race.errors.size() == race.addresses.size()) co_return race.merged();
  race.failed[index].set();
  co_await race.never.wait();
  co_return Error::internal("unreachable");
}

Task<> wait_for(Event& event) { co_await event.wait(); }
Task<> wait_for(Duration delay) { co_await sleep_for(delay); }

Task<StreamPtr> run_race(Race& race, std::size_t index);

Task<StreamPtr> run_later(Race& race, std::size_t index) {
  co_await when_any(wait_for(race.failed[index - 1]), wait_for(race.attempt_delay));
  co_return co_await run_race(race, index);
}

Task<StreamPtr> run_race(Race& race, std::size_t index) {
  if (index + 1 == race.addresses.size()) co_return co_await attempt(race, index);
  auto first = co_await when_any(attempt(race, index), run_later(race, index + 1));
  co_return std::visit([](Result<StreamPtr>& result) { return std::move(result); }, first);
}

}  // namespace

std::vector<SocketAddress> interleave_families(std::vector<SocketAddress> addresses) {
  if (addresses.empty()) return addresses;
  SocketAddress::Family first = addresses.front().family();
  std::vector<SocketAddress> others;
  std::vector<SocketAddress> firsts;
  for (SocketAddress& address : addresses) {
    (address.family() == first ? firsts : others).push_back(std::move(address));
  }
  std::vector<SocketAddress> mixed;
  for (std::size_t i = 0; i < std::max(firsts.size(), others.size()); ++i) {
    if (i < firsts.size()) mixed.push_back(std::move(firsts[i]));
    if (i < others.size()) mixed.push_back(std::move(others[i]));
  }
  return mixed;
}

Task<StreamPtr> happy_eyeballs_connect(std::vector<SocketAddress> addresses,
                                       const ConnectOptions& options, HappyEyeballsOptions pace) {
  if (addresses.empty()) co_return Error::explain(ErrorType::ResolveError, "no address to try");
  addresses = interleave_families(std::move(addresses));
  if (addresses.size() > pace.attempts_max) addresses.resize(std::max(pace.attempts_max, 1UL));
  if (addresses.size() == 1) co_return co_await connect(std::move(addresses.front()), options);
  Race race(std::move(addresses), options, pace.attempt_delay);
  co_return co_await run_race(race, 0);
}

}  // namespace pingora
