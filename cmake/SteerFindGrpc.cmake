# Finds the gRPC that the application uses: a target that it already has (find_package(gRPC CONFIG),
# add_subdirectory or FetchContent, before Steer), else pkg-config's.
#
# Must not know: Steer's shim, gRPC's internal headers.
include_guard(GLOBAL)

set(STEER_GRPC_VERSION "" CACHE STRING
    "gRPC's version, where neither its CMake package nor pkg-config says it")

# Sets, for the caller:
#   STEER_GRPC_TARGET      gRPC's C++ library as a target
#   STEER_GRPC_RELEASE     its version, as 1.51.1. Never grpc_version_string(), which is the core's own.
#   STEER_GRPC_BUILT_HERE  the directory of its source if it is built in this very build, else empty
macro(steer_find_grpc)
  _steer_grpc_target(STEER_GRPC_TARGET STEER_GRPC_RELEASE)
  set(STEER_GRPC_BUILT_HERE "")
  get_target_property(_steer_imported ${STEER_GRPC_TARGET} IMPORTED)
  if(NOT _steer_imported)
    get_target_property(STEER_GRPC_BUILT_HERE ${STEER_GRPC_TARGET} SOURCE_DIR)
  endif()
endmacro()

function(_steer_grpc_target target_out version_out)
  set(version ${STEER_GRPC_VERSION})
  # The plain names are what gRPC's own CMakeLists.txt makes; older ones make no gRPC:: alias. The
  # unsecure library will do where it is the only one: only headers and the way it was built count.
  foreach(name gRPC::grpc++ grpc++ gRPC::grpc++_unsecure grpc++_unsecure)
    if(TARGET ${name})
      set(target ${name})
      break()
    endif()
  endforeach()

  if(target)
    get_target_property(real ${target} ALIASED_TARGET)
    if(real)
      set(target ${real})
    endif()
    get_target_property(imported ${target} IMPORTED)
    if(NOT version AND NOT imported)
      get_target_property(version ${target} VERSION)
    elseif(NOT version)
      # Its variables may have stayed in another scope; its targets are there, so this only reads them.
      if(NOT gRPC_VERSION)
        find_package(gRPC CONFIG QUIET)
      endif()
      set(version ${gRPC_VERSION})
    endif()
  else()
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
      pkg_search_module(STEER_GRPC_PKG QUIET IMPORTED_TARGET grpc++ grpc++_unsecure)
    endif()
    if(NOT STEER_GRPC_PKG_FOUND)
      message(FATAL_ERROR
        "Steer found no gRPC to build steer::grpc against. Either have its target before Steer "
        "(find_package(gRPC CONFIG), or gRPC by add_subdirectory or FetchContent), or install it so "
        "that `pkg-config grpc++` knows it (Debian, Ubuntu: apt install pkg-config libgrpc++-dev). "
        "For the C interface alone no gRPC is needed: -DSTEER_BUILD_GRPC=OFF, or "
        "find_package(steer COMPONENTS engine) of an installed Steer.")
    endif()
    set(target PkgConfig::STEER_GRPC_PKG)
    if(NOT version)
      set(version ${STEER_GRPC_PKG_VERSION})
    endif()
  endif()

  # What follows the numbers ("-dev", "-pre1") has the headers of the release.
  if(NOT version MATCHES "^[0-9]+\\.[0-9]+(\\.[0-9]+)?")
    message(FATAL_ERROR "Steer cannot tell the version of gRPC from its target ${target}. "
                        "Say it: -DSTEER_GRPC_VERSION=1.51.1, for example.")
  endif()
  set(${target_out} ${target} PARENT_SCOPE)
  set(${version_out} ${CMAKE_MATCH_0} PARENT_SCOPE)
endfunction()
