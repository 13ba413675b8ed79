// Policies with a fault that a soak must find.
//
// Must not depend on: how faults are found.
#ifndef STEER_TESTS_GRPC_SOAK_PLANTED_H_
#define STEER_TESTS_GRPC_SOAK_PLANTED_H_

namespace steer_soak {

// Registers policies that rotate, except for one call in a hundred: "planted_failure" fails it,
// "planted_stall" delays it, and "planted_leak" allocates memory for it that it never frees. Call
// it before steer::Register(). False: they cannot be registered.
bool RegisterPlanted();

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_PLANTED_H_
