# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# nghttp2 (Debian: libnghttp2-dev). Gives Nghttp2::nghttp2.

find_path(Nghttp2_INCLUDE_DIR nghttp2/nghttp2.h)
find_library(Nghttp2_LIBRARY nghttp2)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Nghttp2 REQUIRED_VARS Nghttp2_LIBRARY Nghttp2_INCLUDE_DIR)
if(Nghttp2_FOUND AND NOT TARGET Nghttp2::nghttp2)
  add_library(Nghttp2::nghttp2 UNKNOWN IMPORTED)
  set_target_properties(Nghttp2::nghttp2 PROPERTIES IMPORTED_LOCATION "${Nghttp2_LIBRARY}")
  target_include_directories(Nghttp2::nghttp2 INTERFACE "${Nghttp2_INCLUDE_DIR}")
endif()
mark_as_advanced(Nghttp2_INCLUDE_DIR Nghttp2_LIBRARY)
