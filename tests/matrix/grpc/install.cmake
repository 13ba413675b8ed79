# Copies the files of a built gRPC that an application needs into a prefix. gRPC's own install rules
# need all its targets, and the matrix builds only two of them.
#
#   cmake -DVERSION=... -DSOURCE=... -DBUILD=... -DPREFIX=... -P install.cmake
#
# Must not depend on: how gRPC was built.
include(CMakePackageConfigHelpers)

file(GLOB libraries ${BUILD}/lib*.so ${BUILD}/lib*.so.*)
file(COPY ${libraries} DESTINATION ${PREFIX}/lib)
file(COPY ${SOURCE}/include DESTINATION ${PREFIX})
file(COPY ${SOURCE}/LICENSE DESTINATION ${PREFIX})

# Code from Debian's grpc_cpp_plugin includes this header, which gRPC has since 1.47. Otherwise the
# one of the system's gRPC would be found, and clash.
set(header ${PREFIX}/include/grpcpp/impl/channel_interface.h)
if(NOT EXISTS ${header})
  file(WRITE ${header} "#pragma once\n#include <grpcpp/impl/codegen/channel_interface.h>\n")
endif()

set(package ${PREFIX}/lib/cmake/gRPC)
configure_file(${CMAKE_CURRENT_LIST_DIR}/gRPCConfig.cmake.in ${package}/gRPCConfig.cmake @ONLY)
write_basic_package_version_file(${package}/gRPCConfigVersion.cmake VERSION ${VERSION}
                                 COMPATIBILITY AnyNewerVersion ARCH_INDEPENDENT)
