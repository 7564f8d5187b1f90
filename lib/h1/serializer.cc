// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/serializer.h"

#include <cstring>
#include <type_traits>

#include "http/byte_scan.h"
#include "pingora/base/assert.h"
#include "pingora/http/field_syntax.h"

namespace pingora::h1 {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// Copies bytes that are few most of the time: without a call for up to 32.
inline void copy_short(char* to, const char* from, std::size_t size) noexcept {
  // The first and the last ones of a fixed size, which may overlap.
  auto both_ends = [&]<std::size_t kSize>(std::integral_constant<std::size_t, kSize>) {
    char first[kSize];
    char last[kSize];
    std::memcpy(first, from, kSize);
    std::memcpy(last, from + size - kSize, kSize);
    std::memcpy(to, first, kSize);
    std::memcpy(to + size - kSize, last, kSize);
  };
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    both_ends(std::integral_constant<std::size_t, 16>());
  } else if (size >= 8) {
    both_ends(std::integral_constant<std::size_t, 8>());
  } else if (size >= 4) {
    both_ends(std::integral_constant<std::size_t, 4>());
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

// Writes behind what is in a buffer. Nothing is readable there before `commit`.
class Writer {
 public:
  explicit Writer(Buffer& out) : out_(out) { make_room(kRoomMin); }

  void text(std::string_view text) {
    reserve(text.size());
    put(text);
  }
  // As a literal: its size is known when this is compiled.
  template <std::size_t kSize>
  void literal(const char (&text)[kSize]) {
    reserve(kSize - 1);
    put_literal(text);
  }
  void field(std::string_view name, std::string_view value) {
    reserve(name.size() + value.size() + 4);
    put(name);
    put_literal(": ");
    put(value);
    put_literal("\r\n");
  }
  void commit() noexcept { out_.commit(static_cast<std::size_t>(at_ - begin_)); }

 private:
  static constexpr std::size_t kRoomMin = 512;

  void put(std::string_view text) noexcept {
    copy_short(at_, text.data(), text.size());
    at_ += text.size();
  }
  template <std::size_t kSize>
  void put_literal(const char (&text)[kSize]) noexcept {
    std::memcpy(at_, text, kSize - 1);
    at_ += kSize - 1;
  }
  void reserve(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) make_room(size);
  }
  [[gnu::noinline]] void make_room(std::size_t size) {
    if (at_ != begin_) commit();
    std::span<char> room = out_.prepare(size);
    at_ = begin_ = room.data();
    end_ = begin_ + room.size();
  }

  Buffer& out_;
  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

// Writes the fields of a map but for some, as runs of bytes.
template <class Skip>
void write_fields(const HeaderMap& headers, Skip is_skipped, Writer& out) {
  const char* run = nullptr;
  const char* run_end = nullptr;
  auto end_run = [&] {
    if (run != run_end) out.text({run, static_cast<std::size_t>(run_end - run)});
  };
  for (const HeaderMap::Entry& entry : headers.entries()) {
    if (is_skipped(entry)) continue;
    if ((entry.flags & HeaderMap::kVerbatim) != 0) {
      if (entry.name != run_end) {
        end_run();
        run = entry.name;
      }
      run_end = entry.value + entry.value_size + kLineEnd.size();
      continue;
    }
    end_run();
    run = run_end = nullptr;
    out.field(entry.name_view(), entry.value_view());
  }
  end_run();
}

Result<void> check_fields(std::span<const ExtraField> fields) {
  for (const ExtraField& field : fields) {
    std::string_view name = field.name.text();
    bool is_name = field.name.is_static() ? !name.empty() : is_token(name);
    if (!is_name) {
      return fail(ErrorType::InvalidHttpHeader, "an added field's name is not a token");
    }
    if (!internal::is_short_and_plain(field.value) && !is_field_value(field.value)) {
      return fail(ErrorType::InvalidHttpHeader, "an added field's value has a control byte in it");
    }
  }
  return {};
}

// Writes the fields and the empty line behind what `write_start_line` writes.
template <class WriteStartLine>
Result<void> write_head(const HeaderMap& headers, const HeadEdits& edits, Buffer& out,
                        WriteStartLine write_start_line) {
  if (!edits.add.empty()) {
    if (Result<void> checked = check_fields(edits.add); !checked) return checked;
  }
  HeaderIdSet skip = edits.skip;
  const HopByHopFields* nominated = nullptr;
  if (edits.hop_by_hop != nullptr) {
    skip = skip | edits.hop_by_hop->known();
    if (edits.hop_by_hop->has_unknown()) nominated = edits.hop_by_hop;
  }
  Writer writer(out);
  write_start_line(writer);
  auto is_known = [&](const HeaderMap::Entry& entry) { return skip.contains(entry.id); };
  if (nominated == nullptr) {
    write_fields(headers, is_known, writer);
  } else {
    auto is_skipped = [&](const HeaderMap::Entry& entry) {
      return is_known(entry) || nominated->contains(entry.id, entry.name_view());
    };
    write_fields(headers, is_skipped, writer);
  }
  for (const ExtraField& field : edits.add) writer.field(field.name.text(), field.value);
  writer.literal("\r\n");
  writer.commit();
  return {};
}

}  // namespace

Result<void> write_request_head(const RequestHeader& request, const HeadEdits& edits, Buffer& out) {
  std::string_view target = request.raw_target();
  if (request.target_form() == TargetForm::Absolute && edits.target == WriteTarget::Origin) {
    target = request.path_and_query();
  }
  return write_head(request.headers(), edits, out, [&](Writer& writer) {
    if (request.method() == Method::Get) {
      writer.literal("GET ");
    } else {
      writer.text(request.method().text());
      writer.literal(" ");
    }
    writer.text(target);
    if (edits.version == Version::Http11) {
      writer.literal(" HTTP/1.1\r\n");
    } else {
      writer.literal(" ");
      writer.text(to_string(edits.version));
      writer.literal("\r\n");
    }
  });
}

Result<void> write_response_head(const ResponseHeader& response, const HeadEdits& edits,
                                 Buffer& out) {
  return write_head(response.headers(), edits, out, [&](Writer& writer) {
    int status = response.status();
    std::string_view reason = response.reason_phrase();
    bool is_usual =
        status == 200 && edits.version == Version::Http11 && internal::is_exactly(reason, "OK");
    if (is_usual) {
      writer.literal("HTTP/1.1 200 OK\r\n");
      return;
    }
    auto digit = [](int number) { return static_cast<char>('0' + number % 10); };
    char code[] = {' ', digit(status / 100), digit(status / 10), digit(status), ' '};
    writer.text(to_string(edits.version));
    writer.text({code, sizeof code});
    writer.text(reason);
    writer.literal("\r\n");
  });
}

ChunkHead::ChunkHead(std::uint64_t size) noexcept : begin_(sizeof text_ - kLineEnd.size()) {
  PINGORA_ASSERT(size != 0);
  std::memcpy(text_ + begin_, kLineEnd.data(), kLineEnd.size());
  for (; size != 0; size >>= 4) text_[--begin_] = "0123456789abcdef"[size & 0xf];
}

void write_trailers(const HeaderMap& trailers, Buffer& out) {
  Writer writer(out);
  writer.literal("0\r\n");
  auto is_forbidden = [](const HeaderMap::Entry& entry) {
    return is_forbidden_in_trailers(entry.id);
  };
  write_fields(trailers, is_forbidden, writer);
  writer.literal("\r\n");
  writer.commit();
}

}  // namespace pingora::h1
