# Copyright 2026 The Pingora C++ Authors
# SPDX-License-Identifier: Apache-2.0

include(CMakePackageConfigHelpers)

get_property(targets GLOBAL PROPERTY PINGORA_TARGETS)
install(TARGETS ${targets} EXPORT pingoraTargets FILE_SET HEADERS)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/pingora")
install(EXPORT pingoraTargets NAMESPACE pingora:: DESTINATION "${package_dir}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/cmake/modules" DESTINATION "${package_dir}")

get_property(packages GLOBAL PROPERTY PINGORA_PACKAGES)
list(REMOVE_DUPLICATES packages)
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/pingoraConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/pingoraConfig.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/pingoraConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/pingoraConfig.cmake"
              "${PROJECT_BINARY_DIR}/pingoraConfigVersion.cmake"
        DESTINATION "${package_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
if(TARGET pingora-proxy)
  install(TARGETS pingora-proxy)
endif()
