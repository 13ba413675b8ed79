# cmake --install: the engine as .a and .so, the headers, the shim's source with the CMake modules that
# build it in an application, a pkg-config file for the C interface alone, and the library to preload
# under programs of the gRPC that was found. The tree can be moved: nothing in it names the place where
# it was installed.
#
# Must not know: how the engine is built.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(steer_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/steer)
set(steer_shim_dir ${CMAKE_INSTALL_DATADIR}/steer/cpp-shim)
set(steer_crates_dir ${CMAKE_INSTALL_DATADIR}/steer/crates)

install(FILES ${STEER_ENGINE_DIR}/libsteer.a DESTINATION ${CMAKE_INSTALL_LIBDIR})
# By its SONAME, with the link that linkers look for.
install(FILES ${STEER_ENGINE_DIR}/libsteer.so DESTINATION ${CMAKE_INSTALL_LIBDIR} RENAME libsteer.so.1)
file(CREATE_LINK libsteer.so.1 ${CMAKE_CURRENT_BINARY_DIR}/libsteer.so SYMBOLIC)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/libsteer.so DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(DIRECTORY cpp-shim/src/ DESTINATION ${steer_shim_dir})
install(FILES cmake/SteerCache.cmake cmake/SteerEngine.cmake cmake/SteerShim.cmake cmake/SteerFindGrpc.cmake
              cmake/SteerGrpcHeaders.cmake cmake/SteerGrpcNdebug.cmake cmake/SteerGrpcSdist.cmake
              cmake/SteerDownload.cmake cmake/grpc-sdists.txt cmake/pip-tools.txt
              cmake/SteerRust.cmake cmake/SteerRustPicker.cmake
        DESTINATION ${steer_cmake_dir})
install(DIRECTORY cmake/elf DESTINATION ${steer_cmake_dir})

# The crates, for users' pickers in Rust: cargo wants the whole workspace, of which the engine is the root.
install(DIRECTORY crates/steer-abi crates/steer-sdk DESTINATION ${steer_crates_dir})
install(DIRECTORY src DESTINATION ${CMAKE_INSTALL_DATADIR}/steer)
install(FILES Cargo.toml build.rs DESTINATION ${CMAKE_INSTALL_DATADIR}/steer)

# All else serves any gRPC; this one was compiled for one, and says so by its directory.
if(STEER_BUILD_GRPC)
  # To find libsteer.so. Without it there is nothing to find, and CMake would fill up the place for this path
  # in the build tree's library with ':', each of which stands for the current directory.
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
# Before 1.0 a minor version may change anything but the C interface.
write_basic_package_version_file(steerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/steerConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/steerConfigVersion.cmake
        DESTINATION ${steer_cmake_dir})

# pkg-config's own place, ${pcfiledir}, is where the prefix is counted from.
file(RELATIVE_PATH steer_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" steer_pc_prefix ${steer_pc_prefix})
list(TRANSFORM STEER_NATIVE_LIBS PREPEND -l OUTPUT_VARIABLE steer_pc_private)
list(JOIN steer_pc_private " " steer_pc_private)
configure_file(cmake/steer.pc.in steer.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/steer.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
