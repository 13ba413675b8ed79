# How gRPC is built for the matrix: an initial cache (cmake -C). As Debian builds it, in what a plugin
# can see: shared libraries, the system's Abseil and Protobuf, C++17, without NDEBUG.
#
# Must not know: gRPC's version, where its source is.

# No build type, and so no -DNDEBUG. Optimised, as the benchmarks compare with gRPC's own policies.
set(CMAKE_BUILD_TYPE "None" CACHE STRING "")
# GRPC_SANITIZE is empty, `thread` or `address`: then reports need frames and lines.
set(flags "-O2 -g0 -w")
if(GRPC_SANITIZE)
  set(flags "-O1 -g1 -w -fsanitize=${GRPC_SANITIZE} -fno-omit-frame-pointer")
endif()
set(CMAKE_C_FLAGS "${flags}" CACHE STRING "")
set(CMAKE_CXX_FLAGS "${flags}" CACHE STRING "")
set(CMAKE_CXX_STANDARD 17 CACHE STRING "")
set(BUILD_SHARED_LIBS ON CACHE BOOL "")

# A file of gRPC is small, and what it includes is large: many at once take a fraction of the time.
set(CMAKE_UNITY_BUILD ON CACHE BOOL "")
set(CMAKE_UNITY_BUILD_BATCH_SIZE 24 CACHE STRING "")

# The libraries find each other wherever the prefix is.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON CACHE BOOL "")
set(CMAKE_INSTALL_RPATH "$ORIGIN" CACHE STRING "")

foreach(provider ABSL CARES RE2 SSL ZLIB)
  set(gRPC_${provider}_PROVIDER package CACHE STRING "")
endforeach()
# The libraries themselves have nothing of Protobuf in them.
set(gRPC_PROTOBUF_PROVIDER none CACHE STRING "")
set(gRPC_INSTALL OFF CACHE BOOL "")
set(gRPC_BUILD_TESTS OFF CACHE BOOL "")
set(gRPC_BUILD_CODEGEN OFF CACHE BOOL "")
set(gRPC_BUILD_CSHARP_EXT OFF CACHE BOOL "")
foreach(language CPP CSHARP NODE OBJECTIVE_C PHP PYTHON RUBY)
  set(gRPC_BUILD_GRPC_${language}_PLUGIN OFF CACHE BOOL "")
endforeach()
