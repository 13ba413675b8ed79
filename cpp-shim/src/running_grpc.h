// Which gRPC version runs: the one that the shim was compiled for, or another one that the dynamic
// linker found.
//
// Must not depend on: gRPC's internals.
#ifndef STEER_SHIM_RUNNING_GRPC_H
#define STEER_SHIM_RUNNING_GRPC_H

#include <string>

namespace steer::shim {

// Why the shim cannot work with the gRPC of this process. Empty: it can, or the version is unknown,
// as in programs that use gRPC's C core alone.
std::string WhyOtherGrpc();

}  // namespace steer::shim

#endif  // STEER_SHIM_RUNNING_GRPC_H
