# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0
#
# Brotli (Debian: libbrotli-dev). Gives Brotli::encoder and Brotli::decoder.

find_path(Brotli_INCLUDE_DIR brotli/encode.h)
find_library(Brotli_common_LIBRARY brotlicommon)
find_library(Brotli_encoder_LIBRARY brotlienc)
find_library(Brotli_decoder_LIBRARY brotlidec)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Brotli REQUIRED_VARS Brotli_encoder_LIBRARY
  Brotli_decoder_LIBRARY Brotli_common_LIBRARY Brotli_INCLUDE_DIR)
if(Brotli_FOUND AND NOT TARGET Brotli::encoder)
  foreach(part IN ITEMS encoder decoder)
    add_library(Brotli::${part} UNKNOWN IMPORTED)
    set_target_properties(Brotli::${part} PROPERTIES
                          IMPORTED_LOCATION "${Brotli_${part}_LIBRARY}")
    target_include_directories(Brotli::${part} INTERFACE "${Brotli_INCLUDE_DIR}")
    target_link_libraries(Brotli::${part} INTERFACE "${Brotli_common_LIBRARY}")
  endforeach()
endif()
mark_as_advanced(Brotli_INCLUDE_DIR Brotli_common_LIBRARY Brotli_encoder_LIBRARY
                 Brotli_decoder_LIBRARY)
