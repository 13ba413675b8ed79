# Finds the headers of gRPC VERSION and prints the include directories. Run with cmake -P.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/../SteerGrpcHeaders.cmake)
steer_grpc_internal_headers(dirs ${VERSION} "${BUILT_HERE}")
list(JOIN dirs " " dirs)
message(STATUS "dirs: ${dirs}.")
