// What the client programs of registration_test.cc do besides registering: make a channel and some
// calls, and print how it went. Knows nothing of Steer.
#ifndef STEER_TESTS_GRPC_PROGRAMS_CLIENT_PROGRAM_H_
#define STEER_TESTS_GRPC_PROGRAMS_CLIENT_PROGRAM_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace steer_test {

// Makes the channel `target` with `service_config` and calls it until all is connected and then 300
// times more. Prints:
//   policy=<name of the policy that the channel uses>
//   <port>=<calls that this backend answered>     one line for each
// or, when calls fail,
//   failed=<code> <message>
// Returns main()'s exit code.
int RunClient(const std::string& target, const std::string& service_config);

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_PROGRAMS_CLIENT_PROGRAM_H_
