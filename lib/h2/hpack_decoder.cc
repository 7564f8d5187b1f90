// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
#include "h2/hpack_decoder.h"

#include <new>

namespace pingora::h2 {
namespace {

const std::uint8_t* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

}  // namespace

HpackDecoder::HpackDecoder(Memory& memory) : memory_(memory) {
  if (nghttp2_hd_inflate_new2(&inflater_, memory.callbacks()) != 0) throw std::bad_alloc();
}

HpackDecoder::~HpackDecoder() {
  memory_.bring_back();
  nghttp2_hd_inflate_del(inflater_);
}

bool HpackDecoder::set_table_size(std::uint32_t bytes) noexcept {
  memory_.bring_back();
  return nghttp2_hd_inflate_change_table_size(inflater_, bytes) == 0;
}

std::ptrdiff_t HpackDecoder::decode_some(std::string_view bytes, nghttp2_nv& field,
                                         int& flags) noexcept {
  return nghttp2_hd_inflate_hd2(inflater_, &field, &flags, bytes_of(bytes), bytes.size(), 0);
}

HpackDecoder::Status HpackDecoder::finish() noexcept {
  memory_.bring_back();
  nghttp2_nv field;
  int flags = 0;
  auto status = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, nullptr, 0, 1);
  nghttp2_hd_inflate_end_headers(inflater_);
  return status < 0 ? status_of(status) : Status::Ok;
}

}  // namespace pingora::h2
