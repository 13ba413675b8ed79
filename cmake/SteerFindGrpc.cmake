# Finds the application's gRPC: a target that exists before Steer is added (by
# find_package(gRPC CONFIG), add_subdirectory or FetchContent), or else pkg-config's.
#
# Must not depend on: Steer's shim, gRPC's internal headers.
include_guard(GLOBAL)

set(STEER_GRPC_VERSION "" CACHE STRING
    "gRPC's version, if neither its CMake package nor pkg-config tells it")

# Sets for the caller:
#   STEER_GRPC_TARGET      gRPC's C++ library as a target
#   STEER_GRPC_RELEASE     its version, such as 1.51.1. This is not grpc_version_string(), which is
#                          the version of gRPC's core
#   STEER_GRPC_BUILT_HERE  its source directory if this build builds gRPC; otherwise empty
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
  # gRPC's own CMakeLists.txt makes the plain names; older versions make no gRPC:: aliases. The
  # unsecure library is sufficient if it is the only one: the shim only needs headers and flags.
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
      # Its variables may be in another scope. Its targets exist, so this only sets the variables.
      if(NOT gRPC_VERSION)
        find_package(gRPC CONFIG QUIET)
      endif()
      set(version ${gRPC_VERSION})
    endif()
  else()
    _steer_grpc_of_pkg_config(target pkg_config_version)
    if(NOT target)
      message(FATAL_ERROR
        "Steer found no gRPC to build steer::grpc against. Do one of these:\n"
        "  - make gRPC's target before Steer: find_package(gRPC CONFIG), add_subdirectory or "
        "FetchContent\n"
        "  - install gRPC so that `pkg-config grpc++` finds it (Debian, Ubuntu: apt install "
        "pkg-config libgrpc++-dev)\n"
        "  - use only the C interface, which needs no gRPC: -DSTEER_BUILD_GRPC=OFF, or "
        "find_package(steer COMPONENTS engine) with an installed Steer")
    endif()
    if(NOT version)
      set(version ${pkg_config_version})
    endif()
  endif()

  # Ignore a suffix such as "-dev" or "-pre1": the headers are those of the release.
  if(NOT version MATCHES "^[0-9]+\\.[0-9]+(\\.[0-9]+)?")
    message(FATAL_ERROR "Steer cannot tell the version of gRPC from its target ${target}. "
                        "Set it, for example -DSTEER_GRPC_VERSION=1.51.1.")
  endif()
  set(${target_out} ${target} PARENT_SCOPE)
  set(${version_out} ${CMAKE_MATCH_0} PARENT_SCOPE)
endfunction()

# Makes a target from pkg-config's gRPC; leaves the outputs empty if pkg-config does not know it.
# Runs pkg-config twice itself: pkg_check_modules runs it a dozen times, and each run takes seconds
# for gRPC, because pkg-config follows every path through Abseil's two hundred packages.
function(_steer_grpc_of_pkg_config target_out version_out)
  find_package(PkgConfig QUIET)
  if(NOT PkgConfig_FOUND)
    return()
  endif()
  # Search CMAKE_PREFIX_PATH as pkg_check_modules does.
  set(path $ENV{PKG_CONFIG_PATH})
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
    foreach(lib lib lib64 lib/${CMAKE_LIBRARY_ARCHITECTURE} share)
      string(APPEND path :${prefix}/${lib}/pkgconfig)
    endforeach()
  endforeach()
  set(ask ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${path} ${PKG_CONFIG_EXECUTABLE})
  foreach(module grpc++ grpc++_unsecure)
    execute_process(COMMAND ${ask} --modversion ${module} RESULT_VARIABLE unknown
                    OUTPUT_VARIABLE version
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${ask} --cflags --libs ${module} RESULT_VARIABLE broken
                    OUTPUT_VARIABLE flags
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(unknown OR broken)
      continue()
    endif()
    separate_arguments(flags UNIX_COMMAND "${flags}")
    set(dirs ${flags})
    list(FILTER dirs INCLUDE REGEX "^-I")
    list(TRANSFORM dirs REPLACE "^-I" "")
    set(options ${flags})
    list(FILTER options INCLUDE REGEX "^-[Df]")
    list(FILTER flags EXCLUDE REGEX "^-[IDf]")
    add_library(steer_pkg_config_grpc INTERFACE IMPORTED GLOBAL)
    target_include_directories(steer_pkg_config_grpc INTERFACE ${dirs})
    target_compile_options(steer_pkg_config_grpc INTERFACE ${options})
    target_link_libraries(steer_pkg_config_grpc INTERFACE ${flags})
    set(${target_out} steer_pkg_config_grpc PARENT_SCOPE)
    set(${version_out} ${version} PARENT_SCOPE)
    return()
  endforeach()
endfunction()
