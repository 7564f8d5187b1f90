// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// The floor below every proxy's cost: passes requests on to one origin and responses back, with
// the system calls that this takes and next to nothing else. It trusts both sides: a request comes
// in one read, and a response says by Content-Length where it ends; while a client does not read,
// everybody waits.
//
//   relay PORT ORIGIN_PORT [close] [h2] [tls CHAIN KEY]
//
//   close  each connection of a client has one exchange; then it is closed. Without it, they are
//   kept h2     clients speak HTTP/2, and all ask for "/", which the origin answers in one packet
//   tls    to clients, with this certificate and its key (PEM)
//
// With `close` and without `tls`, a client whose request is there already is not watched: the relay
// does not notice one that leaves before its response is there. The end leaves together with the
// response, behind which nothing is expected.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "h2_end.h"
#include "tls_end.h"

namespace {

struct Options {
  int port = 0;
  int origin_port = 0;
  bool closes = false;
  bool is_h2 = false;
  const char* chain_file = nullptr;  // null: no TLS
  const char* key_file = nullptr;
};

struct Connection {
  int fd;
  bool is_upstream;
  Connection* other = nullptr;  // during an exchange; of a client with HTTP/2, nobody
  std::size_t left = 0;         // of the response's body; upstream
  std::uint32_t stream = 0;     // of HTTP/2 that is served; upstream
  // Of a client with TLS or HTTP/2.
  SSL* ssl = nullptr;
  std::string rest{};     // of a frame that is not whole
  std::string frames{};   // to be sent when all events have been looked at
  std::string records{};  // the same, encrypted
};

class Relay {
 public:
  explicit Relay(const Options& options)
      : epoll_(::epoll_create1(0)), origin_(loopback(options.origin_port)), options_(options) {
    if (options.chain_file != nullptr) {
      std::string_view protocols = options.is_h2 ? "\x02h2" : "\x08http/1.1";
      tls_ = std::make_unique<TlsEnd>(options.chain_file, options.key_file, protocols);
    }
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address = loopback(options.port);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(fd, 4096) != 0) {
      std::perror("relay");
      std::exit(1);
    }
    listener_ = make(fd);
    watch(*listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    for (;;) {
      std::array<epoll_event, 128> events;
      int count = ::epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        auto& connection = *static_cast<Connection*>(events[i].data.ptr);
        if (&connection == listener_) {
          accept_all();
        } else if (connection.fd >= 0) {
          pass_on(connection);
        }
      }
      for (Connection* client : waiting_) flush(*client);
      waiting_.clear();
      // None of their events is left.
      unused_.insert(unused_.end(), ended_.begin(), ended_.end());
      ended_.clear();
    }
  }

 private:
  static constexpr std::string_view kH2Request = "GET / HTTP/1.1\r\nHost: origin\r\n\r\n";
  static constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLET;

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  Connection* make(int fd, bool is_upstream = false) {
    if (unused_.empty()) return new Connection{.fd = fd, .is_upstream = is_upstream};
    Connection* connection = unused_.back();
    unused_.pop_back();
    connection->fd = fd;
    connection->is_upstream = is_upstream;
    connection->left = 0;
    return connection;
  }

  void watch(Connection& connection, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.ptr = &connection}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  // They block in a send.
  void accept_all() {
    for (int fd = 0; (fd = ::accept4(listener_->fd, nullptr, nullptr, 0)) >= 0;) {
      Connection& client = *make(fd);
      if (tls_) client.ssl = tls_->accept();
      if (options_.is_h2) send_later(client, H2End::kStart);
      bool has_one_read = options_.closes && !tls_;
      if (!has_one_read || !pass_on(client)) watch(client, kReading);
    }
  }

  Connection* upstream() {
    if (!idle_.empty()) {
      Connection* last = idle_.back();
      idle_.pop_back();
      return last;
    }
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ::connect(fd, reinterpret_cast<sockaddr*>(&origin_), sizeof(origin_));
    Connection* made = make(fd, true);
    if (options_.is_h2) upstreams_.push_back(made);
    watch(*made, kReading);
    return made;
  }

