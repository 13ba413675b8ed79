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

// More than is a stall, on any machine that was ever seen.
constexpr std::chrono::milliseconds kStall(300);
constexpr size_t kLeak = 1 << 20;

// Takes turns; `harm` chooses for one call of a hundred, given whose turn it is.
bool Register(const char* name, Choice (*harm)(size_t turn)) {
  const auto build = [harm](auto& picker) {
    return [harm, count = picker.backends.size()](const steer::Call&) {
      // Over all pickers: there are some dozens of them a second.
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
  // Out of the compiler's sight, and touched, so that it is resident.
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
