# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# cmake -D PROJECT=find_package|add_subdirectory -D SOURCE_DIR=... -D BUILD_DIR=... [-D SETTINGS=...]
#       -P consume.cmake
#
# Configures, builds and runs a consumer project, from nothing; for find_package against an
# installation of the build in BUILD_DIR.

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
run("${CMAKE_COMMAND}" -G Ninja -S "${SOURCE_DIR}/tests/consumers/${PROJECT}" -B "${work}"
    "${where}" ${SETTINGS})
run("${CMAKE_COMMAND}" --build "${work}" --target consumer)
run("${work}/consumer")
