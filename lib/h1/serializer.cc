// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "pingora/h1/serializer.h"

#include <cstring>

#include "pingora/base/assert.h"
#include "pingora/http/field_syntax.h"

namespace pingora::h1 {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// Writes into memory that is known to be large enough.
class Writer {
 public:
  explicit Writer(char* at) noexcept : at_(at) {}

  void text(std::string_view text) noexcept {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void line_end() noexcept {
    std::memcpy(at_, kLineEnd.data(), 2);
    at_ += 2;
  }
  void field(std::string_view name, std::string_view value) noexcept {
    text(name);
    std::memcpy(at_, ": ", 2);
    at_ += 2;
    text(value);
    line_end();
  }
  void character(char c) noexcept { *at_++ = c; }
  char* at() const noexcept { return at_; }

 private:
  char* at_;
};

constexpr std::size_t field_size(std::size_t name, std::size_t value) { return name + value + 4; }

// The fields of a map but for some, as runs of bytes.
template <class Skip>
class FieldWriter {
 public:
  FieldWriter(const HeaderMap& headers, Skip skip) noexcept : headers_(headers), skip_(skip) {}

  // An upper bound: what is skipped counts too.
  std::size_t size_max() const noexcept {
    std::size_t size = 0;
    for (const HeaderMap::Entry& entry : headers_.entries()) {
      size += (entry.flags & HeaderMap::kVerbatim) != 0
                  ? static_cast<std::size_t>(end_of(entry) - entry.name)
                  : field_size(entry.name_size, entry.value_size);
    }
    return size;
  }

  void write(Writer& out) const noexcept {
    const char* run = nullptr;
    const char* run_end = nullptr;
    for (const HeaderMap::Entry& entry : headers_.entries()) {
      if (skip_(entry)) continue;
      if ((entry.flags & HeaderMap::kVerbatim) != 0) {
        if (entry.name != run_end) {
          out.text({run, static_cast<std::size_t>(run_end - run)});
          run = entry.name;
        }
        run_end = end_of(entry);
        continue;
      }
      out.text({run, static_cast<std::size_t>(run_end - run)});
      run = run_end = nullptr;
      out.field(entry.name_view(), entry.value_view());
    }
    out.text({run, static_cast<std::size_t>(run_end - run)});
  }

 private:
  // Behind the line end of a verbatim line.
  static const char* end_of(const HeaderMap::Entry& entry) noexcept {
    return entry.value + entry.value_size + kLineEnd.size();
  }

  const HeaderMap& headers_;
  Skip skip_;
};

Result<std::size_t> extra_size(std::span<const ExtraField> fields) {
  std::size_t size = 0;
  for (const ExtraField& field : fields) {
    bool is_name =
        field.name.is_static() ? !field.name.text().empty() : is_token(field.name.text());
    if (!is_name) {
      return fail(ErrorType::InvalidHttpHeader, "an added field's name is not a token");
    }
    if (!is_field_value(field.value)) {
      return fail(ErrorType::InvalidHttpHeader, "an added field's value has a control byte in it");
    }
    size += field_size(field.name.text().size(), field.value.size());
  }
  return size;
}

// Writes the fields and the empty line; `write_start_line` writes at most `start_line_size` bytes.
template <class WriteStartLine>
Result<void> write_head(const HeaderMap& headers, const HeadEdits& edits,
                        std::size_t start_line_size, Buffer& out, WriteStartLine write_start_line) {
  std::size_t extra = 0;
  if (!edits.add.empty()) {
    Result<std::size_t> size = extra_size(edits.add);
    if (!size) return std::unexpected(std::move(size.error()));
    extra = *size;
  }
  HeaderIdSet skip = edits.skip;
  const HopByHopFields* nominated = nullptr;
  if (edits.hop_by_hop != nullptr) {
    skip = skip | edits.hop_by_hop->known();
    if (edits.hop_by_hop->has_unknown()) nominated = edits.hop_by_hop;
  }
  auto is_skipped = [&](const HeaderMap::Entry& entry) {
    return skip.contains(entry.id) ||
           (nominated != nullptr && nominated->contains(entry.id, entry.name_view()));
  };
  FieldWriter fields(headers, is_skipped);
  std::size_t size_max = start_line_size + fields.size_max() + extra + kLineEnd.size();
  std::span<char> room = out.prepare(size_max);
  Writer writer(room.data());
  write_start_line(writer);
  fields.write(writer);
  for (const ExtraField& field : edits.add) writer.field(field.name.text(), field.value);
  writer.line_end();
  auto written = static_cast<std::size_t>(writer.at() - room.data());
  PINGORA_ASSERT(written <= size_max);
  out.commit(written);
  return {};
}

}  // namespace

Result<void> write_request_head(const RequestHeader& request, const HeadEdits& edits, Buffer& out) {
  std::string_view target = request.raw_target();
  if (request.target_form() == TargetForm::Absolute && edits.target == WriteTarget::Origin) {
    target = request.path_and_query();
  }
  Method method = request.method();
  std::string_view method_text = method.text();
  std::string_view version = to_string(edits.version);
  std::size_t size = method_text.size() + target.size() + version.size() + 4;
  return write_head(request.headers(), edits, size, out, [&](Writer& writer) {
    writer.text(method_text);
    writer.character(' ');
    writer.text(target);
    writer.character(' ');
    writer.text(version);
    writer.line_end();
  });
}

Result<void> write_response_head(const ResponseHeader& response, const HeadEdits& edits,
                                 Buffer& out) {
  int status = response.status();
  std::string_view reason = response.reason_phrase();
  std::string_view version = to_string(edits.version);
  std::size_t size = version.size() + 5 + reason.size() + kLineEnd.size();
  return write_head(response.headers(), edits, size, out, [&](Writer& writer) {
    writer.text(version);
    writer.character(' ');
    writer.character(static_cast<char>('0' + status / 100));
    writer.character(static_cast<char>('0' + status / 10 % 10));
    writer.character(static_cast<char>('0' + status % 10));
    writer.character(' ');
    writer.text(reason);
    writer.line_end();
  });
}

ChunkHead::ChunkHead(std::uint64_t size) noexcept : begin_(sizeof text_ - kLineEnd.size()) {
  PINGORA_ASSERT(size != 0);
  std::memcpy(text_ + begin_, kLineEnd.data(), kLineEnd.size());
  for (; size != 0; size >>= 4) text_[--begin_] = "0123456789abcdef"[size & 0xf];
}

void write_trailers(const HeaderMap& trailers, Buffer& out) {
  constexpr std::string_view kZeroChunk = "0\r\n";
  FieldWriter fields(
      trailers, [](const HeaderMap::Entry& entry) { return is_forbidden_in_trailers(entry.id); });
  std::size_t size_max = kZeroChunk.size() + fields.size_max() + kLineEnd.size();
  std::span<char> room = out.prepare(size_max);
  Writer writer(room.data());
  writer.text(kZeroChunk);
  fields.write(writer);
  writer.line_end();
  out.commit(static_cast<std::size_t>(writer.at() - room.data()));
}

}  // namespace pingora::h1
