# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# One static library per line of layers.txt: pingora_<folder>, with the alias pingora::<folder>.

include(GNUInstallDirs)
include("${CMAKE_CURRENT_LIST_DIR}/vendors.cmake")

# Splits "a | b c | d" into a list with one element per column, "a;b c;d", each stripped.
function(pingora_split_row row out)
  string(REPLACE "|" ";" cells "${row}")
  set(stripped "")
  foreach(cell IN LISTS cells)
    string(STRIP "${cell}" cell)
    list(APPEND stripped "${cell}")
  endforeach()
  set(${out} "${stripped}" PARENT_SCOPE)
endfunction()

# Adds the library of `folder`, linked to `below` (targets) and to its vendors.
function(pingora_add_floor folder below vendors)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/lib/${folder}/*.cc")
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/pingora/${folder}/*.h")
  if(NOT sources AND NOT headers)
    return()
  endif()
  set(target pingora_${folder})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    pingora_target_defaults(${target})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/lib")
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
    target_compile_features(${target} INTERFACE cxx_std_23)
  endif()
  add_library(pingora::${folder} ALIAS ${target})
  target_sources(${target} ${scope} FILE_SET HEADERS
                 BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${folder}
                        VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
  target_link_libraries(${target} ${scope} ${below})
  foreach(vendor IN LISTS vendors)
    pingora_link_vendor(${target} ${scope} ${vendor})
  endforeach()
  pingora_precompile(${target} ${folder})
  set_property(GLOBAL APPEND PROPERTY PINGORA_TARGETS ${target})
endfunction()

# Reads layers.txt from the lowest floor to the highest. A folder that has no file yet is skipped,
# and the folders above it are linked to what it would have brought them.
function(pingora_add_floors)
  set(file "${PROJECT_SOURCE_DIR}/cmake/layers.txt")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(STRINGS "${file}" rows REGEX "^[0-9]")
  set(folders "")
  foreach(row IN LISTS rows)
    pingora_split_row("${row}" cells)
    list(GET cells 1 folder)
    list(GET cells 2 on)
    list(GET cells 3 vendors)
    separate_arguments(on)
    separate_arguments(vendors)
    set(closure_${folder} "")
    foreach(lower IN LISTS on)
      if(NOT lower IN_LIST folders)
        message(FATAL_ERROR "layers.txt: ${folder} is on ${lower}, which no line above declares")
      endif()
      list(APPEND closure_${folder} ${lower} ${closure_${lower}})
    endforeach()
    list(REMOVE_DUPLICATES closure_${folder})
    list(APPEND folders ${folder})
    set(below "")
    foreach(lower IN LISTS closure_${folder})
      if(TARGET pingora_${lower})
        list(APPEND below pingora_${lower})
      endif()
    endforeach()
    pingora_add_floor(${folder} "${below}" "${vendors}")
  endforeach()

  # What programs link: everything but what only their tests need.
  add_library(pingora INTERFACE)
  add_library(pingora::pingora ALIAS pingora)
  get_property(targets GLOBAL PROPERTY PINGORA_TARGETS)
  list(REMOVE_ITEM targets pingora_testing)
  target_link_libraries(pingora INTERFACE ${targets})
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/pingora/*.h")
  target_sources(pingora INTERFACE FILE_SET HEADERS
                 BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  set_target_properties(pingora PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${PROJECT_IS_TOP_LEVEL})
  set_property(GLOBAL APPEND PROPERTY PINGORA_TARGETS pingora)
endfunction()

# Precompiles the standard library, and Asio where a folder is on it.
function(pingora_precompile target folder)
endfunction()
