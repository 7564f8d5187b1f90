# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# c-ares (Debian: libc-ares-dev). Gives Cares::cares.

find_path(Cares_INCLUDE_DIR ares.h)
find_library(Cares_LIBRARY cares)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Cares REQUIRED_VARS Cares_LIBRARY Cares_INCLUDE_DIR)
if(Cares_FOUND AND NOT TARGET Cares::cares)
  add_library(Cares::cares UNKNOWN IMPORTED)
  set_target_properties(Cares::cares PROPERTIES IMPORTED_LOCATION "${Cares_LIBRARY}")
  target_include_directories(Cares::cares INTERFACE "${Cares_INCLUDE_DIR}")
endif()
mark_as_advanced(Cares_INCLUDE_DIR Cares_LIBRARY)
