# The build type and the compiler flags of gRPC and its Abseil for the matrix, an initial cache
# (cmake -C).

# This build type does not add -DNDEBUG.
set(CMAKE_BUILD_TYPE "None" CACHE STRING "")
# Optimised, because the benchmarks compare with gRPC's own policies. With GRPC_SANITIZE, `thread`
# or `address`, reports need frames and lines.
set(flags "-O2 -g0 -w")
if(GRPC_SANITIZE)
  set(flags "-O1 -g1 -w -fsanitize=${GRPC_SANITIZE} -fno-omit-frame-pointer")
endif()
set(CMAKE_C_FLAGS "${flags}" CACHE STRING "")
set(CMAKE_CXX_FLAGS "${flags}" CACHE STRING "")
set(CMAKE_CXX_STANDARD 17 CACHE STRING "")
