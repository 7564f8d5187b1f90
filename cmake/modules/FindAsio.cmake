# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# Standalone Asio (Debian: libasio-dev). Gives Asio::asio.

find_path(Asio_INCLUDE_DIR asio.hpp)
if(Asio_INCLUDE_DIR)
  file(STRINGS "${Asio_INCLUDE_DIR}/asio/version.hpp" Asio_VERSION REGEX "define ASIO_VERSION ")
  string(REGEX REPLACE ".*// ([0-9.]+).*" "\\1" Asio_VERSION "${Asio_VERSION}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Asio REQUIRED_VARS Asio_INCLUDE_DIR VERSION_VAR Asio_VERSION)
if(Asio_FOUND AND NOT TARGET Asio::asio)
  add_library(Asio::asio INTERFACE IMPORTED)
  target_include_directories(Asio::asio INTERFACE "${Asio_INCLUDE_DIR}")
endif()
mark_as_advanced(Asio_INCLUDE_DIR)
