// What the machine itself takes from a thread that wants to run: on each CPU, a thread sleeps for a
// millisecond again and again and notes what it oversleeps. A program that stood still while these
// did was not standing still by its own doing.
//
// Must not know: what the others do.
#ifndef STEER_TESTS_GRPC_SOAK_WITNESS_H_
#define STEER_TESTS_GRPC_SOAK_WITNESS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "soak/clock.h"

namespace steer_soak {

class Witness {
 public:
  Witness();
  ~Witness();

  // How long the machine kept the worst of its CPUs from a thread between two moments of the last
  // seconds: the sum of all oversleeping of more than a millisecond.
  Clock::duration Withheld(TimePoint begin, TimePoint end) const;
  // The longest that was ever overslept, since Forget().
  Clock::duration Longest() const;
  void Forget();

 private:
  struct Interval {
    TimePoint begin;
    TimePoint end;
  };
  struct Cpu {
    int number = 0;
    std::thread thread;
    mutable std::mutex mutex;
    // The latest ones: those of some ten seconds at least.
    std::array<Interval, 8192> overslept = {};
    uint64_t count = 0;
    Clock::duration longest{0};
  };

  void Watch(Cpu* cpu);

  std::atomic<bool> stopped_{false};
  std::vector<std::unique_ptr<Cpu>> cpus_;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_WITNESS_H_
