// What is to happen later, in the place of the shim's alarm.cc: gRPC's alarms pass work from thread
// to thread in code that is not instrumented, so that ThreadSanitizer would take every timer for a
// race.
//
// Must not know: what is done later.
#ifndef STEER_TESTS_GRPC_STRESS_TIMERS_H_
#define STEER_TESTS_GRPC_STRESS_TIMERS_H_

#include <mutex>

namespace steer_testing {

// While one of these lives, its thread is in the work serializer, which then has nothing to
// serialise: for the channel's own events, and for all that they, picks and timers lead to.
class InSerializer {
 public:
  InSerializer();
  ~InSerializer();

  // Whether this thread is.
  static bool Here();

 private:
  const std::lock_guard<std::mutex> lock_;
};

// Takes back all that was asked for.
void DropTimers();

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_STRESS_TIMERS_H_
