# Installs programs, libraries and headers, and exports troupe::libagent and troupe::actors for find_package.
include(CMakePackageConfigHelpers)

set(troupe_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/troupe")

install(TARGETS libagent actors EXPORT troupe_targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/libagent" "${PROJECT_SOURCE_DIR}/actors"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/troupe"
        FILES_MATCHING PATTERN "*.hpp")
foreach(program troupe hostwatch)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/examples" DESTINATION "${CMAKE_INSTALL_DATADIR}/troupe"
        PATTERN "*.db*" EXCLUDE)

install(EXPORT troupe_targets NAMESPACE troupe:: DESTINATION "${troupe_package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/troupeConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/cmake/troupeConfig.cmake"
                              INSTALL_DESTINATION "${troupe_package_dir}"
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/cmake/troupeConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/cmake/troupeConfig.cmake"
              "${PROJECT_BINARY_DIR}/cmake/troupeConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake"
        DESTINATION "${troupe_package_dir}")
