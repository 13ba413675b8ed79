// The policies that a soak can run with, as names and configs.
//
// Must not depend on: anything else of the soak.
#ifndef STEER_TESTS_GRPC_SOAK_POLICIES_H_
#define STEER_TESTS_GRPC_SOAK_POLICIES_H_

#include <string>
#include <vector>

namespace steer_soak {

// The header that hashing policies use. Each call has another value.
inline constexpr char kHashHeader[] = "soak-key";
// How many milliseconds the answer takes. Without this header the server chooses.
inline constexpr char kDelayHeader[] = "soak-delay";

// "rotating" uses all of Steer's policies, one after the other, on one channel.
inline constexpr char kRotating[] = "rotating";

// The config of a policy. `variant` is any number; some policies have several settings.
inline std::string ConfigOf(const std::string& policy, size_t variant = 0) {
  const std::string header = std::string(R"("requestHashHeader":")") + kHashHeader + '"';
  if (policy == "steer_ring_hash") {
    // A larger ring than the default, so that each of 200 servers gets enough calls.
    return "{" + header + R"(,"minRingSize":4096)" +
           (variant % 2 == 0 ? "}" : R"(,"hashBalanceFactor":150})");
  }
  if (policy == "steer_maglev") {
    return "{" + header + (variant % 2 == 0 ? "}" : R"(,"tableSize":16381})");
  }
  if (policy == "steer_locality") {
    return R"({"childPolicy":[{"steer_subset":{"subsetSize":1000,)"
           R"("childPolicy":[{"steer_least_request":{}}]}}]})";
  }
  if (policy == "steer_least_request") return variant % 2 == 0 ? "{}" : R"({"choiceCount":4})";
  if (policy == "steer_weighted_round_robin") {
    // Short times, so that weights are in use most of the time.
    return R"({"blackoutPeriod":"0.5s","weightExpirationPeriod":"5s","weightUpdatePeriod":"0.2s"})";
  }
  return "{}";
}

// Whether a policy connects a backend only when a call picks it. The call waits for that.
inline bool ConnectsLazily(const std::string& policy) {
  return policy == "steer_ring_hash" || policy == kRotating;
}

// The policies of "rotating".
inline const std::vector<std::string>& Rotation() {
  static const std::vector<std::string> policies = {
      "steer_round_robin", "steer_least_request", "steer_weighted_round_robin",
      "steer_ring_hash",   "steer_peak_ewma",     "steer_maglev",
      "steer_random",      "steer_prequal",       "steer_locality"};
  return policies;
}

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_POLICIES_H_
