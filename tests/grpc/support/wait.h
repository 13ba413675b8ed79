// Waits for a condition instead of a fixed time.
//
// Must not depend on: gRPC.
#ifndef STEER_TESTS_GRPC_SUPPORT_WAIT_H_
#define STEER_TESTS_GRPC_SUPPORT_WAIT_H_

#include <chrono>
#include <thread>

namespace steer_test {

// The longest time for one step of a test on a slow and busy machine. Only a step that hangs takes
// as long, so a large value costs nothing.
constexpr std::chrono::seconds kPatience{120};

// Calls `condition` until it returns true. Returns false after kPatience.
template <typename Condition>
bool WaitUntil(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_WAIT_H_
