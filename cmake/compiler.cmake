# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# Which compilers are accepted, and how everything of ours is compiled.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13
   AND NOT PINGORA_ALLOW_GCC12)
  message(FATAL_ERROR
    "Pingora needs clang 19, or GCC 13 or later: GCC ${CMAKE_CXX_COMPILER_VERSION} silently "
    "miscompiles coroutines (GCC PR 106188 and others).\n"
    "Use `cmake --preset dev`, or -DCMAKE_CXX_COMPILER=clang++-19 in a fresh build directory. "
    "To build with this compiler all the same, set -DPINGORA_ALLOW_GCC12=ON.")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  # Before 19, clang hides libstdc++'s std::expected (P2493, __cpp_concepts).
  message(FATAL_ERROR "Pingora needs clang 19 or later; this is ${CMAKE_CXX_COMPILER_VERSION}.")
endif()

set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

# What follows changes the whole build, which is not ours to do inside another project.
if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_RUNTIME_OUTPUT_DIRECTORY)
    set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
  endif()
  set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

  if(PINGORA_SANITIZE)
    add_compile_options(-fsanitize=${PINGORA_SANITIZE} -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${PINGORA_SANITIZE})
  endif()
  if(PINGORA_COVERAGE)
    add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
    add_link_options(-fprofile-instr-generate)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    include(CheckLinkerFlag)
    check_linker_flag(CXX -fuse-ld=lld PINGORA_HAVE_LLD)
    if(PINGORA_HAVE_LLD)
      add_link_options(-fuse-ld=lld)
    endif()
    if(PINGORA_LTO AND PINGORA_HAVE_LLD)
      # Machine code beside the bitcode: the libraries that are installed link without LTO, with any
      # linker.
      add_compile_options(-flto=thin -ffat-lto-objects)
      add_link_options(-flto=thin -Wl,--fat-lto-objects
                       "-Wl,--thinlto-cache-dir=${PROJECT_BINARY_DIR}/thinlto")
    endif()
  endif()

  find_program(PINGORA_CCACHE_PROGRAM ccache)
  if(PINGORA_CCACHE AND PINGORA_CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Relative paths let all checkouts of this project share the cache.
    set(PINGORA_CCACHE_ENVIRONMENT "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env ${PINGORA_CCACHE_ENVIRONMENT}
        "${PINGORA_CCACHE_PROGRAM}")
  endif()
endif()

# Language level and warnings for every target of ours, libraries, tests and programs alike.
function(pingora_target_defaults target)
  target_compile_features(${target} PUBLIC cxx_std_23)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic)
  if(PINGORA_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
