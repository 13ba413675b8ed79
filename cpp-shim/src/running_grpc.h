// Which gRPC runs: the one that the shim was compiled for, or another that the dynamic linker
// found.
//
// Must not know: gRPC's internals.
#ifndef STEER_SHIM_RUNNING_GRPC_H
#define STEER_SHIM_RUNNING_GRPC_H

#include <string>

namespace steer::shim {

// Why the gRPC of this process is none that the shim can work with. Empty: it is, or its version
// cannot be known, as in programs that use gRPC's C core alone.
std::string WhyOtherGrpc();

}  // namespace steer::shim

#endif  // STEER_SHIM_RUNNING_GRPC_H
