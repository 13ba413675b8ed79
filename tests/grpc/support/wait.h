// Waiting for a condition instead of for a time. Knows nothing of gRPC.
#ifndef STEER_TESTS_GRPC_SUPPORT_WAIT_H_
#define STEER_TESTS_GRPC_SUPPORT_WAIT_H_

#include <chrono>
#include <thread>

namespace steer_test {

// What any single step of a test may take on a slow and loaded machine. Over only when it hangs, so
// it costs nothing to be generous.
constexpr std::chrono::seconds kPatience{120};

// Asks `condition` again and again until it holds (true) or kPatience is over (false).
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
