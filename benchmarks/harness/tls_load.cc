// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// A client for the handshake scenarios: each connection makes a TLS 1.3 handshake and one GET, and
// the next one begins. Closed loop, one thread. wrk can do that too, but it never resumes a
// session.
//
//   tls_load PORT SECONDS CONNECTIONS full|resume
//
// With `resume` a connection offers the newest ticket of its predecessor in the same slot, each
// ticket once. Prints one line of JSON: `offered` counts the requests whose connection had a ticket
// to offer, `resumed` those of them that the server resumed. With `full`, a resumed one is an
// error.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kRequest =
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

enum class State { Connecting, Handshake, Answer };

// One connection after the other.
struct Slot {
  int fd = -1;
  State state = State::Connecting;
  std::unique_ptr<SSL, FreeSsl> ssl;
  std::unique_ptr<SSL_SESSION, FreeSsl> ticket;
  bool has_offered = false;
  std::string received;
};

struct Tally {
  std::size_t requests = 0;
  std::size_t offered = 0;
  std::size_t resumed = 0;
  std::size_t errors = 0;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(2);
}

bool is_complete(std::string_view answer) {
  constexpr std::string_view kLength = "ontent-Length: ";
  auto head = answer.find("\r\n\r\n");
  if (head == std::string_view::npos) return false;
  auto field = answer.find(kLength);
  if (field == std::string_view::npos) field = answer.find("ontent-length: ");
  std::size_t length = 0;
  if (field != std::string_view::npos) {
    std::from_chars(answer.data() + field + kLength.size(), answer.data() + head, length);
  }
  return answer.size() >= head + 4 + length;
}

class Generator {
 public:
  Generator(int port, bool resumes) : port_(port), resumes_(resumes) {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set1_groups_list(context, "X25519:P-256");
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keep_ticket);
  }

  Tally run(double seconds, int connections) {
    auto end = Clock::now() + std::chrono::duration<double>(seconds);
    slots_.resize(static_cast<std::size_t>(connections));
    for (Slot& slot : slots_) begin(slot);
    epoll_event events[64];
    while (Clock::now() < end) {
      int count = epoll_wait(epoll_, events, 64, 100);
      for (int i = 0; i < count; ++i) advance(*static_cast<Slot*>(events[i].data.ptr));
    }
    return tally_;
  }

 private:
  static int keep_ticket(SSL* ssl, SSL_SESSION* session) {
    static_cast<Slot*>(SSL_get_app_data(ssl))->ticket.reset(session);
    return 1;  // it is ours now
  }

  void begin(Slot& slot) {
    slot.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (slot.fd < 0) fail("socket");
    int on = 1;
    setsockopt(slot.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(slot.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    slot.state = State::Connecting;
    slot.received.clear();
    slot.ssl.reset(SSL_new(context_.get()));
    SSL_set_app_data(slot.ssl.get(), &slot);
    SSL_set_fd(slot.ssl.get(), slot.fd);
    slot.has_offered = resumes_ && slot.ticket != nullptr;
    if (slot.has_offered) SSL_set_session(slot.ssl.get(), slot.ticket.get());
    slot.ticket.reset();  // each once
    SSL_set_connect_state(slot.ssl.get());
    watch(EPOLL_CTL_ADD, slot, EPOLLOUT);
  }

  void watch(int operation, Slot& slot, unsigned events) {
    epoll_event event{.events = events, .data = {.ptr = &slot}};
    if (epoll_ctl(epoll_, operation, slot.fd, &event) != 0) fail("epoll_ctl");
  }

  void advance(Slot& slot) {
    if (slot.state == State::Connecting) {
      slot.state = State::Handshake;
      watch(EPOLL_CTL_MOD, slot, EPOLLIN);
    }
    if (slot.state == State::Handshake) {
      int done = SSL_do_handshake(slot.ssl.get());
      if (done != 1) {
        if (SSL_get_error(slot.ssl.get(), done) != SSL_ERROR_WANT_READ) next(slot, false);
        return;
      }
      // Small enough for the socket's buffer at once.
      SSL_write(slot.ssl.get(), kRequest.data(), static_cast<int>(kRequest.size()));
      slot.state = State::Answer;
    }
    read(slot);
  }

  void read(Slot& slot) {
    char block[16384];
    for (;;) {
      int size = SSL_read(slot.ssl.get(), block, sizeof(block));
      if (size <= 0) {
        if (SSL_get_error(slot.ssl.get(), size) != SSL_ERROR_WANT_READ) next(slot, false);
        return;
      }
      slot.received.append(block, static_cast<std::size_t>(size));
      if (is_complete(slot.received)) {
        next(slot, slot.received.starts_with("HTTP/1.1 200"));
        return;
      }
    }
  }

  void next(Slot& slot, bool is_answered) {
    bool is_resumed = is_answered && SSL_session_reused(slot.ssl.get()) == 1;
    if (is_answered && is_resumed <= slot.has_offered) {
      ++tally_.requests;
      tally_.offered += slot.has_offered ? 1 : 0;
      tally_.resumed += is_resumed ? 1 : 0;
      SSL_shutdown(slot.ssl.get());
    } else {
      ++tally_.errors;
    }
    close(slot.fd);
    begin(slot);
  }

  int port_;
  bool resumes_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::unique_ptr<SSL_CTX, FreeSsl> context_{SSL_CTX_new(TLS_client_method())};
  std::vector<Slot> slots_;
  Tally tally_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: tls_load PORT SECONDS CONNECTIONS full|resume\n");
    return 2;
  }
  Generator generator(std::atoi(argv[1]), std::string_view(argv[4]) == "resume");
  auto begin = Clock::now();
  Tally tally = generator.run(std::atof(argv[2]), std::atoi(argv[3]));
  std::chrono::duration<double> seconds = Clock::now() - begin;
  std::printf(
      "{\"requests\": %zu, \"seconds\": %.3f, \"offered\": %zu, \"resumed\": %zu, "
      "\"errors\": %zu}\n",
      tally.requests, seconds.count(), tally.offered, tally.resumed, tally.errors);
}
