// The TCP sockets of this process, by the ports of 127.0.0.1 that they are bound or connected to.
//
// Must not depend on: gRPC, servers, tests.
#ifndef STEER_TESTS_GRPC_SOAK_SOCKETS_H_
#define STEER_TESTS_GRPC_SOAK_SOCKETS_H_

#include <vector>

namespace steer_soak {

// Shuts down all sockets of a local port, as the end of a process does: no connection can be made
// to it, and peers see their connections end without any HTTP/2 message. Their owner keeps the file
// descriptors.
void BreakLocalPort(int port);

// The number of sockets that are connected to any of these ports.
int CountConnectionsTo(const std::vector<int>& ports);

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_SOCKETS_H_
