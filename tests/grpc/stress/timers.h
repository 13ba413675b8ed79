// Timers that replace the shim's alarm.cc. gRPC's alarms pass work from thread to thread in code
// that is not instrumented, so ThreadSanitizer would report every timer as a race.
//
// Must not depend on: what the timers do.
#ifndef STEER_TESTS_GRPC_STRESS_TIMERS_H_
#define STEER_TESTS_GRPC_STRESS_TIMERS_H_

#include <mutex>

namespace steer_testing {

// While it exists, its thread is in the work serializer, which then has nothing to serialise. Used
// for the channel's events, and for everything that events, picks and timers schedule.
class InSerializer {
 public:
  InSerializer();
  ~InSerializer();

  // Whether this thread is in the serializer.
  static bool Here();

 private:
  const std::lock_guard<std::mutex> lock_;
};

// Cancels all timers.
void DropTimers();

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_STRESS_TIMERS_H_
