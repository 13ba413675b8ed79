// Decides which calls of a soak were allowed to fail or to be late.
//
// A call may fail with UNAVAILABLE if its server died while it ran, or if it began within 100 ms
// after the death, before the channel could know. A call may take more than 100 ms to the wire if
// the machine, and not the program, stood still. Everything else is a fault.
//
// Time that the machine withheld does not count, and neither does the time to do the work that had
// to wait meanwhile: again as long, because the soak keeps half of two CPUs busy.
//
// Must not depend on: policies, what made the calls.
#ifndef STEER_TESTS_GRPC_SOAK_JUDGE_H_
#define STEER_TESTS_GRPC_SOAK_JUDGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "soak/callers.h"
#include "soak/clock.h"
#include "soak/fleet.h"
#include "soak/witness.h"

namespace steer_soak {

class Judge {
 public:
  // The verdicts on a channel's calls.
  struct Verdicts {
    // Lost because their server died while they ran, or just before they began.
    uint64_t lost_in_flight = 0;
    uint64_t lost_after = 0;
    // The longest time between a death and the begin of a lost call.
    Clock::duration latest{0};
    // Late because of the machine, or late for another reason.
    uint64_t withheld = 0;
    uint64_t stalled = 0;
    // Waited for a connection that was made for the call.
    uint64_t connecting = 0;
    // Failed for another reason.
    uint64_t failed = 0;
  };

  // `bound`: the longest allowed time to the wire, and after a server's death.
  Judge(const Fleet& fleet, const Witness& witness, std::vector<std::string> channels,
        Clock::duration bound);

  // Adds calls to judge.
  void Add(std::vector<Remarkable> calls);
  // Judges the calls that ended before `before`.
  void Decide(TimePoint before, const Callers& callers);
  // Counts and prints another fault.
  void Fault(const std::string& what);

  const Verdicts& of(size_t channel) const { return verdicts_[channel]; }
  uint64_t lost() const;
  uint64_t faults() const { return faults_; }

 private:
  // How much of the time between two times the machine explains.
  Clock::duration Excused(TimePoint begin, TimePoint end) const;
  void DecideFailed(const Remarkable& call);
  void DecideLate(const Remarkable& call, const Callers& callers);

  const Fleet& fleet_;
  const Witness& witness_;
  const Clock::duration bound_;
  const std::vector<std::string> channels_;
  std::vector<Verdicts> verdicts_;
  std::vector<Remarkable> calls_;
  uint64_t faults_ = 0;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_JUDGE_H_
