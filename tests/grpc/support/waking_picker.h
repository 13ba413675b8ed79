// A custom picker in C++ that is woken from any thread, registered as the policy "waking".
#ifndef STEER_TESTS_GRPC_SUPPORT_WAKING_PICKER_H_
#define STEER_TESTS_GRPC_SUPPORT_WAKING_PICKER_H_

#include <atomic>
#include <memory>

#include "steer/steer.hpp"

namespace steer_test {

// What the picker's functions have seen, of one channel. The test may keep it longer.
struct Waking {
  explicit Waking(steer::Channel c) : channel(c) {}
  const steer::HeldChannel channel;
  // How often a wake came, and a timer.
  std::atomic<int> wakes{0}, timers{0};
  std::atomic<int> pickers{0};
  // Of the latest picker: all backends, and those that are READY.
  std::atomic<size_t> all{0}, ready{0};
};

// Call it once, before steer::Register().
void RegisterWakingPicker();

// The channel that has begun to use the picker last.
std::shared_ptr<Waking> LatestWaking();

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_WAKING_PICKER_H_