  // Reads until a read does not fill the buffer: the end of a stream comes alone. Returns false if
  // there was nothing.
  bool pass_on(Connection& from) {
    ssize_t size = 0;
    do {
      size = ::recv(from.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (size <= 0) break;
      auto bytes = static_cast<std::size_t>(size);
      if (from.is_upstream) {
        if (!pass_on_response(from, bytes)) break;
      } else if (from.ssl == nullptr) {
        on_client({buffer_.data(), bytes}, from);
      } else if (!on_records({buffer_.data(), bytes}, from)) {
        size = 0;
        break;
      }
    } while (static_cast<std::size_t>(size) == buffer_.size());
    if (size == 0) end(from);
    return size >= 0;
  }

  // Returns false at the end.
  bool on_records(std::string_view records, Connection& client) {
    text_.clear();
    if (tls_->decrypt(client.ssl, records, text_, client.records) == TlsEnd::State::Over)
      return false;
    // The ticket behind a handshake waits for the response.
    if (SSL_in_init(client.ssl) != 0) {
      send_all(client.fd, client.records, 0);
      client.records.clear();
    }
    if (!text_.empty()) on_client(text_, client);
    return true;
  }

  void on_client(std::span<char> bytes, Connection& client) {
    std::string_view text(bytes.data(), bytes.size());
    if (options_.is_h2) {
      H2End::read(client.rest, text, client.frames,
                  [&](std::uint32_t stream) { ask(client, kH2Request).stream = stream; });
      if (!client.frames.empty()) waiting_.push_back(&client);
    } else if (client.other == nullptr) {
      if (options_.closes) replace(bytes, "Connection: close", "X");
      client.other = &ask(client, text);
    }
  }

  // The connection to the origin that the client's request went out on.
  Connection& ask(Connection& client, std::string_view request) {
    Connection& asked = *upstream();
    asked.other = &client;
    send_all(asked.fd, request, 0);
    return asked;
  }

  // Returns false if nobody asked, or has asked no more.
  bool pass_on_response(Connection& upstream, std::size_t size) {
    Connection* client = upstream.other;
    if (client == nullptr) {
      end(upstream);
      return false;
    }
    bool is_first = upstream.left == 0;
    note_response(upstream, {buffer_.data(), size});
    bool is_last = upstream.left == 0;
    bool closes = options_.closes;
    if (closes && is_first) {
      replace({buffer_.data(), size}, "Connection: keep-alive", "Connection: close     ");
    }
    if (options_.is_h2) {
      if (client->frames.empty()) waiting_.push_back(client);
      H2End::write(upstream.stream, {buffer_.data(), size}, client->frames);
    } else {
      answer(*client, {buffer_.data(), size}, closes && is_last ? Behind::End : Behind::More);
    }
    if (!is_last) return true;
    upstream.other = nullptr;
    client->other = nullptr;
    idle_.push_back(&upstream);
    if (closes) end(*client);
    return true;
  }

  enum class Behind { More, End };

  void answer(Connection& client, std::string_view text, Behind behind) {
    int flags = behind == Behind::End ? MSG_MORE : 0;
    if (client.ssl == nullptr) return send_all(client.fd, text, flags);
    tls_->encrypt(client.ssl, text, client.records);
    if (behind == Behind::End) tls_->close(client.ssl, client.records);
    send_all(client.fd, client.records, flags);
    client.records.clear();
  }

  void send_later(Connection& client, std::string_view frames) {
    client.frames += frames;
    waiting_.push_back(&client);
  }

  // What has gathered while events were looked at. Not before a handshake is complete.
  void flush(Connection& client) {
    if (client.fd < 0 || client.frames.empty()) return;
    if (client.ssl != nullptr && SSL_in_init(client.ssl) != 0) return;
    answer(client, client.frames, Behind::More);
    client.frames.clear();
  }

  // Writes `by` where `text` begins.
  static void replace(std::span<char> bytes, std::string_view text, std::string_view by) {
    std::size_t at = std::string_view(bytes.data(), bytes.size()).find(text);
    if (at != std::string_view::npos) std::ranges::copy(by, bytes.data() + at);
  }

  static void send_all(int fd, std::string_view bytes, int flags) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | flags);
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      if (sent <= 0) return;
    }
  }

  static void note_response(Connection& upstream, std::string_view bytes) {
    if (upstream.left == 0) {
      constexpr std::string_view kLength = "Content-Length: ";
      std::size_t at = bytes.find(kLength);
      if (at != std::string_view::npos) {
        upstream.left = std::strtoull(bytes.data() + at + kLength.size(), nullptr, 10);
      }
      bytes.remove_prefix(std::min(bytes.find("\r\n\r\n"), bytes.size() - 4) + 4);
    }
    upstream.left -= std::min(upstream.left, bytes.size());
  }

  void end(Connection& connection) {
    std::erase(idle_, &connection);
    if (options_.is_h2 && !connection.is_upstream) {
      for (Connection* each : upstreams_) {
        if (each->other == &connection) each->other = nullptr;
      }
    } else if (connection.other != nullptr) {
      connection.other->other = nullptr;
    }
    connection.other = nullptr;
    if (connection.ssl != nullptr) SSL_free(std::exchange(connection.ssl, nullptr));
    connection.rest.clear();
    connection.frames.clear();
    connection.records.clear();
    ::close(std::exchange(connection.fd, -1));
    ended_.push_back(&connection);
  }

  int epoll_;
  sockaddr_in origin_;
  Options options_;
  std::unique_ptr<TlsEnd> tls_;
  Connection* listener_ = nullptr;
  std::vector<Connection*> idle_;
  std::vector<Connection*> ended_;      // in this turn, whose events may name them
  std::vector<Connection*> unused_;     // to be used again
  std::vector<Connection*> upstreams_;  // with HTTP/2: all there ever were
  std::vector<Connection*> waiting_;    // with frames to be sent
  std::string text_;                    // that was decrypted
  std::array<char, 18 * 1024> buffer_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  Options options{.port = std::atoi(argv[1]), .origin_port = std::atoi(argv[2])};
  for (int i = 3; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word == "close") {
      options.closes = true;
    } else if (word == "h2") {
      options.is_h2 = true;
    } else if (word == "tls" && i + 2 < argc) {
      options.chain_file = argv[++i];
      options.key_file = argv[++i];
    } else {
      return 2;
    }
  }
  Relay(options).run();
}
