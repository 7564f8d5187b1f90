// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
// A channel of c-ares for each look-up, driven by poll on the thread of the blocking pool that the
// look-up has anyway. Nothing is shared between look-ups, and a changed resolv.conf or hosts file
// counts from the next one on.
#include <ares.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <optional>

#include "pingora/net/resolver.h"

namespace pingora {
namespace {

class DnsChannel {
 public:
  DnsChannel() noexcept = default;
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;
  ~DnsChannel() {
    if (channel_ != nullptr) ::ares_destroy(channel_);
  }

  /// Returns what c-ares says: ARES_SUCCESS, or why not.
  int open(const DnsOptions& options) {
    static const int initialized = ::ares_library_init(ARES_LIB_INIT_ALL);
    if (initialized != ARES_SUCCESS) return initialized;
    ares_options settings{};
    settings.timeout = static_cast<int>(options.timeout.count());
    settings.tries = options.tries;
    int status = ::ares_init_options(&channel_, &settings, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (status != ARES_SUCCESS || options.servers.empty()) return status;
    return ::ares_set_servers_ports_csv(channel_, options.servers.c_str());
  }

  Result<ResolvedName> look_up(const std::string& host, int family) {
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    ::ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &on_answer, this);
    while (status_ == std::nullopt) wait();
    if (*status_ == ARES_SUCCESS) return std::move(answer_);
    return fail(ErrorType::ResolveError, host + ": " + ::ares_strerror(*status_));
  }

 private:
  static void on_answer(void* self, int status, int /*timeouts*/, ares_addrinfo* found) {
    auto& channel = *static_cast<DnsChannel*>(self);
    channel.status_ = status;
    if (found == nullptr) return;
    channel.keep(*found);
    ::ares_freeaddrinfo(found);
  }

  void keep(const ares_addrinfo& found) {
    std::optional<int> ttl;
    auto lower = [&ttl](int other) { ttl = ttl ? std::min(*ttl, other) : other; };
    for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
      answer_.addresses.push_back(SocketAddress::from_sockaddr(node->ai_addr, node->ai_addrlen));
      lower(node->ai_ttl);
    }
    for (const auto* alias = found.cnames; alias != nullptr; alias = alias->next) {
      lower(alias->ttl);
    }
    if (ttl) answer_.ttl = std::chrono::seconds(*ttl);
  }

  // Waits for the sockets that c-ares has open, or its next timeout. Not ares_fds and select: they
  // know no descriptors above 1023.
  void wait() {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    auto mask = static_cast<unsigned>(
        ::ares_getsock(channel_, sockets.data(), static_cast<int>(sockets.size())));
    std::array<pollfd, ARES_GETSOCK_MAXNUM> polled{};
    nfds_t count = 0;
    for (unsigned i = 0; i < sockets.size(); ++i) {
      bool reads = ARES_GETSOCK_READABLE(mask, i) != 0;
      bool writes = ARES_GETSOCK_WRITABLE(mask, i) != 0;
      if (!reads && !writes) break;
      int events = (reads ? POLLIN : 0) | (writes ? POLLOUT : 0);
      polled[count++] = {sockets[i], static_cast<short>(events), 0};
    }
    timeval longest{.tv_sec = 1, .tv_usec = 0};
    timeval next{};
    const timeval* timeout = ::ares_timeout(channel_, &longest, &next);
    auto wait_ms = static_cast<int>(timeout->tv_sec * 1000 + (timeout->tv_usec + 999) / 1000);
    int ready = ::poll(polled.data(), count, wait_ms);
    if (ready <= 0) ::ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (nfds_t i = 0; ready > 0 && i < count; ++i) {
      bool failed = (polled[i].revents & (POLLERR | POLLHUP)) != 0;
      bool reads = failed || (polled[i].revents & POLLIN) != 0;
      bool writes = (polled[i].revents & POLLOUT) != 0;
      if (!reads && !writes) continue;
      ::ares_process_fd(channel_, reads ? polled[i].fd : ARES_SOCKET_BAD,
                        writes ? polled[i].fd : ARES_SOCKET_BAD);
    }
  }

  ares_channel channel_ = nullptr;
  std::optional<int> status_;
  ResolvedName answer_;
};

int family_of(DnsOptions::Families families) {
  switch (families) {
    case DnsOptions::Families::Both: return AF_UNSPEC;
    case DnsOptions::Families::Ipv4: return AF_INET;
    case DnsOptions::Families::Ipv6: return AF_INET6;
  }
  return AF_UNSPEC;
}

}  // namespace

NameLookup dns_lookup(DnsOptions options) {
  return [options = std::move(options)](const std::string& host) -> Result<ResolvedName> {
    DnsChannel channel;
    int status = channel.open(options);
    if (status != ARES_SUCCESS) {
      return fail(ErrorType::ResolveError, host + ": " + ::ares_strerror(status));
    }
    return channel.look_up(host, family_of(options.families));
  };
}

}  // namespace pingora
