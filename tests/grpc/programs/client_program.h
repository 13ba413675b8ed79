// What the client programs of registration_test.cc do after registering: make a channel and calls,
// and print the result.
//
// Must not depend on: Steer.
#ifndef STEER_TESTS_GRPC_PROGRAMS_CLIENT_PROGRAM_H_
#define STEER_TESTS_GRPC_PROGRAMS_CLIENT_PROGRAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace steer_test {

// Makes a channel to `target` with `service_config`, calls it until all backends are connected, and
// then makes 300 calls. Prints:
//   policy=<name of the policy that the channel uses>
//   <port>=<calls that this backend answered>     one line for each backend
// or, when calls fail,
//   failed=<code> <message>
// Returns main()'s exit code.
int RunClient(const std::string& target, const std::string& service_config);

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_PROGRAMS_CLIENT_PROGRAM_H_
