# Finds gRPC's internal headers (src/core/...), which no package installs: in STEER_GRPC_SOURCE_DIR,
# in the source of a gRPC that is built here, or in PyPI's source package of the same version.
#
# Must not know: how a source package is fetched, who includes the headers.
include_guard(GLOBAL)
include(${CMAKE_CURRENT_LIST_DIR}/SteerGrpcSdist.cmake)

set(STEER_GRPC_SOURCE_DIR "" CACHE PATH
    "An unpacked source tree of the application's gRPC, for its internal headers")

# The file that must be there, by version; it shows that a directory holds the headers of that
# generation.
function(_steer_grpc_landmark out version)
  if(version VERSION_LESS 1.49)
    set(${out} src/core/ext/filters/client_channel/lb_policy.h PARENT_SCOPE)
  elseif(version VERSION_LESS 1.62)
    set(${out} src/core/lib/load_balancing/lb_policy.h PARENT_SCOPE)
  else()
    set(${out} src/core/load_balancing/lb_policy.h PARENT_SCOPE)
  endif()
endfunction()

# The include directories inside a source tree, by version: later headers include generated ones.
function(steer_grpc_include_dirs out version root)
  set(dirs ${root})
  if(version VERSION_GREATER_EQUAL 1.60)
    list(APPEND dirs ${root}/src/core/ext/upb-gen ${root}/src/core/ext/upbdefs-gen
         ${root}/third_party/upb ${root}/third_party/utf8_range)
  endif()
  set(${out} ${dirs} PARENT_SCOPE)
endfunction()

# Stops if `root` says that it is another generation than `version`. Patch levels share their headers.
function(_steer_grpc_check_version version root)
  set(file ${root}/src/python/grpcio/grpc_version.py)
  if(NOT EXISTS ${file})
    return()
  endif()
  file(STRINGS ${file} line REGEX "^VERSION *=")
  string(REGEX MATCH "[0-9]+\\.[0-9]+" there "${line}")
  string(REGEX MATCH "^[0-9]+\\.[0-9]+" here ${version})
  if(there AND NOT there STREQUAL here)
    message(FATAL_ERROR "Steer: STEER_GRPC_SOURCE_DIR=${root} is gRPC ${there}, but the application's "
                        "gRPC is ${version}. Headers of another version would crash.")
  endif()
endfunction()

# Stops if the shim was not made for that gRPC and cannot be. A newer one than those it was made for
# may do: then its own headers are needed, and the compiler decides.
function(_steer_grpc_check_range version built_here)
  steer_grpc_range(oldest newest)
  string(REGEX MATCH "^[0-9]+[.][0-9]+" minor ${version})
  set(words "Steer is made for gRPC ${oldest} to ${newest}, and the application's gRPC is ${version}.")
  if(minor VERSION_LESS oldest)
    message(FATAL_ERROR "${words} Take a newer gRPC. The C interface alone needs none: -DSTEER_BUILD_GRPC=OFF, "
                        "or find_package(steer COMPONENTS engine) of an installed Steer.")
  elseif(minor VERSION_GREATER newest)
    if(NOT STEER_GRPC_SOURCE_DIR AND NOT built_here AND NOT STEER_GRPC_SDIST_SHA256)
      message(FATAL_ERROR "${words} Look for a newer Steer. To try this one: "
                          "-DSTEER_GRPC_SOURCE_DIR=<an unpacked source tree of gRPC ${version}>.")
    endif()
    message(WARNING "${words} Nobody has tried it with that one.")
  endif()
endfunction()

# Puts the include directories of gRPC's internal headers into ${out}, or stops with words.
function(steer_grpc_internal_headers out version built_here)
  _steer_grpc_check_range(${version} "${built_here}")
  _steer_grpc_landmark(landmark ${version})
  set(build_says "no gRPC is built here")
  if(STEER_GRPC_SOURCE_DIR)
    set(root ${STEER_GRPC_SOURCE_DIR})
    if(NOT EXISTS ${root}/${landmark})
      message(FATAL_ERROR "Steer: STEER_GRPC_SOURCE_DIR=${root} is no source tree of gRPC ${version}: "
                          "${landmark} is not in it.")
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
        "installs. It looks for them in three ways:\n"
        "  1. -DSTEER_GRPC_SOURCE_DIR=<an unpacked source tree of gRPC ${version}>: not given\n"
        "  2. the source of a gRPC in the same build (FetchContent, add_subdirectory): ${build_says}\n"
        "  3. the source package grpcio==${version}, fetched once and kept: ${why}")
    endif()
  endif()
  message(STATUS "Steer: gRPC ${version}'s internal headers: ${root}")
  steer_grpc_include_dirs(dirs ${version} ${root})
  set(${out} ${dirs} PARENT_SCOPE)
endfunction()
