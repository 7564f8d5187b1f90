# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0

include_guard(GLOBAL)
find_package(Catch2 2 REQUIRED)
include(Catch)

add_library(pingora_catch_main STATIC "${PROJECT_SOURCE_DIR}/tests/unit/main.cc")
pingora_target_defaults(pingora_catch_main)
target_link_libraries(pingora_catch_main PUBLIC Catch2::Catch2)

# Adds `target` from the test sources that follow, one ctest test with `label` per TEST_CASE.
# Tests see private headers: lib/ is on their include path. `pingora_test_prefix`, where it is set,
# goes before the tests' names.
function(pingora_add_catch_tests target label library)
  add_executable(${target} ${ARGN})
  pingora_target_defaults(${target})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/lib"
                             "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${target} PRIVATE ${library} pingora_catch_main)
  # Not for the lower floors: their tests are not to wait for the whole library.
  if(TARGET pingora::testing AND library MATCHES "::(pingora|proxy)$")
    target_link_libraries(${target} PRIVATE pingora::testing)
  endif()
  catch_discover_tests(${target} TEST_PREFIX "${pingora_test_prefix}" PROPERTIES LABELS ${label} TIMEOUT 120)
endfunction()
