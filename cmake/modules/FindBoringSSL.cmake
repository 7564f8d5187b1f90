# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# BoringSSL. Gives BoringSSL::ssl and BoringSSL::crypto.
#
# Looks in BORINGSSL_ROOT (a variable of CMake or the environment; cmake/build_boringssl.sh makes one)
# where static archives are preferred, or if there is none, where Debian's android-libboringssl-dev
# puts it. Never in the default places: OpenSSL's headers and libraries have the same names there.

if(NOT BORINGSSL_ROOT AND DEFINED ENV{BORINGSSL_ROOT})
  set(BORINGSSL_ROOT "$ENV{BORINGSSL_ROOT}")
endif()
set(BORINGSSL_ROOT "${BORINGSSL_ROOT}" CACHE PATH
    "Where BoringSSL is, for its static archives; empty: Debian's shared library")
set(_boringssl_headers /usr/include/android)
set(_boringssl_libraries "/usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/android" /usr/lib/android)
if(BORINGSSL_ROOT)
  set(_boringssl_headers "${BORINGSSL_ROOT}/include")
  set(_boringssl_libraries "${BORINGSSL_ROOT}/lib" "${BORINGSSL_ROOT}")
endif()
find_path(BoringSSL_INCLUDE_DIR openssl/is_boringssl.h PATHS ${_boringssl_headers} NO_DEFAULT_PATH)
foreach(_part IN ITEMS ssl crypto)
  find_library(BoringSSL_${_part}_LIBRARY NAMES lib${_part}.a ${_part}
               PATHS ${_boringssl_libraries} NO_DEFAULT_PATH)
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BoringSSL REQUIRED_VARS BoringSSL_ssl_LIBRARY
  BoringSSL_crypto_LIBRARY BoringSSL_INCLUDE_DIR)
if(BoringSSL_FOUND AND NOT TARGET BoringSSL::crypto)
  foreach(_part IN ITEMS crypto ssl)
    add_library(BoringSSL::${_part} UNKNOWN IMPORTED)
    set_target_properties(BoringSSL::${_part} PROPERTIES
                          IMPORTED_LOCATION "${BoringSSL_${_part}_LIBRARY}")
    target_include_directories(BoringSSL::${_part} SYSTEM INTERFACE "${BoringSSL_INCLUDE_DIR}")
  endforeach()
  target_link_libraries(BoringSSL::ssl INTERFACE BoringSSL::crypto)
  # An archive whose symbols have a prefix needs that said wherever its headers are read.
  if(EXISTS "${BoringSSL_INCLUDE_DIR}/boringssl_prefix_symbols.h")
    file(STRINGS "${BoringSSL_INCLUDE_DIR}/boringssl_prefix_symbols.h" _boringssl_define
         REGEX "^#define SSL_new ")
    string(REGEX REPLACE "^#define SSL_new (.*)_SSL_new$" "\\1" _boringssl_define
           "${_boringssl_define}")
    target_compile_definitions(BoringSSL::crypto INTERFACE BORINGSSL_PREFIX=${_boringssl_define})
    unset(_boringssl_define)
  endif()
  if(BoringSSL_crypto_LIBRARY MATCHES "\\.a$")
    # Its symbols are unversioned, and an archive built otherwise than by our script may have them
    # visible and with the names of OpenSSL's: they are not to leave what is linked with it, or a
    # libssl in the same process is bound to them.
    target_link_options(BoringSSL::crypto INTERFACE
                        "LINKER:--exclude-libs,libcrypto.a:libssl.a")
    find_package(Threads REQUIRED)
    target_link_libraries(BoringSSL::crypto INTERFACE Threads::Threads)
  endif()
endif()
unset(_boringssl_headers)
unset(_boringssl_libraries)
mark_as_advanced(BoringSSL_INCLUDE_DIR BoringSSL_ssl_LIBRARY BoringSSL_crypto_LIBRARY)
