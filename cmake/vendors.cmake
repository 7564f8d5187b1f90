# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# How each vendor named in layers.txt is found and linked. A vendor is looked for when the first
# folder that needs it exists, and pingoraConfig.cmake looks for the same ones.

# Finds `package`, and has installed copies of this library find it too.
macro(pingora_find_vendor package)
  find_package(${package} REQUIRED)
  set_property(GLOBAL APPEND PROPERTY PINGORA_PACKAGES ${package})
endmacro()

# Links `target` to `vendor`. `scope` is PUBLIC for a compiled library, INTERFACE for a folder of
# headers only, which can have no vendor that is private.
function(pingora_link_vendor target scope vendor)
  if(vendor STREQUAL "fmt")
    pingora_find_vendor(fmt)
    target_link_libraries(${target} ${scope} fmt::fmt-header-only)
    return()
  elseif(vendor STREQUAL "asio")
    pingora_find_vendor(Asio)
    target_link_libraries(${target} ${scope} Asio::asio)
    target_compile_definitions(${target} ${scope} ASIO_STANDALONE ASIO_SEPARATE_COMPILATION
                               ASIO_NO_DEPRECATED)
    return()
  elseif(vendor STREQUAL "threads")
    set(THREADS_PREFER_PTHREAD_FLAG ON)
    pingora_find_vendor(Threads)
    target_link_libraries(${target} ${scope} Threads::Threads)
    return()
  endif()

  if(scope STREQUAL "INTERFACE")
    return()
  elseif(vendor STREQUAL "nghttp2")
    pingora_find_vendor(Nghttp2)
    target_link_libraries(${target} PRIVATE Nghttp2::nghttp2)
  elseif(vendor STREQUAL "c-ares")
    pingora_find_vendor(Cares)
    target_link_libraries(${target} PRIVATE Cares::cares)
  elseif(vendor STREQUAL "zlib")
    pingora_find_vendor(ZLIB)
    target_link_libraries(${target} PRIVATE ZLIB::ZLIB)
  elseif(vendor STREQUAL "brotli")
    pingora_find_vendor(Brotli)
    target_link_libraries(${target} PRIVATE Brotli::encoder Brotli::decoder)
  elseif(vendor STREQUAL "zstd")
    pingora_find_vendor(Zstd)
    target_link_libraries(${target} PRIVATE Zstd::zstd)
  elseif(vendor STREQUAL "boringssl")
    pingora_find_vendor(BoringSSL)
    target_link_libraries(${target} PRIVATE BoringSSL::ssl BoringSSL::crypto)
  elseif(vendor STREQUAL "yaml-cpp")
    pingora_find_vendor(yaml-cpp)
    target_link_libraries(${target} PRIVATE yaml-cpp)
  elseif(vendor STREQUAL "cli11")
    # Headers only, and only in our sources: an installed copy does not need it.
    find_package(CLI11 REQUIRED)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:CLI11::CLI11>)
  else()
    message(FATAL_ERROR "layers.txt names the vendor ${vendor}, which vendors.cmake does not know")
  endif()
endfunction()
