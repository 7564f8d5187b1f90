// Copyright 2026 The Pingora C++ Authors
// SPDX-License-Identifier: Apache-2.0
//
// What nghttp2 calls: each callback finds the engine, and the stream where there is one.
#include <new>

#include "h2/engine_impl.h"

namespace pingora::h2 {

struct Engine::Impl::Callbacks {
  static Impl& self(void* user_data) noexcept { return *static_cast<Impl*>(user_data); }

  static int begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user_data) {
    return self(user_data).on_frame_begin(*head);
  }
  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    return self(user_data).on_head_begin(*frame);
  }
  static int header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t, void* user_data) {
    return self(user_data).on_field({reinterpret_cast<const char*>(name), name_size},
                                    {reinterpret_cast<const char*>(value), value_size});
  }
  static int data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                  std::size_t size, void* user_data) {
    return self(user_data).on_data(id, {reinterpret_cast<const char*>(data), size});
  }
  static int frame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    return self(user_data).on_frame(*frame);
  }
  // A stream error that nghttp2 found, and has queued a RST_STREAM for.
  static int invalid_frame(nghttp2_session*, const nghttp2_frame*, int, void* user_data) {
    return self(user_data).charge_reset();
  }
  static int stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t code,
                          void* user_data) {
    auto* stream = static_cast<StreamState*>(nghttp2_session_get_stream_user_data(session, id));
    return stream != nullptr ? self(user_data).on_stream_closed(*stream, code) : 0;
  }
  // Of frames of unknown types: they have been counted.
  static int unpack_extension(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) {
    return NGHTTP2_ERR_CANCEL;
  }
  static ssize_t read_data(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t size_max,
                           std::uint32_t* flags, nghttp2_data_source* source, void* user_data) {
    return self(user_data).on_read_data(*static_cast<StreamState*>(source->ptr), size_max, *flags);
  }
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head,
                       std::size_t size, nghttp2_data_source* source, void* user_data) {
    return self(user_data).on_send_data(*static_cast<StreamState*>(source->ptr), *frame,
                                        {reinterpret_cast<const char*>(head), kFrameHeadSize},
                                        size);
  }
  static int frame_send(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    return self(user_data).on_frame_sent(*frame);
  }
  static int frame_not_send(nghttp2_session*, const nghttp2_frame* frame, int, void* user_data) {
    return self(user_data).on_frame_not_sent(*frame);
  }
};

nghttp2_session_callbacks* Engine::Impl::callbacks() {
  // Never changed again, and used by all engines.
  static nghttp2_session_callbacks* const all = [] {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, &Callbacks::begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, &Callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, &Callbacks::header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, &Callbacks::data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, &Callbacks::frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, &Callbacks::invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, &Callbacks::stream_close);
    nghttp2_session_callbacks_set_unpack_extension_callback(made, &Callbacks::unpack_extension);
    nghttp2_session_callbacks_set_send_data_callback(made, &Callbacks::send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, &Callbacks::frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, &Callbacks::frame_not_send);
    return made;
  }();
  return all;
}

nghttp2_data_provider Engine::Impl::data_provider(StreamState& stream) noexcept {
  return {.source = {.ptr = &stream}, .read_callback = &Callbacks::read_data};
}

}  // namespace pingora::h2
