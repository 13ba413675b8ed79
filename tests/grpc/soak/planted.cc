#include "soak/planted.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <steer/steer.hpp>
#include <thread>

namespace steer_soak {
namespace {

using steer::Choice;

// Three times the limit for calls, so that it is found on any machine.
constexpr std::chrono::milliseconds kStall(300);
// Large enough to show within seconds.
constexpr size_t kLeak = 1 << 20;

// Rotates. For one call in a hundred, `harm` gets the backend and makes the choice.
bool Register(const char* name, Choice (*harm)(size_t turn)) {
  const auto build = [harm](auto& picker) {
    return [harm, count = picker.backends.size()](const steer::Call&) {
      // Shared by all pickers, because there are some dozens of new pickers per second.
      static std::atomic<uint64_t> picks{0};
      const uint64_t pick = picks.fetch_add(1, std::memory_order_relaxed);
      return pick % 100 == 99 ? harm(pick % count) : Choice::Complete(pick % count);
    };
  };
  return steer::Picker(name).Register(steer_api_get(), build) == STEER_OK;
}

Choice Fail(size_t) { return Choice::Drop(steer::Code::kUnavailable, "planted"); }

Choice Stall(size_t turn) {
  std::this_thread::sleep_for(kStall);
  return Choice::Complete(turn);
}

Choice Leak(size_t turn) {
  // Written to, so that it is resident; stored, so that the compiler keeps it.
  static std::atomic<void*> latest{nullptr};
  latest = std::memset(std::malloc(kLeak), 1, kLeak);
  return Choice::Complete(turn);
}

}  // namespace

bool RegisterPlanted() {
  return Register("planted_failure", Fail) && Register("planted_stall", Stall) &&
         Register("planted_leak", Leak);
}

}  // namespace steer_soak
