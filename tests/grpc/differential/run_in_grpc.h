// Runs a program that makes policies with gRPC's internals, without gRPC's channels.
//
// Must not depend on: what the program does.
#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_RUN_IN_GRPC_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_RUN_IN_GRPC_H_

#include <grpc/grpc.h>
#include <steer/grpc.h>

#include <cstdio>
#include <cstdlib>
#include <functional>

#include "fake_channel.h"

namespace steer_testing {

// Registers Steer, initialises gRPC, and calls `program` on this thread, which may call gRPC's
// core. Returns the program's status. If Steer cannot be registered, prints why and returns
// EXIT_FAILURE.
inline int RunInGrpc(const std::function<int()>& program) {
  const steer::RegisterStatus registered = steer::Register();
  if (!registered.ok()) {
    std::fprintf(stderr, "steer::Register(): %s\n", registered.message().c_str());
    return EXIT_FAILURE;
  }
  grpc_init();
  int status;
  {
    ThreadScope scope;
    status = program();
  }
  grpc_shutdown();
  return status;
}

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_RUN_IN_GRPC_H_
