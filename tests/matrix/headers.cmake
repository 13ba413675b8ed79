# Prints the include directories for compiling against the source package of one gRPC version, one
# per line: the internal headers, found as in Steer's build, and the public ones and Abseil's.
#
#   cmake -DVERSION=1.51.1 -P tests/matrix/headers.cmake
#
# Status 1, with the reason, if the package is not available.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmake/SteerGrpcHeaders.cmake)

steer_grpc_sdist(root why ${VERSION})
if(NOT root)
  # As a notice, because CMake would break the text of an error into short lines.
  message(NOTICE "${why}")
  message(FATAL_ERROR "grpcio ${VERSION} is not available")
endif()
steer_grpc_include_dirs(dirs ${VERSION} ${root})
list(APPEND dirs ${root}/include ${root}/third_party/abseil-cpp)
list(JOIN dirs "\n" dirs)
execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${dirs}")
