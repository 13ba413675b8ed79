// Which gRPC runs. Patch levels of one minor version have the same internal interface.
//
// The build says which gRPC the shim is compiled for (STEER_GRPC_RELEASE). gRPC's own header with
// its version came with 1.47, and where it is missing another gRPC's may be found.
#include "running_grpc.h"

#include <grpcpp/grpcpp.h>

#include <string>

namespace grpc {

// A program that uses gRPC's C core alone has no libgrpc++, and still loads this.
__attribute__((weak)) std::string Version();

}  // namespace grpc

namespace steer::shim {
namespace {

// Major and minor: "1.51" of "1.51.1".
std::string MinorOf(const std::string& version) {
  const size_t first = version.find('.');
  return first == std::string::npos ? version : version.substr(0, version.find('.', first + 1));
}

}  // namespace

std::string WhyOtherGrpc() {
  if (&grpc::Version == nullptr) return "";
  const std::string running = grpc::Version();
  const std::string compiled = STEER_GRPC_RELEASE;
  if (MinorOf(running) == MinorOf(compiled)) return "";
  return "Steer was compiled for gRPC " + compiled + ", and this process runs gRPC " + running +
         ", whose internal interface may differ. Rebuild Steer's steer::grpc, or "
         "libsteer-grpc.so, with gRPC " +
         running + ", or have the dynamic linker find gRPC " + MinorOf(compiled) +
         ". Steer's policies are not available in this process.";
}

}  // namespace steer::shim
