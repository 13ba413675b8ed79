// Measures how long the machine keeps threads from running. On each CPU a thread sleeps for a
// millisecond again and again and records how much it oversleeps. If the program stood still while
// these threads did, the machine is the reason.
//
// For a program that runs before the others (SCHED_RR) this is enough. Otherwise a thread that only
// sleeps gets a CPU sooner than one that works, so the kernel's account of how long this process's
// threads have waited for a CPU counts, too.
//
// Must not depend on: what other threads do.
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
    kNothing,       // in a self test, whose planted faults have no excuse
    kOversleeping,  // in a program that runs before the machine's others
    kWaiting,       // in any other program: also the time that its threads wait for a CPU
  };

  explicit Witness(Counts counts);
  ~Witness();

  // How long the machine withheld its worst CPU between two times of the last seconds: the sum of
  // all oversleeping of more than a millisecond. With kWaiting, at least the time that all threads
  // of this process together waited for a CPU.
  Clock::duration Withheld(TimePoint begin, TimePoint end) const;
  // The longest oversleeping since Forget().
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
    // The latest ones: at least ten seconds, since each lasts more than a millisecond.
    std::array<Interval, 8192> overslept = {};
    uint64_t count = 0;
    Clock::duration longest{0};
  };

  // How long all threads together have waited for a CPU up to a time, since the first look.
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
  // The latest ones, one every ten milliseconds: about ten seconds.
  std::deque<Waited> waited_;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_WITNESS_H_
