# Prints the include directories to compile against one gRPC's source package, one a line: the internal
# headers, found as Steer's build finds them, and the public ones and Abseil's of the same package.
#
#   cmake -DVERSION=1.51.1 -P tests/matrix/headers.cmake
#
# Status 1, with the reason, if the package cannot be had.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/../../cmake/SteerGrpcHeaders.cmake)

steer_grpc_sdist(root why ${VERSION})
if(NOT root)
  # First as it is: an error's text is broken into short lines.
  message(NOTICE "${why}")
  message(FATAL_ERROR "grpcio ${VERSION} cannot be had")
endif()
steer_grpc_include_dirs(dirs ${VERSION} ${root})
list(APPEND dirs ${root}/include ${root}/third_party/abseil-cpp)
list(JOIN dirs "\n" dirs)
execute_process(COMMAND ${CMAKE_COMMAND} -E echo "${dirs}")
