// What is to happen later, in the place of the shim's alarm.cc: gRPC's alarms pass work from thread
// to thread in code that is not instrumented, so that ThreadSanitizer would take every timer for a
// race.
//
// Must not know: what is done later.
#ifndef STEER_TESTS_GRPC_STRESS_TIMERS_H_
#define STEER_TESTS_GRPC_STRESS_TIMERS_H_

#include <mutex>

namespace steer_testing {

// Held by whoever is in the work serializer, which then has nothing to serialise: the channel's own
// events and what timers lead to.
std::mutex& SerializerLock();

// Takes back all that was asked for.
void DropTimers();

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_STRESS_TIMERS_H_
