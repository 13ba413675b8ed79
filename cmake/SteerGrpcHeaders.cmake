# Finds gRPC's internal headers (src/core/...), which no package installs. Looks in
# STEER_GRPC_SOURCE_DIR, in the source of a gRPC that this build builds, and in PyPI's source
# package of the same version.
#
# Must not depend on: how a source package is fetched, which files include the headers.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerGrpcSdist.cmake)

set(STEER_GRPC_SOURCE_DIR "" CACHE PATH
    "An unpacked source tree of the application's gRPC, for its internal headers")

# Sets ${out} to a file that every source tree of this version contains.
function(_steer_grpc_landmark out version)
  if(version VERSION_LESS 1.49)
    set(${out} src/core/ext/filters/client_channel/lb_policy.h PARENT_SCOPE)
  elseif(version VERSION_LESS 1.62)
    set(${out} src/core/lib/load_balancing/lb_policy.h PARENT_SCOPE)
  else()
    set(${out} src/core/load_balancing/lb_policy.h PARENT_SCOPE)
  endif()
endfunction()

# Sets ${out} to the include directories of a source tree. Later headers include generated ones.
function(steer_grpc_include_dirs out version root)
  set(dirs ${root})
  if(version VERSION_GREATER_EQUAL 1.60)
    list(APPEND dirs ${root}/src/core/ext/upb-gen ${root}/src/core/ext/upbdefs-gen
         ${root}/third_party/upb ${root}/third_party/utf8_range)
  endif()
  set(${out} ${dirs} PARENT_SCOPE)
endfunction()

# Fails if `root` is the source of another minor version. Patch levels have the same headers.
function(_steer_grpc_check_version version root)
  set(file ${root}/src/python/grpcio/grpc_version.py)
  if(NOT EXISTS ${file})
    return()
  endif()
  file(STRINGS ${file} line REGEX "^VERSION *=")
  string(REGEX MATCH "[0-9]+\\.[0-9]+" there "${line}")
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" here ${version})
  if(there AND NOT there STREQUAL here)
    message(FATAL_ERROR "Steer: STEER_GRPC_SOURCE_DIR=${root} is gRPC ${there}, but the "
                        "application's gRPC is ${version}. With headers of another version, the "
                        "program would crash.")
  endif()
endfunction()

# Fails if the shim does not support this gRPC. A newer gRPC than those supported may work: then its
# own headers are required, and the compiler decides.
function(_steer_grpc_check_range version built_here)
  steer_grpc_range(oldest newest)
  string(REGEX MATCH "^[0-9]+[.][0-9]+" minor ${version})
  set(words "Steer supports gRPC ${oldest} to ${newest}, and the application's gRPC is ${version}.")
  if(minor VERSION_LESS oldest)
    message(FATAL_ERROR "${words} Use a newer gRPC. The C interface alone needs no gRPC: "
                        "-DSTEER_BUILD_GRPC=OFF, or find_package(steer COMPONENTS engine) with an "
                        "installed Steer.")
  elseif(minor VERSION_GREATER newest)
    if(NOT STEER_GRPC_SOURCE_DIR AND NOT built_here AND NOT STEER_GRPC_SDIST_SHA256)
      message(FATAL_ERROR "${words} Use a newer Steer. To try this one, set "
                          "-DSTEER_GRPC_SOURCE_DIR=<an unpacked source tree of gRPC ${version}>.")
    endif()
    message(WARNING "${words} This combination is not tested.")
  endif()
endfunction()

# Sets ${out} to the include directories of gRPC's internal headers, or fails with an explanation.
function(steer_grpc_internal_headers out version built_here)
  _steer_grpc_check_range(${version} "${built_here}")
  _steer_grpc_landmark(landmark ${version})
  set(build_says "this build builds no gRPC")
  if(STEER_GRPC_SOURCE_DIR)
    set(root ${STEER_GRPC_SOURCE_DIR})
    if(NOT EXISTS ${root}/${landmark})
      message(FATAL_ERROR "Steer: STEER_GRPC_SOURCE_DIR=${root} is not a source tree of gRPC "
                          "${version}: it has no ${landmark}.")
    endif()
    _steer_grpc_check_version(${version} ${root})
  elseif(built_here AND EXISTS ${built_here}/${landmark})
    set(root ${built_here})
  else()
    if(built_here)
      set(build_says "${built_here} has no ${landmark}")
    endif()
    steer_grpc_sdist(root why ${version})
    if(NOT root)
      message(FATAL_ERROR
        "Steer needs the internal headers (src/core/...) of gRPC ${version}, which no package "
        "installs. It looked in three places:\n"
        "  1. -DSTEER_GRPC_SOURCE_DIR=<an unpacked source tree of gRPC ${version}>: not set\n"
        "  2. the source of a gRPC in the same build (FetchContent, add_subdirectory): "
        "${build_says}\n"
        "  3. the source package grpcio==${version}, fetched once and cached: ${why}")
    endif()
  endif()
  message(STATUS "Steer: gRPC ${version}'s internal headers: ${root}")
  steer_grpc_include_dirs(dirs ${version} ${root})
  set(${out} ${dirs} PARENT_SCOPE)
endfunction()
