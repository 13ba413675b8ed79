// What the machine itself takes from a thread that wants to run. On each CPU, a thread sleeps for a
// millisecond again and again and notes what it oversleeps. A program that stood still while these
// did was not standing still by its own doing.
//
// That is all of it for a program that comes before the others (SCHED_RR). Otherwise a thread that
// only sleeps gets a CPU sooner than one that works, and the kernel's account of how long this
// process's threads have waited for a CPU counts, too.
//
// Must not know: what the others do.
#ifndef STEER_TESTS_GRPC_SOAK_WITNESS_H_
#define STEER_TESTS_GRPC_SOAK_WITNESS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "soak/clock.h"

namespace steer_soak {

class Witness {
 public:
  // What counts as withheld.
  enum class Counts {
    kNothing,       // in a self test, whose planted faults nothing is to excuse
    kOversleeping,  // in a program that comes before the machine's others
    kWaiting,       // in any other one: what its threads wait for a CPU, too
  };

  explicit Witness(Counts counts);
  ~Witness();

  // How long the machine kept the worst of its CPUs from a thread between two moments of the last
  // seconds: the sum of all oversleeping of more than a millisecond. With kWaiting, at least what
  // this process's threads waited for a CPU, all together.
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

  // What all threads have waited for a CPU up to a moment, since the first one that is known.
  struct Waited {
    TimePoint when;
    Clock::duration sum{0};
  };

  void Watch(Cpu* cpu);
  void WatchThreads();
  Clock::duration WaitedBetween(TimePoint begin, TimePoint end) const;

  const Counts counts_;
  std::atomic<bool> stopped_{false};
  std::vector<std::unique_ptr<Cpu>> cpus_;

  std::thread watches_threads_;
  mutable std::mutex mutex_;
  // The latest ones, every ten milliseconds: of some ten seconds, too.
  std::deque<Waited> waited_;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_WITNESS_H_
