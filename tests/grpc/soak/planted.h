// Policies with a fault that a soak must find: they show that it would.
//
// Must not know: how faults are found.
#ifndef STEER_TESTS_GRPC_SOAK_PLANTED_H_
#define STEER_TESTS_GRPC_SOAK_PLANTED_H_

namespace steer_soak {

// Registers policies that take turns, but for one call of a hundred, which "planted_failure" fails,
// "planted_stall" keeps waiting, and for which "planted_leak" takes memory that it never frees.
// Before steer::Register(). False if they cannot be registered.
bool RegisterPlanted();

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_PLANTED_H_
