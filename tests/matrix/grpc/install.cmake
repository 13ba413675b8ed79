# Copies what an application needs of a built gRPC into a prefix. gRPC's own install rules ask for all
# that it can build, and the matrix builds two libraries of it.
#
#   cmake -DVERSION=... -DSOURCE=... -DBUILD=... -DPREFIX=... -P install.cmake
#
# Must not know: how gRPC was built.
include(CMakePackageConfigHelpers)

file(GLOB libraries ${BUILD}/lib*.so ${BUILD}/lib*.so.*)
file(COPY ${libraries} DESTINATION ${PREFIX}/lib)
file(COPY ${SOURCE}/include DESTINATION ${PREFIX})
file(COPY ${SOURCE}/LICENSE DESTINATION ${PREFIX})

# Code that Debian's grpc_cpp_plugin makes includes this header, which came with 1.47. Without it the
# one of the system's gRPC would be found, and clash.
set(header ${PREFIX}/include/grpcpp/impl/channel_interface.h)
if(NOT EXISTS ${header})
  file(WRITE ${header} "#pragma once\n#include <grpcpp/impl/codegen/channel_interface.h>\n")
endif()

set(package ${PREFIX}/lib/cmake/gRPC)
configure_file(${CMAKE_CURRENT_LIST_DIR}/gRPCConfig.cmake.in ${package}/gRPCConfig.cmake @ONLY)
write_basic_package_version_file(${package}/gRPCConfigVersion.cmake VERSION ${VERSION}
                                 COMPATIBILITY AnyNewerVersion ARCH_INDEPENDENT)
