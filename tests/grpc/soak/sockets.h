// The TCP sockets of this process, by the ports of 127.0.0.1 that they are bound or connected to.
//
// Must not know: gRPC, servers, tests.
#ifndef STEER_TESTS_GRPC_SOAK_SOCKETS_H_
#define STEER_TESTS_GRPC_SOAK_SOCKETS_H_

#include <vector>

namespace steer_soak {

// Ends what goes over a local port as the end of a process does: nobody can connect to it any more,
// and the peers of its connections see them end without a word of HTTP/2. The file descriptors stay
// their owner's.
void BreakLocalPort(int port);

// How many sockets are connected to one of these ports.
int CountConnectionsTo(const std::vector<int>& ports);

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_SOCKETS_H_
