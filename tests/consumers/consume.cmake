# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# cmake -D PROJECT=find_package|add_subdirectory|beside_openssl -D SOURCE_DIR=... -D BUILD_DIR=... [-D SETTINGS=...]
#       -P consume.cmake
#
# Configures, builds and runs a consumer project, from nothing; for find_package against an
# installation of the build in BUILD_DIR, for beside_openssl with a static BoringSSL, which is built
# in BUILD_DIR if it is not there.

# Beside BUILD_DIR, so that the compiler cache sees the paths it knows from there.
set(work "${BUILD_DIR}_consumer_${PROJECT}")
file(REMOVE_RECURSE "${work}")

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(where "-DPINGORA_SOURCE_DIR=${SOURCE_DIR}")
if(PROJECT STREQUAL "find_package")
  run("${CMAKE_COMMAND}" --install "${BUILD_DIR}" --prefix "${work}/prefix")
  set(where "-DCMAKE_PREFIX_PATH=${work}/prefix")
endif()
if(PROJECT STREQUAL "beside_openssl")
  set(boringssl "${BUILD_DIR}/boringssl")
  execute_process(COMMAND "${SOURCE_DIR}/cmake/build_boringssl.sh" "${boringssl}"
                  RESULT_VARIABLE result)
  if(result EQUAL 77)  # the test knows this by its output
    return()
  elseif(NOT result EQUAL 0)
    message(FATAL_ERROR "build_boringssl.sh failed: ${result}")
  endif()
  list(APPEND SETTINGS "-DBORINGSSL_ROOT=${boringssl}")
endif()
run("${CMAKE_COMMAND}" -G Ninja -S "${SOURCE_DIR}/tests/consumers/${PROJECT}" -B "${work}"
    "${where}" ${SETTINGS})
run("${CMAKE_COMMAND}" --build "${work}" --target consumer)
run("${work}/consumer")

if(PROJECT STREQUAL "beside_openssl")
  # Nothing of BoringSSL is to be seen from outside, under whatever name.
  execute_process(COMMAND nm --dynamic --defined-only --format=posix "${work}/consumer"
                  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  if(symbols MATCHES "(^|\n)([A-Za-z0-9_]*(bssl|SSL_|CRYPTO_|EVP_|X509_)[A-Za-z0-9_]*) ")
    message(FATAL_ERROR "a symbol of BoringSSL is exported: ${CMAKE_MATCH_2}")
  endif()
endif()
