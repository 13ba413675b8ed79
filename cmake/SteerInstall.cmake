# Rules for cmake --install: the engine as .a and .so, the headers, the shim's source with the CMake
# modules that build it in an application, the crates for pickers in Rust, a pkg-config file for the
# C interface, the library to preload under programs with the gRPC of this build, and the programs
# steer-top and steer-sim. The installed tree can be moved: no file in it contains its path.
#
# Must not depend on: how the engine is built.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(steer_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/steer)
set(steer_shim_dir ${CMAKE_INSTALL_DATADIR}/steer/cpp-shim)
set(steer_crates_dir ${CMAKE_INSTALL_DATADIR}/steer/crates)

foreach(file LICENSE NOTICE)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${file})
    install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DOCDIR})
  endif()
endforeach()

install(FILES ${STEER_ENGINE_DIR}/libsteer.a DESTINATION ${CMAKE_INSTALL_LIBDIR})
# Installed under its SONAME, with the symbolic link that linkers look for.
install(FILES ${STEER_ENGINE_DIR}/libsteer.so DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RENAME libsteer.so.1)
file(CREATE_LINK libsteer.so.1 ${CMAKE_CURRENT_BINARY_DIR}/libsteer.so SYMBOLIC)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libsteer.so DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(DIRECTORY cpp-shim/src/ DESTINATION ${steer_shim_dir})
install(FILES cmake/SteerCache.cmake cmake/SteerEngine.cmake cmake/SteerShim.cmake
        cmake/SteerFindGrpc.cmake
              cmake/SteerGrpcHeaders.cmake cmake/SteerGrpcNdebug.cmake cmake/SteerGrpcSdist.cmake
              cmake/SteerDownload.cmake cmake/grpc-sdists.txt cmake/pip-tools.txt
              cmake/SteerRust.cmake cmake/SteerRustPicker.cmake
        DESTINATION ${steer_cmake_dir})
install(DIRECTORY cmake/elf DESTINATION ${steer_cmake_dir})

# The crates, for users' pickers in Rust. Cargo needs the whole workspace; the engine is its root.
install(DIRECTORY crates/steer-abi crates/steer-sdk DESTINATION ${steer_crates_dir})
install(DIRECTORY src DESTINATION ${CMAKE_INSTALL_DATADIR}/steer)
install(FILES Cargo.toml build.rs DESTINATION ${CMAKE_INSTALL_DATADIR}/steer)

if(STEER_PROGRAMS)
  install(PROGRAMS ${STEER_PROGRAMS} DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# These two are compiled for one gRPC version, so their directory names it. Everything else serves
# any gRPC version.
if(STEER_BUILD_GRPC)
  # The path to libsteer.so. Only set if there is one: otherwise CMake pads the place for it in the
  # build tree's library with ':', and each of these means the current directory.
  if(BUILD_SHARED_LIBS)
    set_target_properties(steer-grpc PROPERTIES INSTALL_RPATH "\$ORIGIN/../..")
  endif()
  install(TARGETS steer-grpc-autoregister steer-grpc
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/steer/grpc-${STEER_GRPC_RELEASE})
endif()

set(steer_include_dir ${CMAKE_INSTALL_INCLUDEDIR})
set(steer_lib_dir ${CMAKE_INSTALL_LIBDIR})
configure_package_config_file(cmake/steerConfig.cmake.in steerConfig.cmake
  INSTALL_DESTINATION ${steer_cmake_dir} PATH_VARS steer_include_dir steer_lib_dir steer_shim_dir
  steer_crates_dir)
# Before 1.0 a minor version may change everything except the C interface.
write_basic_package_version_file(steerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/steerConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/steerConfigVersion.cmake
        DESTINATION ${steer_cmake_dir})

# steer.pc names the prefix relative to its own directory, ${pcfiledir}.
file(RELATIVE_PATH steer_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" steer_pc_prefix ${steer_pc_prefix})
list(TRANSFORM STEER_NATIVE_LIBS PREPEND -l OUTPUT_VARIABLE steer_pc_private)
list(JOIN steer_pc_private " " steer_pc_private)
configure_file(cmake/steer.pc.in steer.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/steer.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
