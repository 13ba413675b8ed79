# The options of gRPC for the matrix, an initial cache (cmake -C). They match Debian's package in
# everything that a plugin can see: shared libraries, the system's Abseil and Protobuf, C++17,
# without NDEBUG.
#
# Must not depend on: gRPC's version, the location of its source.
include(${CMAKE_CURRENT_LIST_DIR}/flags.cmake)
set(BUILD_SHARED_LIBS ON CACHE BOOL "")

# gRPC's files are small and include large headers, so compiling many at once is much faster.
set(CMAKE_UNITY_BUILD ON CACHE BOOL "")
set(CMAKE_UNITY_BUILD_BATCH_SIZE 24 CACHE STRING "")

# The libraries find each other in any prefix.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON CACHE BOOL "")
set(CMAKE_INSTALL_RPATH "$ORIGIN" CACHE STRING "")

foreach(provider ABSL CARES RE2 SSL ZLIB)
  set(gRPC_${provider}_PROVIDER package CACHE STRING "")
endforeach()
# The libraries do not use Protobuf.
set(gRPC_PROTOBUF_PROVIDER none CACHE STRING "")
set(gRPC_INSTALL OFF CACHE BOOL "")
set(gRPC_BUILD_TESTS OFF CACHE BOOL "")
set(gRPC_BUILD_CODEGEN OFF CACHE BOOL "")
set(gRPC_BUILD_CSHARP_EXT OFF CACHE BOOL "")
foreach(language CPP CSHARP NODE OBJECTIVE_C PHP PYTHON RUBY)
  set(gRPC_BUILD_GRPC_${language}_PLUGIN OFF CACHE BOOL "")
endforeach()
