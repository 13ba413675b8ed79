// Which of a soak's calls may have failed or waited as they did, and which may not.
//
// A call may fail, with UNAVAILABLE, when the server that it went to died while it ran; or when it
// went there before the channel could know, so within 100 ms after the death. A call may be longer
// than 100 ms in coming to the wire when the machine, and not the program, stood still. Everything
// else is a fault. Time that the machine withheld counts for neither of these 100 ms.
//
// Must not know: policies, what made the calls.
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
  // What became of a channel's calls.
  struct Verdicts {
    // Lost with a server that died while they ran, and just before they began.
    uint64_t lost_in_flight = 0;
    uint64_t lost_after = 0;
    // The longest that such a call began after the death.
    Clock::duration latest{0};
    // Late because of the machine, and late.
    uint64_t withheld = 0;
    uint64_t stalled = 0;
    // Waited for a connection that was made for it.
    uint64_t connecting = 0;
    // Failed otherwise.
    uint64_t failed = 0;
  };

  // A call may take up to `bound` to be on the wire, and as long after a server's death be lost.
  Judge(const Fleet& fleet, const Witness& witness, std::vector<std::string> channels,
        Clock::duration bound);

  void Hear(std::vector<Remarkable> calls);
  // Judges the calls that ended before then.
  void Decide(TimePoint before, const Callers& callers);
  // Something else that is wrong.
  void Fault(const std::string& what);

  const Verdicts& of(size_t channel) const { return verdicts_[channel]; }
  uint64_t lost() const;
  uint64_t faults() const { return faults_; }

 private:
  void DecideFailed(const Remarkable& call);
  void DecideLate(const Remarkable& call, const Callers& callers);

  const Fleet& fleet_;
  const Witness& witness_;
  const Clock::duration bound_;
  const std::vector<std::string> channels_;
  std::vector<Verdicts> verdicts_;
  std::vector<Remarkable> heard_;
  uint64_t faults_ = 0;
};

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_JUDGE_H_
