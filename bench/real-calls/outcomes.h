// The results of calls: counts by status, and latencies, as quantiles and in full. As JSON:
//
//   {"calls": 4, "statuses": {"OK": 2, "UNAVAILABLE": 1, "cancelled by caller": 1},
//    "latency_ms": {"p50": ..., "p90": ..., "p95": ..., "p99": ..., "p99.9": ..., "max": ...},
//    "late_ms": {...},           how late calls began
//    "latencies_us": [...],      ascending
//    "made": 6, "cpu_s": ...}    the cost of all calls, those of the warm-up included
//
// Quantiles are not interpolated: each one is the latency of a call.
//
// Must not depend on: gRPC.
#ifndef STEER_GAIN_OUTCOMES_H
#define STEER_GAIN_OUTCOMES_H

#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace gain {

// These count instead of a status. The client cancelled the call, either as a caller that does not
// wait, or because the measurement ended.
inline constexpr char kCancelledByCaller[] = "cancelled by caller";
inline constexpr char kUnfinished[] = "unfinished";

struct Outcome {
  // The time from when the call should have begun to its end. So the delays of a stalled client or
  // server count.
  std::chrono::nanoseconds latency{};
  // The time from when the call should have begun to when it did.
  std::chrono::nanoseconds late{};
  std::string status;
};

// The number of calls of a client, and the CPU time of its process while it made them. The calls of
// the warm-up are included.
struct Cost {
  size_t made = 0;
  double cpu_seconds = 0;
};

// The latencies of failed and cancelled calls count as those of others. Unfinished calls have none.
void WriteJson(const std::vector<Outcome>& outcomes, const Cost& cost, std::ostream& out);

}  // namespace gain

#endif  // STEER_GAIN_OUTCOMES_H
