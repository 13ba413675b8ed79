// The clock that all threads of the soak use.
#ifndef STEER_TESTS_GRPC_SOAK_CLOCK_H_
#define STEER_TESTS_GRPC_SOAK_CLOCK_H_

#include <chrono>

namespace steer_soak {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

inline double Milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_CLOCK_H_
