// Which gRPC version runs. Compares minor versions, because all patch levels of one minor version
// have the same internal interface.
//
// The build defines STEER_GRPC_RELEASE, the version that the shim is compiled for. gRPC's own
// header with the version came with 1.47; without it, the header of another gRPC may be found.
#include "running_grpc.h"

#include <grpcpp/grpcpp.h>

#include <string>

namespace grpc {

// Weak, because a program that uses gRPC's C core alone has no libgrpc++ and must load this, too.
__attribute__((weak)) std::string Version();

}  // namespace grpc

namespace steer::shim {
namespace {

// Returns major and minor: "1.51" for "1.51.1".
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
  return "Steer was compiled for gRPC " + compiled + ", but this process runs gRPC " + running +
         ", whose internal interface may differ. Rebuild steer::grpc or libsteer-grpc.so with "
         "gRPC " +
         running + ", or make the dynamic linker find gRPC " + MinorOf(compiled) +
         ". Steer's policies are not available in this process.";
}

}  // namespace steer::shim
