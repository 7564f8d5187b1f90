// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/net/resolver.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "pingora/runtime/event.h"
#include "pingora/runtime/offload.h"

namespace pingora {
namespace {

// One look-up, and later its answer. Owned by the cache, by those who wait for it and by the thread
// that looks.
struct Entry {
  Event is_done;
  // Written before `is_done` is set, constant from then on.
  std::optional<Result<ResolvedName>> result;
  TimePoint expiry = kNever;  // guarded by the cache's mutex; kNever while it is being looked up
};

// Names are the same in any case, and with a final dot.
std::string canonical_name(std::string host) {
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (host.ends_with('.')) host.pop_back();
  return host;
}

std::vector<SocketAddress> with_port(const ResolvedName& name, std::uint16_t port) {
  std::vector<SocketAddress> addresses = name.addresses;
  for (SocketAddress& address : addresses) address.set_port(port);
  return addresses;
}

Result<SocketAddress> parse_numeric(std::string_view host, std::uint16_t port) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return SocketAddress::parse(host, port);
}

}  // namespace

class Resolver::State {
 public:
  explicit State(ResolverOptions options) : options_(std::move(options)) {
    if (!options_.lookup) options_.lookup = dns_lookup();
  }

  // The entry for `host`, fresh or being looked up; `is_new` if the caller is to look it up.
  std::shared_ptr<Entry> find_or_add(const std::string& host, bool* is_new) {
    std::lock_guard lock(mutex_);
    TimePoint now = options_.now();
    auto [at, added] = entries_.try_emplace(host);
    if (!added && at->second->expiry > now) return at->second;
    *is_new = true;
    ++lookup_count_;
    at->second = std::make_shared<Entry>();
    auto entry = at->second;
    if (entries_.size() > options_.entries_max) make_room(now);
    return entry;
  }

  // On a thread of the blocking pool.
  void look_up(const std::string& host, const std::shared_ptr<Entry>& entry) {
    entry->result.emplace(look_up_caught(host));
    {
      std::lock_guard lock(mutex_);
      entry->expiry = options_.now() + ttl_of(*entry->result);
    }
    entry->is_done.set();
  }

  // There was no look-up; the next one to ask tries again.
  void give_up(const std::string& host, Entry& entry, Error error) {
    entry.result.emplace(
        fail(Error::because(ErrorType::ResolveError, host, std::move(error).into_in())));
    {
      std::lock_guard lock(mutex_);
      entry.expiry = TimePoint::min();
    }
    entry.is_done.set();
  }

  void clear() {
    std::lock_guard lock(mutex_);
    entries_.clear();
  }
  std::size_t size() const {
    std::lock_guard lock(mutex_);
    return entries_.size();
  }
  std::uint64_t lookup_count() const {
    std::lock_guard lock(mutex_);
    return lookup_count_;
  }

 private:
  // The look-up may be the program's own: nothing that it throws passes.
  Result<ResolvedName> look_up_caught(const std::string& host) {
    try {
      auto result = options_.lookup(host);
      if (result && result->addresses.empty()) {
        return fail(ErrorType::ResolveError, host + " has no address");
      }
      return result;
    } catch (...) {
      return fail(
          Error::because(ErrorType::ResolveError, host, internal::error_from_current_exception()));
    }
  }

  std::chrono::seconds ttl_of(const Result<ResolvedName>& result) const {
    if (!result) return options_.negative_ttl;
    if (result->ttl.count() < 0) return options_.ttl_default;
    return std::clamp(result->ttl, options_.ttl_min, options_.ttl_max);
  }

  // Drops what is over; and if that is nothing, what ends first. Rare: the cap is far away.
  void make_room(TimePoint now) {
    std::erase_if(entries_, [now](const auto& pair) { return pair.second->expiry <= now; });
    if (entries_.size() <= options_.entries_max) return;
    auto first = std::min_element(
        entries_.begin(), entries_.end(),
        [](const auto& a, const auto& b) { return a.second->expiry < b.second->expiry; });
    entries_.erase(first);
  }

  ResolverOptions options_;
  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
  std::uint64_t lookup_count_ = 0;
};

Resolver::Resolver(ResolverOptions options) : state_(std::make_shared<State>(std::move(options))) {}
Resolver::~Resolver() = default;

Task<std::vector<SocketAddress>> Resolver::resolve(std::string host, std::uint16_t port) {
  if (auto numeric = parse_numeric(host, port)) {
    co_return std::vector<SocketAddress>{std::move(*numeric)};
  }
  host = canonical_name(std::move(host));
  if (host.empty()) co_return Error::explain(ErrorType::ResolveError, "an empty host name");
  bool is_new = false;
  std::shared_ptr<Entry> entry = state_->find_or_add(host, &is_new);
  if (is_new) {
    Strand& strand = co_await current_strand();
    try {
      internal::submit_blocking(strand,
                                [state = state_, host, entry] { state->look_up(host, entry); });
    } catch (...) {  // no thread to be had: the others that wait for this entry learn it too
      state_->give_up(host, *entry, internal::error_from_current_exception());
    }
  }
  co_await entry->is_done.wait();
  if (!*entry->result) co_return entry->result->error().clone();
  co_return with_port(**entry->result, port);
}

void Resolver::clear() { state_->clear(); }
std::size_t Resolver::size() const { return state_->size(); }
std::uint64_t Resolver::lookup_count() const { return state_->lookup_count(); }

}  // namespace pingora
