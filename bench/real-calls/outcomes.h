// What became of calls: counted by status, and their latencies as quantiles and in full. As JSON:
//
//   {"calls": 3, "statuses": {"OK": 2, "UNAVAILABLE": 1},
//    "latency_ms": {"p50": ..., "p90": ..., "p95": ..., "p99": ..., "p99.9": ..., "max": ...},
//    "late_ms": {...},           how late calls were begun
//    "latencies_us": [...]}      ascending
//
// A quantile is the least latency that so many of the calls do not exceed: no interpolation, so
// each one is a latency that a call had. Must not know: gRPC's calls.
#ifndef STEER_GAIN_OUTCOMES_H
#define STEER_GAIN_OUTCOMES_H

#include <chrono>
#include <ostream>
#include <string>
#include <vector>

namespace gain {

struct Outcome {
  // From when the call should have begun, not from when it did: what a stalled client or server
  // makes wait counts as waiting.
  std::chrono::nanoseconds latency{};
  // From when it should have begun to when it did.
  std::chrono::nanoseconds late{};
  std::string status;
};

// Calls whose status is no success count with their time as the others do.
void WriteJson(const std::vector<Outcome>& outcomes, std::ostream& out);

}  // namespace gain

#endif  // STEER_GAIN_OUTCOMES_H
